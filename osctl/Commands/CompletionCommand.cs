using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Invocation;

namespace Talos.Osctl.Commands;

/// <summary>Shell completion: the shell asks osctl itself, so that it can never disagree with the commands.</summary>
static class CompletionCommand
{
    const string Bash = """
        # osctl completion for bash:  source <(osctl completion bash)
        _osctl_complete() {
          local IFS=$'\n' line="${COMP_LINE:0:COMP_POINT}"
          COMPREPLY=($(osctl __complete "osctl ${line#* }" 2>/dev/null))
        }
        complete -o default -F _osctl_complete osctl
        """;

    const string Zsh = """
        #compdef osctl
        # osctl completion for zsh:  source <(osctl completion zsh)
        _osctl() {
          local -a words_found
          words_found=(${(f)"$(osctl __complete "osctl ${LBUFFER#* }" 2>/dev/null)"})
          if (( ${#words_found} )); then compadd -- $words_found; else _files; fi
        }
        compdef _osctl osctl
        """;

    static readonly Argument<string> Shell = new("SHELL") { Description = "bash or zsh" };

    static readonly Argument<string> Line = new("LINE") { Description = "What was typed so far" };

    static CompletionCommand() => Shell.CompletionSources.Add("bash", "zsh");

    public static Verb Build() => new("completion", "Print a script that completes osctl's words in bash or zsh",
        "source <(osctl completion bash)", "osctl completion bash > /etc/bash_completion.d/osctl", "source <(osctl completion zsh)")
    {
        Arguments = { Shell },
        Run = invocation =>
        {
            invocation.Output.WriteLine(invocation.Get(Shell) switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                var other => throw new OsctlException($"there is no completion for `{other}`", "it is made for `bash` and `zsh`"),
            });
            return Task.FromResult(ExitCode.Done);
        },
    };

    /// <summary>Hidden: gives the words that may follow a line.</summary>
    public static Command BuildList(RootCommand root, Terminal terminal)
    {
        var command = new Command("__complete") { Hidden = true, Arguments = { Line } };
        command.SetAction(parse =>
        {
            var line = parse.GetValue(Line)!;
            foreach (var word in Words(root, line)) terminal.Output.WriteLine(word);
            return ExitCode.Done;
        });
        return command;
    }

    internal static IEnumerable<string> Words(RootCommand root, string line)
    {
        var typed = line.EndsWith(' ') ? "" : line.Split(' ')[^1];
        return root.Parse(line).GetCompletions(line.Length).Select(c => c.InsertText ?? c.Label)
            .Where(w => w.StartsWith(typed, StringComparison.Ordinal) && w is not ("__complete" or "-?" or "/?" or "/h")).Distinct(StringComparer.Ordinal);
    }
}
