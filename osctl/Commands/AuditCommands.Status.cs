using Talos.Api.Audit.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static partial class AuditCommands
{
    static Verb StatusOf() => new("status", "Show how a record is doing: its size, its keys, and how far behind each receiver is",
        "osctl audit status", "osctl audit status -n trustd -o yaml")
    {
        Run = StatusAsync,
    };

    static async Task<int> StatusAsync(Invocation invocation)
    {
        var answers = await FanOut.AskAsync(
            invocation, async (connection, options) => await connection.Audit().StatusAsync(new StatusRequest(), options), invocation.Timeout);
        if (invocation.IsTree) return Answers.Print(invocation, answers, invocation.Table(), (_, _, _) => { });
        foreach (var answer in answers)
        {
            if (answer.Value is { } status) Write(invocation.Output, answer.Target.Name, status);
        }
        var table = invocation.Table("NODE", "EXPORTER", "TO", "DELIVERED", "LAG", "FAILURES", "MISSED", "LAST ERROR");
        foreach (var answer in answers)
        {
            foreach (var e in answer.Value?.Exporters ?? [])
                table.Add([answer.Target.Name, e.Name, e.Target, Text.Number(e.Delivered), Text.Number(e.Lag), Text.Number(e.Failures), Text.Number(e.Missed), e.LastError]);
        }
        if (answers.Any(a => a.Value?.Exporters.Count > 0)) table.Write(invocation.Output);
        Answers.PrintFailures(invocation, answers);
        return Answer<StatusResponse>.ExitCode(answers);
    }

    static void Write(TextWriter output, string node, StatusResponse status)
    {
        var kept = status.FirstIndex == 0 ? "" : $", kept from entry {status.FirstIndex} on";
        output.WriteLine($"{node}: {status.Size} entries{kept}, {status.CheckpointSize} of them under a signed checkpoint");
        if (status.CheckpointError.Length > 0) output.WriteLine($"{node}: no newer checkpoint could be written: {status.CheckpointError}");
        output.WriteLine($"{node}: key {status.VerifierKey}");
        if (status.WitnessKey.Length > 0) output.WriteLine($"{node}: as a witness of others {status.WitnessKey}");
        foreach (var witnessed in status.Witnessed) output.WriteLine(
            $"{node}: {witnessed.Witness} signed the first {witnessed.Size} entries");
    }
}
