namespace Talos.Checks;

/// <summary>A check's result as another machine told it.</summary>
/// <param name="Facts">What was read there; none for a manual check.</param>
public sealed record RecordedResult(
    string Id, string Catalogue, string Section, string Title, int Level, string Citation, string Rationale, string Remediation, string Rule,
    Verdict Verdict, string Finding, IReadOnlyList<Evidence> Facts);

/// <summary>A catalogue as another machine names it.</summary>
public sealed record RecordedCatalogue(string Id, string Title, string Version, string Source);

/// <summary>
/// Makes a report of what a node told, so that it can be written and judged like one made here. The results are the node's word: no rule
/// is evaluated again.
/// </summary>
public static class RecordedReport
{
    /// <param name="known">Catalogues that were not asked: a waiver of one of their checks is no waiver of nothing.</param>
    public static ComplianceReport Make(
        string target, DateTimeOffset time, TimeSpan duration, KernelSummary kernel, IReadOnlyList<RecordedCatalogue> catalogues,
        IReadOnlyList<RecordedResult> results, IReadOnlyList<CheckCatalogue> known)
    {
        var made = results.Select(Result).ToArray();
        return new(target, ScanTargets.Node, time, duration, kernel,
            [.. catalogues.Select(c => CheckCatalogue.Recorded(c, [.. made.Select(r => r.Check).Where(k => k.Catalogue == c.Id)])),
                .. known.Where(k => catalogues.All(c => c.Id != k.Id))], made);
    }

    static CheckResult Result(RecordedResult told)
    {
        var check = new Check
        {
            Id = told.Id,
            Catalogue = told.Catalogue,
            SectionId = told.Section,
            SectionTitle = told.Section,
            Title = told.Title,
            Level = told.Level,
            Authority = told.Catalogue,
            Citation = told.Citation,
            Rationale = told.Rationale,
            Remediation = told.Remediation,
            Targets = ScanTargets.Node,
            Architectures = [],
            Manual = told.Rule.Length == 0 ? told.Finding : null,
            RuleText = told.Rule,
        };
        // INVARIANT: NotApplicable counts as shown only under evidence of a condition that failed; without facts there is no such evidence.
        var verdict = told.Verdict == Verdict.NotApplicable && told.Facts.Count > 0 ? Verdict.Fail : told.Verdict;
        var evidence = told.Facts.Count == 0 ? null : Evidence.OfParts(EvidenceKind.All, verdict, told.Finding, told.Facts);
        return new(check, told.Verdict, told.Finding, evidence);
    }
}
