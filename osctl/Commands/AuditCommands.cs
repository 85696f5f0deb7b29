using System.CommandLine;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;
using Talos.Osctl.Records;

namespace Talos.Osctl.Commands;

static partial class AuditCommands
{
    static readonly Option<uint> Tail = new("--tail") { Description = "Only the last N entries [20 for `tail`, all for `list`]", HelpName = "N" };

    static readonly Option<ulong> From = new("--from") { Description = "Index of the first entry", HelpName = "INDEX" };

    static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with what comes, until Ctrl-C" };

    static readonly Option<string> Caller = new("--caller") { Description = "Only calls of this person or node", HelpName = "NAME" };

    static readonly Option<string> Method = new("--method") { Description = "Only methods whose name holds this", HelpName = "TEXT" };

    static readonly Option<bool> Denied = new("--denied") { Description = "Only what was denied or failed a handshake" };

    static readonly Option<bool> Openings = new("--openings") { Description = "The opening entry of each call too, which says only that it arrived" };

    static readonly Argument<ulong> Index = new("INDEX") { Description = "Index of the entry" };

    static readonly Argument<string> Folder = new("FOLDER") { Description = "Empty or new folder" };

    static readonly Option<string> FromExport = new("--from-export", "--from") { Description = "Verify this folder, without any node", HelpName = "FOLDER" };

    static readonly Option<string> Key = new("--key") { Description = "The log's key, `name+hash+key`; otherwise the folder's or, from a node, the one seen first", HelpName = "KEY" };

    static readonly Option<bool> NewKey = new("--accept-new-key") { Description = "The node was made anew: forget what was seen of its record before" };

    public static Verb Build() => new("audit", "Read and verify the record of what was asked, by whom, and what came of it")
    {
        Subcommands = { List(), TailOf(), Show(), Export(), Verify() },
    };

    static Verb List() => new("list", "List entries", "osctl audit list", "osctl audit list --denied", "osctl audit list --caller alice --method Reboot -o json")
    {
        OtherNames = ["ls"],
        Options = { From, Tail, Follow, Caller, Method, Denied, Openings },
        Run = invocation => ListAsync(invocation, invocation.Get(Tail)),
    };

    static Verb TailOf() => new("tail", "Show the newest entries", "osctl audit tail", "osctl audit tail -f --denied", "osctl audit tail --tail 5 -n cp-1,worker-1", "osctl audit tail -n trustd")
    {
        Options = { Tail, Follow, Caller, Method, Denied, Openings },
        Run = invocation => ListAsync(invocation, invocation.IsGiven(Tail) ? invocation.Get(Tail) : 20),
    };

    static Verb Show() => new("show", "Show one entry with all its fields", "osctl audit show 42", "osctl audit show 42 -n worker-1 -o json")
    {
        Arguments = { Index },
        Run = ShowAsync,
    };

    static Verb Export() => new("export", "Copy a node's record into a folder that can be verified anywhere", "osctl audit export ./record -n cp-1")
    {
        Arguments = { Folder },
        Run = async invocation =>
        {
            if (invocation.Targets() is not [var target]) throw new OsctlException("a folder holds the record of one node", "choose one with `-n`");
            var folder = invocation.Get(Folder);
            var answers = await FanOut.AskAsync(invocation, (connection, options) => RecordCopy.FetchAsync(connection, folder, options), null);
            Answers.PrintFailures(invocation, answers);
            if (answers[0].Value is { } key) invocation.Output.WriteLine($"{target.Name}: the record is in `{folder}`; its key is {key}");
            return Answer<Audit.NoteVerifierKey>.ExitCode(answers);
        },
    };
}
