using Talos.Api.Compliance.V1;
using Talos.Checks;
using Talos.Osctl.Nodes;
using Talos.Osctl.Records;

namespace Talos.Osctl.Commands;

static partial class ComplianceCommand
{
    /// <summary>What one node found, and what it found before.</summary>
    sealed record NodeReading(ReportResponse Report, HistoryResponse History);

    static async Task<int> ScanNodesAsync(Invocation invocation)
    {
        foreach (var option in (System.CommandLine.Option[])[Catalogues, Kconfig, KernelCommandLine, Sysctls])
            if (invocation.IsGiven(option)) throw new OsctlException($"`{option.Name}` goes with a tree", "a node runs its own checks over what it is; give a tree with `--root DIR`");
        var targets = invocation.Targets();
        if (targets.Count > 1 && new[] { JUnit, Sarif, Html }.Any(o => Given(invocation, o) is not null))
            throw new OsctlException($"a report is of one node, and there are {targets.Count}", "choose one with `--node NAME`");
        var level = Level(invocation);
        var answers = await FanOut.AskAsync<NodeReading>(invocation, async (c, options) =>
        {
            var report = await c.Compliance().ReportAsync(new ReportRequest { Benchmark = invocation.Get(Benchmark) }, options);
            return new(report, await c.Compliance().HistoryAsync(new HistoryRequest { Limit = 100 }, options));
        }, invocation.Timeout);
        var inputs = answers.Where(a => a.Value is not null).Select(a => Input(a.Target.Name, a.Value!)).ToArray();
        foreach (var input in inputs) WriteFiles(invocation, input);
        if (invocation.Format == Output.OutputFormat.Json)
        {
            var texts = inputs.Select(i => Written(i, ReportWriter.WriteJson));
            invocation.Output.WriteLine(targets.Count == 1 ? string.Concat(texts) : $"[{string.Join(",\n", texts)}]");
        }
        else
        {
            foreach (var input in inputs)
            {
                if (targets.Count > 1) invocation.Output.WriteLine($"{input.Report.Target}:");
                ReportWriter.WriteTable(input, invocation.Output, invocation.Get(Everything));
                if (targets.Count > 1) invocation.Output.WriteLine();
            }
        }
        Output.Answers.PrintFailures(invocation, answers);
        var code = Answer<NodeReading>.ExitCode(answers);
        if (code != ExitCode.Done) return code;
        return CodeOf(inputs.Any(i => i.Exit == ScanExit.Fail) ? ScanExit.Fail : inputs.Any(i => i.Exit != ScanExit.Pass) ? ScanExit.CouldNotTell : ScanExit.Pass);

        ReportInput Input(string node, NodeReading reading)
        {
            var report = ToldReport.Read(node, reading.Report, level, Shipped(), out var waived);
            return new(report, Judged(invocation, report), ToldReport.Read(reading.History), waived, ToldReport.ReadChanges(reading.History));
        }
    }
}
