using System.Globalization;

namespace Talos.Checks;

/// <summary>Writes a report in the forms that people and their tools read.</summary>
public static partial class ReportWriter
{
    /// <summary>A table for the terminal: what did not pass, then the sums. With <paramref name="all"/> every check.</summary>
    public static void WriteTable(ReportInput input, TextWriter output, bool all = false)
    {
        var shown = input.Report.Results.Where(r => all || r.Verdict is Verdict.Fail or Verdict.Unknown).ToArray();
        var width = shown.Length == 0 ? 2 : shown.Max(r => r.Check.Id.Length);
        if (shown.Length > 0) output.WriteLine($"{"VERDICT",-8} {"ID".PadRight(width)} FINDING");
        foreach (var result in shown)
        {
            var verdict = input.WaiverOf(result) is null ? ReportInput.Word(result.Verdict) : "WAIVED";
            output.WriteLine($"{verdict,-8} {result.Check.Id.PadRight(width)} {OneLine(result.Reason)}");
        }
        if (shown.Length > 0) output.WriteLine();
        foreach (var problem in input.Gate?.Problems ?? []) output.WriteLine($"PROBLEM  {problem}");
        foreach (var waiver in input.Gate?.StaleWaivers ?? []) output.WriteLine($"STALE    {waiver.Id} passes and is still waived");
        output.WriteLine(Summary(input));
    }

    /// <summary>The sums in one line: `352 checks of kspp: 301 pass, 51 fail, 0 unknown, …`.</summary>
    public static string Summary(ReportInput input)
    {
        var report = input.Report;
        var waived = input.Waived.Count();
        var catalogues = string.Join(", ", ReportInput.Asked(report).Select(c => c.Id));
        var ending = input.Gate is null ? "" : input.Gate.Pass is null ? "; the gate stops" : "; the gate passes";
        return string.Create(CultureInfo.InvariantCulture,
            $"{report.Results.Count} checks of {catalogues}: {report.Count(Verdict.Pass)} pass, {report.Count(Verdict.Fail)} fail, {report.Count(Verdict.Unknown)} unknown, "
            + $"{report.Count(Verdict.NotApplicable)} not applicable, {report.Count(Verdict.Manual)} manual, {waived} waived{ending}");
    }

    static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
