namespace Talos.Checks;

public enum Disposition
{
    /// <summary>The finding stops the gate.</summary>
    Stops = 0,

    /// <summary>The finding is covered by a waiver that holds.</summary>
    Waived,

    /// <summary>The check passed, or a condition that was read shows that it has no object.</summary>
    Clear,

    /// <summary>A person has to look; recorded, does not stop.</summary>
    ForPeople,
}

/// <summary>A check's result with what the gate makes of it.</summary>
public sealed record GateFinding(CheckResult Result, Disposition Disposition, Waiver? Waiver, string Sentence);

/// <summary>Proof that a report passed the gate. Only <see cref="Gate.Judge"/> makes one.</summary>
public sealed class GatePass
{
    internal GatePass(ComplianceReport report, DateOnly day)
    {
        Report = report;
        Day = day;
    }

    public ComplianceReport Report { get; }

    /// <summary>The day for which the waivers' expiry was judged.</summary>
    public DateOnly Day { get; }
}

/// <param name="Pass">Null when something stops the gate.</param>
/// <param name="Problems">What is wrong with the waivers themselves, or with the report as a whole; each stops the gate.</param>
/// <param name="StaleWaivers">Waivers of checks that pass without them; to be removed, they do not stop.</param>
public sealed record GateResult(GatePass? Pass, IReadOnlyList<GateFinding> Findings, IReadOnlyList<string> Problems, IReadOnlyList<Waiver> StaleWaivers)
{
    public IEnumerable<GateFinding> Stopping => Findings.Where(f => f.Disposition == Disposition.Stops);
}

/// <summary>Decides whether what was scanned may ship.</summary>
public static class Gate
{
    // LIMIT: a waiver is a promise to look again; nobody remembers one that runs for longer.
    const int MaxWaiverDays = 400;

    /// <summary>
    /// Fail, Unknown, and NotApplicable without the evidence that shows it, stop unless a waiver covers the check. A waiver that has expired or
    /// runs too long, or that names no check, stops by itself.
    /// </summary>
    public static GateResult Judge(ComplianceReport report, Waivers waivers, DateOnly today)
    {
        var problems = new List<string>();
        if (report.Results.Count == 0) problems.Add("the report holds no check");
        foreach (var error in report.Kernel.Errors) problems.Add(error.ToString());
        foreach (var waiver in waivers.Entries)
            if (ProblemOf(waiver, report, today) is { } problem) problems.Add(problem);
        var findings = report.Results.Select(r => JudgeResult(r, waivers, today)).ToArray();
        var stale = waivers.Entries.Where(w => findings.Any(f => f.Result.Check.Id == w.Id && f.Disposition == Disposition.Clear)).ToArray();
        var passes = problems.Count == 0 && findings.All(f => f.Disposition != Disposition.Stops);
        return new(passes ? new GatePass(report, today) : null, findings, problems, stale);
    }

    static GateFinding JudgeResult(CheckResult result, Waivers waivers, DateOnly today)
    {
        switch (result.Verdict)
        {
            case Verdict.Pass:
                return new(result, Disposition.Clear, null, result.Reason);
            case Verdict.Manual:
                return new(result, Disposition.ForPeople, null, result.Reason);
            case Verdict.NotApplicable when result.Evidence?.Verdict == Verdict.Fail:
                return new(result, Disposition.Clear, null, result.Reason);
            case Verdict.NotApplicable or Verdict.Fail or Verdict.Unknown:
                break;
        }
        var waiver = waivers.For(result.Check.Id);
        if (waiver is null) return new(result, Disposition.Stops, null, result.Reason);
        return waiver.Expiry >= today
            ? new(result, Disposition.Waived, waiver, $"{result.Reason}; waived by {waiver.Owner} until {waiver.Expiry:yyyy-MM-dd}: {waiver.Reason}")
            : new(result, Disposition.Stops, waiver, $"{result.Reason}; the waiver expired on {waiver.Expiry:yyyy-MM-dd}");
    }

    static string? ProblemOf(Waiver waiver, ComplianceReport report, DateOnly today)
    {
        if (report.Catalogues.All(c => c.Find(waiver.Id) is null)) return $"the waiver of `{waiver.Id}` names no check of the scanned catalogues";
        if (waiver.Expiry < today) return $"the waiver of `{waiver.Id}` expired on {waiver.Expiry:yyyy-MM-dd}";
        return waiver.Expiry > today.AddDays(MaxWaiverDays)
            ? $"the waiver of `{waiver.Id}` runs until {waiver.Expiry:yyyy-MM-dd}, more than {MaxWaiverDays} days"
            : null;
    }
}
