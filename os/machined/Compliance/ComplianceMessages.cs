using Google.Protobuf.WellKnownTypes;
using Talos.Api.Compliance.V1;
using Talos.Checks;
using Wire = Talos.Api.Compliance.V1;

namespace Talos.Machined.Compliance;

/// <summary>What the engine found, as messages.</summary>
static class ComplianceMessages
{
    // LIMIT: what is told of drift that has not returned; the number of all is told too.
    const int MaxOpen = 256;

    internal static ReportResponse Describe(ComplianceReport report, Waivers waivers, DateOnly today)
    {
        var ids = report.Results.Select(r => r.Check.Catalogue).ToHashSet();
        return new ReportResponse
        {
            Time = report.Time.ToTimestamp(),
            Duration = report.Duration.ToDuration(),
            Kernel = new Kernel { Architecture = report.Kernel.Architecture ?? "", Version = report.Kernel.Version ?? "", Compiler = report.Kernel.Compiler },
            Benchmarks = { report.Catalogues.Where(c => ids.Contains(c.Id)).Select(c => new Benchmark { Id = c.Id, Title = c.Title, Version = c.Version, Source = c.Source }) },
            Results = { report.Results.Select(r => Describe(r, waivers.Covering(r, today))) },
        };
    }

    internal static WatchResponse Describe(MonitorEvent news) => new()
    {
        Standing = Describe(news.Standing),
        Drift = news.Change is { } change ? Describe(change) : null,
    };

    internal static Wire.Drift Describe(Checks.Drift drift)
    {
        var message = new Wire.Drift
        {
            Sequence = drift.Sequence,
            Time = drift.Time.ToTimestamp(),
            Kind = Translate(drift.Kind),
            Subject = drift.Subject,
            Returned = drift.Returned,
            Checks = { drift.Checks },
            Sentence = drift.Sentence,
        };
        if (drift.Before is { } before) message.Before = before;
        if (drift.After is { } after) message.After = after;
        return message;
    }

    internal static Scan Describe(HistoryEntry entry) => new()
    {
        Time = entry.Time.ToTimestamp(),
        Cause = entry.Cause,
        Passed = (uint)entry.Sum.Passed,
        Failed = (uint)entry.Sum.Failed,
        Unknown = (uint)entry.Sum.Unknown,
        Waived = (uint)entry.Sum.Waived,
        NotApplicable = (uint)entry.Sum.NotApplicable,
        Manual = (uint)entry.Sum.Manual,
    };

    internal static HistoryEntry Read(Scan scan) => new(
        scan.Time.ToDateTimeOffset(), scan.Cause,
        new("", (int)scan.Passed, (int)scan.Failed, (int)scan.Unknown, (int)scan.Waived, (int)scan.NotApplicable, (int)scan.Manual));

    static Wire.Standing Describe(Checks.Standing standing) => new()
    {
        Monitor = standing.Monitor,
        Sequence = standing.Sequence,
        Since = standing.Since.ToTimestamp(),
        Open = { standing.Open.Take(MaxOpen).Select(Describe) },
        OpenCount = (uint)standing.Open.Count,
        Scanned = standing.Scanned.ToTimestamp(),
        Sums = { standing.Sums.Select(Describe) },
    };

    static BenchmarkSum Describe(CatalogueSum sum) => new()
    {
        Benchmark = sum.Catalogue,
        Passed = (uint)sum.Passed,
        Failed = (uint)sum.Failed,
        Unknown = (uint)sum.Unknown,
        Waived = (uint)sum.Waived,
        NotApplicable = (uint)sum.NotApplicable,
        Manual = (uint)sum.Manual,
    };

    static Wire.CheckResult Describe(Checks.CheckResult result, Checks.Waiver? waiver) => new()
    {
        Id = result.Check.Id,
        Benchmark = result.Check.Catalogue,
        Title = result.Check.Title,
        Verdict = Translate(result.Verdict),
        Evidence = result.Reason,
        Remediation = result.Check.Remediation,
        Waiver = waiver is null ? null : new Wire.Waiver { Reason = waiver.Reason, Owner = waiver.Owner, Expiry = $"{waiver.Expiry:yyyy-MM-dd}" },
        Section = result.Check.SectionTitle,
        Level = (uint)result.Check.Level,
        Citation = result.Check.Citation,
        Rationale = result.Check.Rationale,
        Rule = result.Check.RuleText,
        Facts = { (result.Evidence?.Facts() ?? []).Select(Describe) },
    };

    static Wire.Fact Describe(Evidence fact)
    {
        var message = new Wire.Fact
        {
            Probe = fact.Probe,
            Subject = fact.Subject,
            Operator = fact.Operator,
            Operand = fact.Operand,
            Source = fact.Source,
            Verdict = Translate(fact.Verdict),
        };
        if (fact.Observed is { } observed) message.Observed = observed;
        return message;
    }

    static Wire.DriftKind Translate(Checks.DriftKind kind) => kind switch
    {
        Checks.DriftKind.Unknown => Wire.DriftKind.Unknown,
        Checks.DriftKind.Sysctl => Wire.DriftKind.Sysctl,
        Checks.DriftKind.Mount => Wire.DriftKind.Mount,
        Checks.DriftKind.Module => Wire.DriftKind.Module,
        Checks.DriftKind.Mode => Wire.DriftKind.Mode,
        Checks.DriftKind.Port => Wire.DriftKind.Port,
        Checks.DriftKind.Verdict => Wire.DriftKind.Verdict,
    };

    static Wire.Verdict Translate(Checks.Verdict verdict) => verdict switch
    {
        Checks.Verdict.Unknown => Wire.Verdict.Unknown,
        Checks.Verdict.Pass => Wire.Verdict.Pass,
        Checks.Verdict.Fail => Wire.Verdict.Fail,
        Checks.Verdict.NotApplicable => Wire.Verdict.NotApplicable,
        Checks.Verdict.Manual => Wire.Verdict.Manual,
    };
}
