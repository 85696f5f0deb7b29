using System.CommandLine;
using Talos.Api.Compliance.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static partial class ComplianceCommand
{
    static readonly Option<string> Benchmark = new("--benchmark") { Description = "Only one catalogue: kspp, cis-linux or cis-kubernetes", HelpName = "NAME" };

    static readonly Option<bool> Failing = new("--failing") { Description = "Only what did not pass" };

    public static Verb Build() => new("compliance", "Run the nodes' own checks and show every verdict", "osctl compliance", "osctl compliance --benchmark kspp --failing", "osctl compliance -o json", "osctl compliance scan --node cp-1 --html report.html", "osctl compliance watch")
    {
        Subcommands = { Scan(), Watch(), History(), List(), Explain(), Diff(), Sign() },
        Options = { Benchmark, Failing },
        Run = async invocation =>
        {
            var answers = await FanOut.AskAsync<ReportResponse>(invocation,
                async (c, options) => await c.Compliance().ReportAsync(new ReportRequest { Benchmark = invocation.Get(Benchmark) }, options), invocation.Timeout);
            var code = Answers.Print(invocation, answers, invocation.Table("NODE", "ID", "BENCHMARK", "VERDICT", "TITLE", "+EVIDENCE", "+REMEDIATION"), (table, node, report) =>
            {
                foreach (var r in report.Results.Where(r => !invocation.Get(Failing) || IsOpen(r)))
                    table.Add(node, r.Id, r.Benchmark, r.Waiver is not null ? $"{Text.Word(r.Verdict)} (waived)" : Text.Word(r.Verdict), r.Title, r.Evidence, r.Remediation);
            });
            if (!invocation.IsTree) WriteSums(invocation, answers);
            if (code != ExitCode.Done) return code;
            var open = answers.SelectMany(a => a.Value?.Results ?? []).Where(IsOpen).Select(r => r.Verdict).ToArray();
            return open.Contains(Verdict.Fail) ? ExitCode.NotInOrder : open.Length > 0 ? ExitCode.CouldNotTell : ExitCode.Done;
        },
    };

    // What could not be read is no pass.
    static bool IsOpen(CheckResult result) => result.Waiver is null && result.Verdict is Verdict.Fail or Verdict.Unknown;

    static void WriteSums(Invocation invocation, IReadOnlyList<Answer<ReportResponse>> answers)
    {
        foreach (var answer in answers)
        {
            if (answer.Value is not { } report) continue;
            var sums = Enum.GetValues<Verdict>().Select(v => (Verdict: v, Count: report.Results.Count(r => r.Verdict == v))).Where(s => s.Count > 0).OrderByDescending(s => s.Verdict == Verdict.Pass);
            var waived = report.Results.Count(r => r.Waiver is not null);
            invocation.Output.WriteLine($"{answer.Target.Name}: {string.Join(", ", sums.Select(s => $"{s.Count} {Text.Word(s.Verdict)}"))}{(waived > 0 ? $", {waived} of them waived" : "")}");
        }
    }
}
