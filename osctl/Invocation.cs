using System.CommandLine;
using Talos.Api.Configuration;
using Talos.Osctl.Contexts;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl;

/// <summary>One run of one command: its options, and the context they choose.</summary>
sealed class Invocation(ParseResult parse, Terminal terminal, CancellationToken cancellation)
{
    ContextFile? _file;

    public Terminal Terminal => terminal;

    public CancellationToken Cancellation => cancellation;

    public TextWriter Output => terminal.Output;

    public OutputFormat Format => Get(GlobalOptions.Output);

    public bool IsTree => Format is OutputFormat.Json or OutputFormat.Yaml;

    /// <summary>For a call that answers once.</summary>
    public TimeSpan Timeout => Get(GlobalOptions.Timeout);

    public ContextFile File => _file ??= ContextFile.Load(ContextFile.Locate(Get(GlobalOptions.TalosConfig), terminal));

    public string ContextName => Get(GlobalOptions.Context) is { Length: > 0 } given ? given : File.Content.Current;

    public bool HasContext => ContextName.Length > 0;

    public T Get<T>(Option<T> option) => parse.GetValue(option)!;

    public TimeSpan Get(DurationOption option) => IsGiven(option) ? parse.GetValue(option) : option.Standard;

    /// <summary>Empty when it is not given.</summary>
    public string Get(Option<string> option) => parse.GetValue(option) ?? "";

    public T Get<T>(Argument<T> argument) => parse.GetValue(argument)!;

    /// <summary>Empty when it is not given.</summary>
    public string Get(Argument<string> argument) => parse.GetValue(argument) ?? "";

    public bool IsGiven(Option option) => parse.GetResult(option) is { Implicit: false };

    public ClientContext Context()
    {
        if (!HasContext) throw new OsctlException("there is no context to work in", "start a cluster with `osctl cluster create`, or add one with `osctl config add`");
        if (File.Content.Contexts.TryGetValue(ContextName, out var context)) return context;
        throw new OsctlException($"there is no context `{ContextName}` in `{File.Path}`", "`osctl config contexts` lists them");
    }

    public ClientCredentials Credentials()
    {
        var context = Context();
        if (File.IsExposed) terminal.Error.WriteLine($"warning: `{File.Path}` holds a private key and others may read it; `chmod 600` it");
        return ClientCredentials.From(context, ContextName);
    }

    public IReadOnlyList<Target> Targets(bool withTrustd = false) => Target.Select(Context(), Words(GlobalOptions.Nodes), Words(GlobalOptions.Endpoints), Get(GlobalOptions.Via), withTrustd);

    /// <summary>An option that may be repeated or hold commas.</summary>
    public IReadOnlyList<string> Words(Option<string[]> option) =>
        [.. (Get(option) ?? []).SelectMany(w => w.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];

    /// <summary>Says that a list was cut, where it does not mix with what was listed.</summary>
    public void TellOfMore(bool more)
    {
        if (more) terminal.Error.WriteLine("hint: there are more; `--limit N` shows up to 5000, as far as they fit into one answer");
    }

    public Table Table(params string[] columns) => new(Format == OutputFormat.Wide, columns);
}
