using System.Globalization;

namespace Talos.Checks;

/// <summary>One earlier scan, for the history of a report.</summary>
/// <param name="Cause">Why it was made: `start`, `interval`, `request`, or the change that made it.</param>
/// <param name="Sum">Over all catalogues.</param>
public sealed record HistoryEntry(DateTimeOffset Time, string Cause, CatalogueSum Sum);

/// <summary>How a scan ended, as a process tells it. Zero is the only success.</summary>
public enum ScanExit
{
    Pass = 0,
    Fail = 1,

    /// <summary>Nothing failed, but something could not be read.</summary>
    CouldNotTell = 2,
}

/// <summary>What a report is made of: the scan, the gate's judgement where there was one, earlier scans where they are kept.</summary>
/// <param name="Changes">What changed on a node since its monitor started, oldest first; null where nobody watches.</param>
/// <param name="Told">Without a gate: findings that a node says are waived by its image, by the id of the check.</param>
public sealed record ReportInput(
    ComplianceReport Report, GateResult? Gate = null, IReadOnlyList<HistoryEntry>? History = null, IReadOnlyDictionary<string, Waiver>? Told = null,
    IReadOnlyList<Drift>? Changes = null)
{
    /// <summary>Pass when the gate passed or, without a gate, when nothing failed and everything could be read.</summary>
    public ScanExit Exit
    {
        get
        {
            if (Gate is not null && Gate.Pass is not null) return ScanExit.Pass;
            if (Gate is not null && (Gate.Problems.Count > 0 || Gate.Stopping.Any(f => f.Result.Verdict == Verdict.Fail))) return ScanExit.Fail;
            if (Gate is null && Open(Verdict.Fail) > 0) return ScanExit.Fail;
            return Gate is null && Open(Verdict.Unknown) == 0 && Report.Results.Count > 0 ? ScanExit.Pass : ScanExit.CouldNotTell;
        }
    }

    internal Waiver? WaiverOf(CheckResult result) => result.Verdict is not (Verdict.Fail or Verdict.Unknown or Verdict.NotApplicable)
        ? null
        : Gate is null
            ? Told?.GetValueOrDefault(result.Check.Id)
            : Gate.Findings.FirstOrDefault(f => ReferenceEquals(f.Result, result)) is { Disposition: Disposition.Waived } finding ? finding.Waiver : null;

    /// <summary>Findings under a waiver that holds.</summary>
    internal IEnumerable<(CheckResult Result, Waiver Waiver)> Waived =>
        Report.Results.Select(r => (Result: r, Waiver: WaiverOf(r))).Where(f => f.Waiver is not null).Select(f => (f.Result, f.Waiver!));

    /// <summary>Findings of a verdict that no waiver covers.</summary>
    internal int Open(Verdict verdict) => Report.Results.Count(r => r.Verdict == verdict && WaiverOf(r) is null);

    /// <summary>The catalogues that the target was asked about.</summary>
    internal static IEnumerable<CheckCatalogue> Asked(ComplianceReport report)
    {
        var ids = report.Results.Select(r => r.Check.Catalogue).ToHashSet();
        return report.Catalogues.Where(c => ids.Contains(c.Id));
    }

    /// <summary>A verdict as reports print it.</summary>
    public static string Word(Verdict verdict) => verdict switch
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
