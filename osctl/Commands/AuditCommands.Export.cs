using System.CommandLine;
using Grpc.Core;
using Talos.Api.Audit.V1;
using Talos.Audit;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;
using Talos.Osctl.Records;

namespace Talos.Osctl.Commands;

static partial class AuditCommands
{
    // LIMIT: entries in memory between two commits.
    const int MaxBatch = 4096;

    static readonly Argument<string> Folder = new("FOLDER")
    {
        Description = "Empty or new folder for a copy that can be verified",
        Arity = ArgumentArity.ZeroOrOne,
    };

    static readonly Option<string> As = new("--format")
    {
        Description = $"Write entries for others to read instead: {string.Join(", ", AuditFormats.Names)}",
        HelpName = "FORMAT",
    };

    static readonly Option<string> To = new("--to") { Description = "Append to this file, synced, instead of printing", HelpName = "FILE" };

    static readonly Option<string> CursorFile = new("--cursor")
    {
        Description = "Go on behind what this file says was delivered, and keep it; nothing is left out, also when osctl is killed",
        HelpName = "FILE",
    };

    static Verb Export() => new("export", "Copy a record so that it can be verified anywhere, or write its entries in the formats of others",
        "osctl audit export ./record -n cp-1", "osctl audit export --format ocsf --since 24h > day.jsonl",
        "osctl audit export --format jsonl -f --to cp-1.jsonl --cursor cp-1.cursor -n cp-1", "osctl audit export --format cef -w decision=deny")
    {
        Arguments = { Folder },
        Options = { As, To, CursorFile, From, Follow, Where, Since, Until },
        Run = invocation => (invocation.Get(Folder), invocation.Get(As)) switch
        {
            ({ Length: > 0 } folder, "") => CopyAsync(invocation, folder),
            ("", { Length: > 0 } format) => WriteAsync(invocation, format),
            _ => throw new OsctlException("either a folder or `--format` is needed", "`osctl audit export --help` shows both"),
        },
    };

    static async Task<int> CopyAsync(Invocation invocation, string folder)
    {
        var node = OneNode(invocation, "a folder holds the record of one node");
        var answers = await FanOut.AskAsync(invocation, (connection, options) => RecordCopy.FetchAsync(connection, folder, options), null);
        Answers.PrintFailures(invocation, answers);
        if (answers[0].Value is { } key) invocation.Output.WriteLine($"{node}: the record is in `{folder}`; its key is {key}");
        return Answer<NoteVerifierKey>.ExitCode(answers);
    }

    sealed record Delivered(ulong Next);

    static async Task<int> WriteAsync(Invocation invocation, string name)
    {
        if (!AuditFormats.TryParse(name, out var format))
            throw new OsctlException($"`{name}` is no format", $"the formats are {string.Join(", ", AuditFormats.Names)}");
        if (invocation.IsGiven(To) || invocation.IsGiven(CursorFile)) OneNode(invocation, "a file or a cursor belongs to one node");
        await using var sink = invocation.Get(To) is { Length: > 0 } path ? new FileSink(path, format) : null;
        var cursor = invocation.Get(CursorFile) is { Length: > 0 } file ? new ExportCursor(file, invocation.Get(From)) : null;
        var answers = await FanOut.AskAsync(
            invocation, (connection, options) => DeliverAsync(invocation, connection, format, sink, cursor, options), null);
        Answers.PrintFailures(invocation, answers);
        return Answer<Delivered>.ExitCode(answers);
    }

    static async Task<Delivered> DeliverAsync(
        Invocation invocation, PeerConnection connection, AuditFormat format, FileSink? sink, ExportCursor? cursor, CallOptions options)
    {
        var request = new ListRequest { From = cursor?.Next ?? invocation.Get(From), Follow = invocation.Get(Follow) };
        request.Filter.AddRange(Terms(invocation));
        var next = request.From;
        var batch = new List<AuditRecord>();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken);
        await using var entries = ReadAsync(connection, request, options.WithCancellationToken(ending.Token)).GetAsyncEnumerator(ending.Token);
        while (true)
        {
            var moving = entries.MoveNextAsync().AsTask();
            try
            {
                // What has come is delivered before anything is waited for.
                if (batch.Count > 0 && (!moving.IsCompleted || batch.Count >= MaxBatch)) await CommitAsync();
            }
            catch
            {
                // What still waits for the next entry cannot be disposed of, and would hide why this failed.
                await ending.CancelAsync();
                await ((Task)moving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw;
            }
            if (!await moving) break;
            batch.Add(entries.Current);
        }
        if (batch.Count > 0) await CommitAsync();
        return new Delivered(next);

        async Task CommitAsync()
        {
            if (sink is null)
            {
                lock (invocation.Output)
                {
                    foreach (var record in batch) invocation.Output.WriteLine(AuditFormats.Render(format, record));
                    invocation.Output.Flush();
                }
            }
            else
            {
                await sink.SendAsync(batch, options.CancellationToken);
                await sink.CommitAsync(options.CancellationToken);
            }
            next = batch[^1].Index + 1;
            cursor?.Save(next);
            batch.Clear();
        }
    }

    static string OneNode(Invocation invocation, string why) =>
        invocation.Targets() is [var target] ? target.Name : throw new OsctlException(why, "choose one with `-n`");
}
