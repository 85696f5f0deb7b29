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

    static readonly Option<string> Method = new("--method") { Description = "Only methods whose name begins with this", HelpName = "TEXT" };

    static readonly Option<bool> Denied = new("--denied") { Description = "Only what was denied or failed a handshake" };

    static readonly Option<bool> Openings = new("--openings") { Description = "The opening entry of each call too, which says only that it arrived" };

    static readonly Argument<ulong> Index = new("INDEX") { Description = "Index of the entry" };

    static readonly Option<string[]> Where = new("--where", "-w")
    {
        Description = "Only what fits, `NAME=VALUE[,VALUE…]`; all of several must fit. NAME is caller, role, method, kind, decision, status, source, "
            + "node, serial, since or until; `*` stands for any text",
        HelpName = "TERM",
    };

    static readonly Option<string> Since = new("--since") { Description = "Only from this time on, `2h` or RFC 3339", HelpName = "TIME" };

    static readonly Option<string> Until = new("--until") { Description = "Only before this time", HelpName = "TIME" };

    static readonly Option<string> FromExport = new("--from-export", "--from") { Description = "Verify this folder, without any node", HelpName = "FOLDER" };

    static readonly Option<string> Key = new("--key") { Description = "The log's key, `name+hash+key`; otherwise the folder's or, from a node, the one seen first", HelpName = "KEY" };

    static readonly Option<string[]> Witness = new("--witness")
    {
        Description = "A witness that must have signed, `name+hash+key`, or a file that holds it; may be repeated. `osctl audit status` shows them",
        HelpName = "KEY",
    };

    static readonly Option<bool> NewKey = new("--accept-new-key") { Description = "The node was made anew: forget what was seen of its record before" };

    public static Verb Build() => new("audit", "Read and verify the record of what was asked, by whom, and what came of it")
    {
        Subcommands = { List(), TailOf(), Show(), Export(), Verify(), Prove(), CheckProof(), StatusOf() },
    };

    static Verb List() => new("list", "List entries", "osctl audit list", "osctl audit list --denied --since 2h",
        "osctl audit list --caller alice --method Reboot -o json", "osctl audit list -w kind=boot,upgrade,bundle")
    {
        OtherNames = ["ls"],
        Options = { From, Tail, Follow, Caller, Method, Denied, Where, Since, Until, Openings },
        Run = invocation => ListAsync(invocation, invocation.Get(Tail)),
    };

    static Verb TailOf() => new("tail", "Show the newest entries", "osctl audit tail", "osctl audit tail -f --denied",
        "osctl audit tail --tail 5 -n cp-1,worker-1", "osctl audit tail -n trustd -w kind=certificate-issued")
    {
        Options = { Tail, Follow, Caller, Method, Denied, Where, Since, Until, Openings },
        Run = invocation => ListAsync(invocation, invocation.IsGiven(Tail) ? invocation.Get(Tail) : 20),
    };

    static Verb Show() => new("show", "Show one entry with all its fields", "osctl audit show 42", "osctl audit show 42 -n worker-1 -o json")
    {
        Arguments = { Index },
        Run = ShowAsync,
    };
}
