using System.Globalization;
using Grpc.Core;
using Talos.Api.Audit.V1;
using Talos.Audit;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static partial class AuditCommands
{
    static readonly string[] Columns = ["NODE", "INDEX", "TIME", "CALLER", "METHOD", "DECISION", "OUTCOME", "REASON", "SOURCE", "+SERIAL", "+ROLES", "+REVISION"];

    sealed record Entries(List<AuditRecord> Records);

    static Task<int> ListAsync(Invocation invocation, uint tail) =>
        invocation.Get(Follow) ? FollowAsync(invocation, tail) : ListOnceAsync(invocation, tail);

    static async Task<int> ListOnceAsync(Invocation invocation, uint tail)
    {
        var answers = await FanOut.AskAsync<Entries>(invocation, async (connection, options) =>
        {
            var entries = new Entries([]);
            await foreach (var record in ReadAsync(invocation, connection, tail, options)) entries.Records.Add(record);
            if (!invocation.Get(Openings)) RemoveEnded(entries.Records);
            return entries;
        }, invocation.Timeout);
        return Answers.Print(invocation, answers, invocation.Table(Columns),
            (table, node, entries) => { foreach (var record in entries.Records) table.Add(Row(node, record)); },
            entries => new() { ["entries"] = new System.Text.Json.Nodes.JsonArray([.. entries.Records.Select(r => Tree(r))]) });
    }

    // A call that has ended says everything in its closing entry; one that has not shows as open.
    static void RemoveEnded(List<AuditRecord> records)
    {
        var ended = records.Where(r => r.Entry.HasOpenedIndex).Select(r => r.Entry.OpenedIndex).ToHashSet();
        records.RemoveAll(r => r.Entry.Kind == EntryKind.CallOpened && ended.Contains(r.Index));
    }

    static async Task<int> FollowAsync(Invocation invocation, uint tail)
    {
        var answers = await FanOut.AskAsync<Entries>(invocation, async (connection, options) =>
        {
            await foreach (var record in ReadAsync(invocation, connection, tail, options)) Write(
                invocation, NodeOf(invocation, connection), record);
            return new Entries([]);
        }, null);
        Answers.PrintFailures(invocation, answers);
        return Answer<Entries>.ExitCode(answers);
    }

    static string NodeOf(Invocation invocation, PeerConnection connection) =>
        invocation.Targets().First(t => t.Endpoint == connection.Endpoint).Name;

    // Each entry by itself, so the columns have widths that most entries keep to.
    static void Write(Invocation invocation, string node, AuditRecord record)
    {
        lock (invocation.Output)
        {
            if (invocation.IsTree) TreeWriter.WriteLine(invocation.Output, Answers.Named(node, Tree(record)), invocation.Format);
            else
            {
                int[] widths = [10, 6, 19, 12, 34, 8, 18, 24, 0, 0, 0, 0];
                var wide = invocation.Format == OutputFormat.Wide;
                var cells = Row(node, record).Select((cell, i) => (cell, i)).Where(c => wide || !Columns[c.i].StartsWith('+'));
                invocation.Output.WriteLine(
                    string.Join("   ", cells.Select(c => (c.cell.Length == 0 ? "-" : c.cell).PadRight(widths[c.i]))).TrimEnd());
            }
            invocation.Output.Flush();
        }
    }

    static async IAsyncEnumerable<AuditRecord> ReadAsync(Invocation invocation, PeerConnection connection, uint tail, CallOptions options)
    {
        var request = new ListRequest { From = invocation.Get(From), Tail = tail, Follow = invocation.Get(Follow), WithoutOpenings = !invocation.Get(Openings) };
        request.Filter.AddRange(Terms(invocation));
        await foreach (var record in ReadAsync(connection, request, options)) yield return record;
    }

    static async IAsyncEnumerable<AuditRecord> ReadAsync(PeerConnection connection, ListRequest request, CallOptions options)
    {
        using var call = connection.Audit().List(request, options);
        await foreach (var item in call.ResponseStream.ReadAllAsync(options.CancellationToken))
        {
            if (!AuditRecord.TryParse(item.Index, item.Entry.Memory, out var record, out var error))
                throw new RpcException(new Status(StatusCode.DataLoss, $"entry {item.Index} {error}"));
            yield return record;
        }
    }

    // What the shorter options say, in the form that the node understands.
    static IEnumerable<string> Terms(Invocation invocation)
    {
        if (invocation.Get(Caller) is { Length: > 0 } caller) yield return $"caller={caller}";
        if (invocation.Get(Method) is { Length: > 0 } method) yield return $"method={method}*";
        if (invocation.Get(Since) is { Length: > 0 } since) yield return $"since={since}";
        if (invocation.Get(Until) is { Length: > 0 } until) yield return $"until={until}";
        if (invocation.Get(Denied)) yield return "decision=deny";
        foreach (var term in invocation.Get(Where) ?? []) yield return term;
    }

    static string[] Row(string node, AuditRecord record)
    {
        var e = record.Entry;
        var what = e.Method.Length > 0 ? e.Method[(e.Method.LastIndexOf('.') + 1)..] : e.Kind.ToString();
        var decision = e.Kind == EntryKind.CallOpened ? "" : e.Decision?.Effect switch { Effect.Allow => "allow", Effect.Deny => "deny", _ => "" };
        var outcome = e.Outcome?.Status ?? (e.Kind == EntryKind.CallOpened ? "open" : "");
        var reason = e.Decision is { ReasonId.Length: > 0 } d && d.Effect == Effect.Deny ? d.ReasonId : e.Method.Length == 0 ? e.Message : e.Outcome?.Message ?? "";
        return
        [
            node, Text.Number(record.Index), Time(e), e.Caller?.Name ?? "", what, decision ?? "", outcome, reason, Source(e.Caller),
            e.Caller?.Serial ?? "", e.Caller is null ? "" : string.Join(' ', e.Caller.Roles), e.Decision?.BundleRevision ?? "",
        ];
    }

    // A node vouches for the address of what it carried, so it stands beside it.
    static string Source(Caller? caller) => caller switch
    {
        null => "",
        { ForwardedBy.Count: 0 } => caller.SourceAddress,
        _ => $"{caller.SourceAddress} via {string.Join(", ", caller.ForwardedBy)}",
    };

    static string Time(Entry e) => DateTimeOffset.FromUnixTimeMilliseconds(e.WallTimeUnixNanos / 1_000_000).UtcDateTime.ToString(
        "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    static System.Text.Json.Nodes.JsonObject Tree(AuditRecord record)
    {
        var tree = new System.Text.Json.Nodes.JsonObject { ["index"] = record.Index };
        foreach (var (name, value) in MessageTree.From(record.Entry)) tree[name] = value?.DeepClone();
        return tree;
    }

    static async Task<int> ShowAsync(Invocation invocation)
    {
        var index = invocation.Get(Index);
        var answers = await FanOut.AskAsync<AuditRecord>(invocation, async (connection, options) =>
        {
            using var call = connection.Audit().List(new ListRequest { From = index }, options);
            while (await call.ResponseStream.MoveNext(options.CancellationToken))
            {
                var item = call.ResponseStream.Current;
                if (item.Index != index) break;
                return AuditRecord.TryParse(item.Index, item.Entry.Memory, out var record, out var error) ? record : throw new RpcException(
                    new Status(StatusCode.DataLoss, $"entry {index} {error}"));
            }
            throw new RpcException(new Status(StatusCode.NotFound, $"there is no entry {index}"));
        }, invocation.Timeout);
        foreach (var answer in answers)
        {
            if (answer.Value is { } record)
                TreeWriter.Write(invocation.Output, Answers.Named(answer.Target.Name, Tree(record)), invocation.Format == OutputFormat.Json ? OutputFormat.Json : OutputFormat.Yaml);
        }
        Answers.PrintFailures(invocation, answers);
        return Answer<AuditRecord>.ExitCode(answers);
    }
}
