namespace Talos.Checks;

/// <summary>What one catalogue said, in numbers. A finding under a waiver that holds counts as waived and not as failed or unknown.</summary>
public sealed record CatalogueSum(string Catalogue, int Passed, int Failed, int Unknown, int Waived, int NotApplicable, int Manual)
{
    /// <summary>Pass only when nothing failed and everything could be read; Unknown when something could not and nothing failed.</summary>
    public Verdict Verdict => Failed > 0 ? Verdict.Fail : Unknown > 0 || Passed + NotApplicable + Manual + Waived == 0 ? Verdict.Unknown : Verdict.Pass;

    /// <summary>The sums of a report, catalogue by catalogue, in the order of the report.</summary>
    public static IReadOnlyList<CatalogueSum> Of(ComplianceReport report, Waivers waivers, DateOnly today) =>
        [.. report.Results.GroupBy(r => r.Check.Catalogue).Select(g => Of(g.Key, g, waivers, today))];

    /// <summary>The same over all that was checked.</summary>
    public static CatalogueSum OfAll(ComplianceReport report, Waivers waivers, DateOnly today) => Of("", report.Results, waivers, today);

    static CatalogueSum Of(string catalogue, IEnumerable<CheckResult> results, Waivers waivers, DateOnly today)
    {
        var (passed, failed, unknown, waived, notApplicable, manual) = (0, 0, 0, 0, 0, 0);
        foreach (var result in results)
            switch (result.Verdict)
            {
                case Verdict.Pass: passed++; break;
                case Verdict.NotApplicable: notApplicable++; break;
                case Verdict.Manual: manual++; break;
                case Verdict.Fail or Verdict.Unknown when waivers.Covering(result, today) is not null: waived++; break;
                case Verdict.Fail: failed++; break;
                case Verdict.Unknown: unknown++; break;
            }
        return new(catalogue, passed, failed, unknown, waived, notApplicable, manual);
    }
}
