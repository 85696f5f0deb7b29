using System.CommandLine;
using Grpc.Core;
using Talos.Api.Compliance.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static partial class ComplianceCommand
{
    static readonly Option<uint> Last = new("--last") { Description = "Only the last N", HelpName = "N" };

    static readonly Option<bool> Changes = new("--changes") { Description = "What changed, in place of the scans" };

    static Verb Watch() => new("watch", "Show what drifted on nodes, then each change as it is found, until Ctrl-C", "osctl compliance watch", "osctl compliance watch -n cp-1,worker-1 -o json")
    {
        Run = async invocation =>
        {
            var credentials = invocation.Credentials();
            var answers = await Task.WhenAll(invocation.Targets().Select(async target =>
            {
                using var connection = target.Connect(credentials, invocation.Terminal.Time);
                return await FanOut.AskAsync<object>(invocation, target, connection, async (c, options) =>
                {
                    using var call = c.Compliance().Watch(new WatchRequest { NewOnly = true }, options);
                    var isFirst = true;
                    await foreach (var news in call.ResponseStream.ReadAllAsync(invocation.Cancellation))
                    {
                        if (isFirst) WriteStanding(invocation, target.Name, news.Standing ?? new Standing());
                        if (news.Drift is { } drift) WriteDrift(invocation, target.Name, drift);
                        isFirst = false;
                    }
                    return call;
                }, timeout: null);
            }));
            Answers.PrintFailures(invocation, answers);
            return Answer<object>.ExitCode(answers);
        },
    };

    static Verb History() => new("history", "Show the scans that nodes made of themselves, or what changed", "osctl compliance history", "osctl compliance history --changes --last 20 -n cp-1")
    {
        Options = { Last, Changes },
        Run = async invocation =>
        {
            var answers = await FanOut.AskAsync<HistoryResponse>(invocation,
                async (c, options) => await c.Compliance().HistoryAsync(new HistoryRequest { Limit = invocation.Get(Last) }, options), invocation.Timeout);
            return invocation.Get(Changes)
                ? Answers.Print(invocation, answers, invocation.Table("NODE", "TIME", "KIND", "SUBJECT", "BEFORE", "AFTER", "STATE", "+CHECKS"), (table, node, history) =>
                {
                    foreach (var d in history.Changes)
                        table.Add(node, Text.Second(d.Time), Text.Word(d.Kind).ToLowerInvariant(), d.Subject, d.Before, d.After, State(d), string.Join(' ', d.Checks));
                })
                : Answers.Print(invocation, answers, invocation.Table("NODE", "TIME", "PASS", "FAIL", "UNKNOWN", "WAIVED", "N/A", "MANUAL", "BECAUSE"), (table, node, history) =>
                {
                    foreach (var s in history.Scans)
                        table.Add(node, Text.Second(s.Time), Text.Number(s.Passed), Text.Number(s.Failed), Text.Number(s.Unknown), Text.Number(s.Waived), Text.Number(s.NotApplicable), Text.Number(s.Manual), s.Cause);
                });
        },
    };

    // In trees only changes are lines: whoever reads them need not tell two kinds apart.
    static void WriteStanding(Invocation invocation, string node, Standing standing)
    {
        if (!invocation.IsTree)
        {
            var drift = standing.OpenCount == 0 ? "nothing drifted" : $"{Text.Number(standing.OpenCount)} drifted";
            Say(invocation, $"{node}   {drift} since {Text.Second(standing.Since)}; checked at {Text.Second(standing.Scanned)}");
        }
        foreach (var drift in standing.Open) WriteDrift(invocation, node, drift);
    }

    static void WriteDrift(Invocation invocation, string node, Drift drift)
    {
        if (invocation.IsTree)
        {
            lock (invocation.Output)
            {
                TreeWriter.WriteLine(invocation.Output, Answers.Named(node, MessageTree.From(drift)), invocation.Format);
                invocation.Output.Flush();
            }
            return;
        }
        var asks = drift.Kind != DriftKind.Verdict && drift.Checks.Count > 0 ? $"   ({string.Join(", ", drift.Checks)})" : "";
        Say(invocation, $"{node}   {Text.Second(drift.Time)}   {State(drift),-8}   {drift.Sentence}{asks}");
    }

    static string State(Drift drift) => drift.Kind == DriftKind.Verdict ? "verdict" : drift.Returned ? "returned" : "drifted";

    // What a node says must not move the cursor or colour the terminal.
    static void Say(Invocation invocation, string line)
    {
        lock (invocation.Output)
        {
            invocation.Output.WriteLine(string.Concat(line.Select(c => char.IsControl(c) ? ' ' : c)));
            invocation.Output.Flush();
        }
    }
}
