using System.CommandLine;
using System.Text.Json.Nodes;
using Google.Protobuf.Collections;
using Grpc.Core;
using Talos.Api.Machine.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static class FileCommands
{
    static readonly Argument<string> Folder = new("PATH") { Description = "Absolute path of a folder", DefaultValueFactory = _ => "/" };

    static readonly Argument<string> FilePath = new("PATH") { Description = "Absolute path of a file" };

    static readonly Option<bool> Long = new("--long", "-l") { Description = "Mode, owner, size and time too" };

    static readonly Option<bool> Recursive = new("--recursive", "-r") { Description = "What lies in folders below, too" };

    sealed record Listing(IReadOnlyList<FileEntry> Entries);

    public static Verb List() => new("ls", "List a folder of the nodes", "osctl ls /etc", "osctl ls -l -r /state -n cp-1")
    {
        OtherNames = ["list"],
        Arguments = { Folder },
        Options = { Long, Recursive },
        Run = async invocation => Answers.Print(invocation,
            await FanOut.AskAsync(invocation, (connection, options) => ListAsync(invocation, connection, options), invocation.Timeout),
            invocation.Get(Long) ? invocation.Table("NODE", "MODE", "UID", "GID", "SIZE(B)", "LASTMOD", "NAME") : invocation.Table("NODE", "NAME"),
            (table, node, listing) =>
            {
                foreach (var entry in listing.Entries) Add(table, node, entry, invocation.Get(Long));
            },
            listing => new JsonObject { ["entries"] = new JsonArray([.. listing.Entries.Select(e => (JsonNode)MessageTree.From(e))]) }),
    };

    public static Verb Read() => new("cat", "Print a file of a node", "osctl cat /etc/os-release", "osctl read /proc/meminfo -n worker-1")
    {
        OtherNames = ["read"],
        Arguments = { FilePath },
        Run = ReadAsync,
    };

    static async Task<Listing> ListAsync(Invocation invocation, PeerConnection connection, CallOptions options)
    {
        var entries = new List<FileEntry>();
        using var call = connection.Machine().List(new ListRequest { Path = invocation.Get(Folder), Recursive = invocation.Get(Recursive) }, options);
        await foreach (var entry in call.ResponseStream.ReadAllAsync(invocation.Cancellation)) entries.Add(entry);
        return new Listing(entries);
    }

    static void Add(Table table, string node, FileEntry entry, bool isLong)
    {
        var name = entry.Link.Length > 0 && isLong ? $"{entry.Name} -> {entry.Link}" : entry.Name;
        if (entry.Error.Length > 0) name = $"{name} ({entry.Error})";
        if (isLong) table.Add(node, Text.Mode(entry.Mode), Text.Number(entry.Uid), Text.Number(entry.Gid), Text.Number(entry.Size), Text.Second(entry.Modified), name);
        else table.Add(node, name);
    }

    // A file's bytes go out as they are, so one node at a time.
    static async Task<int> ReadAsync(Invocation invocation)
    {
        if (invocation.Targets() is not [_]) throw new OsctlException("`osctl cat` prints the file of one node", "choose one with `-n`");
        await invocation.Output.FlushAsync();
        var answers = await FanOut.AskAsync<object>(invocation, async (connection, options) =>
        {
            using var call = connection.Machine().Read(new ReadRequest { Path = invocation.Get(FilePath) }, options);
            await foreach (var chunk in call.ResponseStream.ReadAllAsync(invocation.Cancellation)) await invocation.Terminal.Bytes.WriteAsync(chunk.Data.Memory, invocation.Cancellation);
            return call;
        }, invocation.Timeout);
        await invocation.Terminal.Bytes.FlushAsync(invocation.Cancellation);
        Answers.PrintFailures(invocation, answers);
        return Answer<object>.ExitCode(answers);
    }
}
