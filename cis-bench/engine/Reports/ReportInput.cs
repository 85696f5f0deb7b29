using System.Globalization;

namespace Talos.Checks;

/// <summary>One earlier scan, for the history of a report.</summary>
public sealed record HistoryEntry(DateTimeOffset Time, int Passed, int Failed, int Unknown, int NotApplicable, int Manual);

/// <summary>How a scan ended, as a process tells it. Zero is the only success.</summary>
public enum ScanExit
{
    Pass = 0,
    Fail = 1,

    /// <summary>Nothing failed, but something could not be read.</summary>
    CouldNotTell = 2,
}

/// <summary>What a report is made of: the scan, the gate's judgement where there was one, earlier scans where they are kept.</summary>
public sealed record ReportInput(ComplianceReport Report, GateResult? Gate = null, IReadOnlyList<HistoryEntry>? History = null)
{
    /// <summary>Pass when the gate passed or, without a gate, when nothing failed and everything could be read.</summary>
    public ScanExit Exit
    {
        get
        {
            if (Gate is not null && Gate.Pass is not null) return ScanExit.Pass;
            if (Gate is not null && (Gate.Problems.Count > 0 || Gate.Stopping.Any(f => f.Result.Verdict == Verdict.Fail))) return ScanExit.Fail;
            if (Gate is null && Report.Count(Verdict.Fail) > 0) return ScanExit.Fail;
            return Gate is null && Report.Count(Verdict.Unknown) == 0 && Report.Results.Count > 0 ? ScanExit.Pass : ScanExit.CouldNotTell;
        }
    }

    internal Waiver? WaiverOf(CheckResult result) =>
        Gate?.Findings.FirstOrDefault(f => ReferenceEquals(f.Result, result)) is { Disposition: Disposition.Waived } finding ? finding.Waiver : null;

    /// <summary>The catalogues that the target was asked about.</summary>
    internal static IEnumerable<CheckCatalogue> Asked(ComplianceReport report)
    {
        var ids = report.Results.Select(r => r.Check.Catalogue).ToHashSet();
        return report.Catalogues.Where(c => ids.Contains(c.Id));
    }

    internal static string Word(Verdict verdict) => verdict switch
    {
        Verdict.Unknown => "UNKNOWN",
        Verdict.Pass => "PASS",
        Verdict.Fail => "FAIL",
        Verdict.NotApplicable => "N/A",
        Verdict.Manual => "MANUAL",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "no such verdict"),
    };

    internal static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    internal static string Product => "Talos checks";

    internal static string Version => typeof(ReportInput).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";
}
