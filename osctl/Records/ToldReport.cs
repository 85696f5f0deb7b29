using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Talos.Api.Compliance.V1;
using Talos.Checks;
using Wire = Talos.Api.Compliance.V1;

namespace Talos.Osctl.Records;

/// <summary>A node's own report, in the form in which reports are written and judged.</summary>
static class ToldReport
{
    /// <param name="level">Checks of higher levels are left out.</param>
    /// <param name="known">Catalogues that this osctl knows.</param>
    /// <param name="waived">What the node says its image waives, by the id of the check.</param>
    public static ComplianceReport Read(string node, ReportResponse told, int level, IReadOnlyList<CheckCatalogue> known, out IReadOnlyDictionary<string, Talos.Checks.Waiver> waived)
    {
        var results = told.Results.Where(r => r.Level <= level).ToArray();
        waived = results.Where(r => r.Waiver is not null).ToDictionary(r => r.Id, r => Read(r.Id, r.Waiver));
        var kernel = new KernelSummary(Known(told.Kernel?.Architecture), "", Known(told.Kernel?.Version), "", told.Kernel?.Compiler ?? "", []);
        return RecordedReport.Make(
            node, told.Time.ToDateTimeOffset(), (told.Duration ?? new Duration()).ToTimeSpan(), kernel,
            [.. told.Benchmarks.Select(b => new RecordedCatalogue(b.Id, b.Title, b.Version, b.Source))], [.. results.Select(Read)], known);
    }

    public static IReadOnlyList<HistoryEntry> Read(HistoryResponse told) => [.. told.Scans.Select(s => new HistoryEntry(
        s.Time.ToDateTimeOffset(), s.Cause, new("", (int)s.Passed, (int)s.Failed, (int)s.Unknown, (int)s.Waived, (int)s.NotApplicable, (int)s.Manual)))];

    public static IReadOnlyList<Talos.Checks.Drift> ReadChanges(HistoryResponse told) => [.. told.Changes.Select(d => new Talos.Checks.Drift(
        d.Time.ToDateTimeOffset(), Read(d.Kind), d.Subject, d.HasBefore ? d.Before : null, d.HasAfter ? d.After : null, d.Returned, d.Checks))];

    static Talos.Checks.DriftKind Read(Wire.DriftKind kind) => kind switch
    {
        Wire.DriftKind.Sysctl => Talos.Checks.DriftKind.Sysctl,
        Wire.DriftKind.Mount => Talos.Checks.DriftKind.Mount,
        Wire.DriftKind.Module => Talos.Checks.DriftKind.Module,
        Wire.DriftKind.Mode => Talos.Checks.DriftKind.Mode,
        Wire.DriftKind.Port => Talos.Checks.DriftKind.Port,
        Wire.DriftKind.Verdict => Talos.Checks.DriftKind.Verdict,
        // The zero value, and whatever a node newer than this osctl may say.
        _ => Talos.Checks.DriftKind.Unknown,
    };

    static Talos.Checks.Waiver Read(string id, Wire.Waiver waiver) => new(
        id, waiver.Reason, waiver.Owner, DateOnly.TryParseExact(waiver.Expiry, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : default, "", 0);

    static RecordedResult Read(Wire.CheckResult r) => new(
        r.Id, r.Benchmark, r.Section, r.Title, (int)r.Level, r.Citation, r.Rationale, r.Remediation, r.Rule, Read(r.Verdict), r.Evidence, [.. r.Facts.Select(Read)]);

    static Evidence Read(Wire.Fact f) => new(
        EvidenceKind.Fact, Read(f.Verdict), f.Probe, f.Subject, f.Operator, f.Operand, f.HasObserved ? f.Observed : null, f.Source, "", []);

    static Talos.Checks.Verdict Read(Wire.Verdict verdict) => verdict switch
    {
        Wire.Verdict.Pass => Talos.Checks.Verdict.Pass,
        Wire.Verdict.Fail => Talos.Checks.Verdict.Fail,
        Wire.Verdict.NotApplicable => Talos.Checks.Verdict.NotApplicable,
        Wire.Verdict.Manual => Talos.Checks.Verdict.Manual,
        // The zero value, and whatever a node newer than this osctl may say.
        _ => Talos.Checks.Verdict.Unknown,
    };

    static string? Known(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
