namespace Talos.Checks;

/// <param name="Reason">The finding in one sentence.</param>
/// <param name="Evidence">What was read. For NotApplicable the condition that failed; null only for Manual.</param>
public sealed record CheckResult(Check Check, Verdict Verdict, string Reason, Evidence? Evidence);

/// <summary>What the kernel's files say about it. Null with a trouble where they do not say.</summary>
/// <param name="Errors">Files that were named or found and cannot be used.</param>
public sealed record KernelSummary(
    string? Architecture, string ArchitectureTrouble, string? Version, string VersionTrouble, string Compiler, IReadOnlyList<SourceError> Errors);

/// <summary>What a scan found, check by check.</summary>
public sealed class ComplianceReport
{
    internal ComplianceReport(
        string target, ScanTargets kind, DateTimeOffset time, TimeSpan duration, KernelSummary kernel,
        IReadOnlyList<CheckCatalogue> catalogues, IReadOnlyList<CheckResult> results)
    {
        Kernel = kernel;
        Target = target;
        Kind = kind;
        Time = time;
        Duration = duration;
        Catalogues = catalogues;
        Results = results;
    }

    public string Target { get; }

    public ScanTargets Kind { get; }

    public DateTimeOffset Time { get; }

    public TimeSpan Duration { get; }

    public KernelSummary Kernel { get; }

    public IReadOnlyList<CheckCatalogue> Catalogues { get; }

    public IReadOnlyList<CheckResult> Results { get; }

    public int Count(Verdict verdict) => Results.Count(r => r.Verdict == verdict);
}
