using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Talos.Api.Configuration;
using Talos.Osctl.Commands;

namespace Talos.Osctl;

/// <summary>From words to an exit code. Nothing that goes wrong here or below shows a stack trace.</summary>
static class CommandLine
{
    public static async Task<int> RunAsync(string[] args, Terminal terminal)
    {
        var root = Build(terminal);
        var parse = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var code = await GuardAsync(terminal, async () =>
        {
            if (parse.Errors.Count > 0 && parse.Action is not SynchronousCommandLineAction { ClearsParseErrors: true }) return Refuse(parse, terminal);
            return await parse.InvokeAsync(new InvocationConfiguration { Output = terminal.Output, Error = terminal.Error, EnableDefaultExceptionHandler = false });
        });
        return await GuardAsync(terminal, async () =>
        {
            await terminal.Output.FlushAsync();
            return code;
        });
    }

    public static RootCommand Build(Terminal terminal)
    {
        var root = new RootCommand("osctl asks and operates the nodes of a Talos cluster");
        root.Options.Clear();
        root.Directives.Clear();
        root.Options.Add(new HelpOption());
        foreach (var option in GlobalOptions.All) root.Options.Add(option);
        foreach (var verb in Verbs()) root.Add(verb);
        root.Add(CompletionCommand.Build());
        root.Add(CompletionCommand.BuildList(root, terminal));
        Prepare(root, terminal);
        return root;
    }

    static IEnumerable<Verb> Verbs() =>
    [
        VersionCommand.Build(),
        ServiceCommands.List(), ServiceCommands.Restart(), ServiceCommands.Stats(), ProcessCommand.Build(),
        LogCommands.Logs(), LogCommands.Dmesg(),
        PowerCommands.Reboot(), PowerCommands.Shutdown(),
        DiskCommands.Mounts(), DiskCommands.Usage(), FileCommands.List(), FileCommands.Read(),
        HardwareCommands.Time(), HardwareCommands.Memory(), HardwareCommands.Interfaces(),
        ComplianceCommand.Build(), KsppCommand.Build(), AuditCommands.Build(),
        PolicyCommands.Build(), PolicyCommands.CanI(), ApprovalCommands.List(), ApprovalCommands.Approve(),
        ConfigCommands.Build(), LoginCommand.Build(), GenerateCommands.Build(), ValidateCommand.Build(),
        TokenCommands.Build(), EnrollCommands.Build(), CertificateCommands.Build(), CrlCommands.Build(), AuthorityCommands.Build(), ClusterCommands.Build(),
    ];

    static void Prepare(Command command, Terminal terminal)
    {
        if (command is Verb { Run: { } run } verb) verb.SetAction((parse, cancellation) => run(new Invocation(parse, terminal, cancellation)));
        foreach (var help in command.Options.OfType<HelpOption>()) help.Action = new HelpWithExamples((HelpAction)help.Action!);
        foreach (var inner in command.Subcommands) Prepare(inner, terminal);
    }

    static async Task<int> GuardAsync(Terminal terminal, Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (OsctlException e)
        {
            terminal.Fail(e.Message, e.Hint);
            return e.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
        catch (IOException e) when (IsClosedPipe(e))
        {
            // `osctl … | head` has what it wanted.
            return ExitCode.Done;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            terminal.Fail(Nodes.CallFailure.Sentence(e.Message), null);
            return ExitCode.NotAsked;
        }
        catch (Exception e) when (terminal.Environment("TALOS_TRACE") is null)
        {
            terminal.Fail($"osctl has a bug: {e.GetType().Name}: {Nodes.CallFailure.Sentence(e.Message)}", "with TALOS_TRACE=1 it shows where");
            return ExitCode.NotAsked;
        }
    }

    // EPIPE.
    static bool IsClosedPipe(IOException e) => e.HResult == 32 || e.InnerException is IOException { HResult: 32 };

    static int Refuse(ParseResult parse, Terminal terminal)
    {
        var path = new List<string>();
        for (SymbolResult? result = parse.CommandResult; result is CommandResult command; result = result.Parent) path.Insert(0, command.Command is RootCommand ? "osctl" : command.Command.Name);
        var usage = $"`{string.Join(' ', path)} --help` shows how it is used";
        var here = parse.CommandResult.Command;
        if (parse.UnmatchedTokens is [var word, ..])
        {
            var names = here.Subcommands.Where(c => !c.Hidden).SelectMany(c => c.Aliases.Prepend(c.Name)).Concat(here.Options.Select(o => o.Name)).Concat(GlobalOptions.All.Select(o => o.Name));
            var kind = word.StartsWith('-') ? "option" : here.Subcommands.Count > 0 ? "command" : "argument";
            terminal.Fail($"`{string.Join(' ', path)}` knows no {kind} `{word}`", Spelling.Nearest(word, names) is { } meant ? $"did you mean `{meant}`?" : usage);
            return ExitCode.NotAsked;
        }
        // The parser's own sentence ends in the name of a .NET type.
        terminal.Fail(Nodes.CallFailure.Sentence(parse.Errors[0].Message.Split(" as expected type")[0]).Replace('\'', '`'), usage);
        return ExitCode.NotAsked;
    }

    sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            help.Invoke(parseResult);
            if (parseResult.CommandResult.Command is not Verb { Examples.Count: > 0 } verb) return ExitCode.Done;
            var writer = parseResult.InvocationConfiguration.Output;
            writer.WriteLine("Examples:");
            foreach (var example in verb.Examples) writer.WriteLine("  " + example);
            return ExitCode.Done;
        }
    }
}
