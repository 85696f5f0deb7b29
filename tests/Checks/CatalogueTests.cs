using Talos.Checks;
using Talos.Checks.Probes;
using Talos.Checks.Rules;
using Talos.CisBench;
using Talos.Kspp;
using Xunit;

namespace Talos.Checks.Tests;

/// <summary>Every shipped check, one by one: facts that make it pass, facts that make it fail, and no facts at all.</summary>
public class CatalogueTests
{
    static readonly CheckCatalogue[] All =
        [KsppCatalogue.Load(), CisCatalogues.Image, CisCatalogues.Node, CisCatalogues.Linux, CisCatalogues.Kubernetes];

    public static TheoryData<string> Ids() => [.. All.SelectMany(c => c.Checks).Where(c => c.RuleText.Length > 0).Select(c => c.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Accepts_and_rejects_what_the_check_is_about(string id)
    {
        var check = All.Select(c => c.Find(id)).First(c => c is not null)!;
        Assert.Equal(Verdict.Pass, Evaluate(check, RuleSolver.Solve(check.Rule!, Verdict.Pass)));
        Assert.Equal(Verdict.Fail, Evaluate(check, RuleSolver.Solve(check.Rule!, Verdict.Fail)));
        // Nothing was preset, so every probe answers that it cannot read.
        Assert.Equal(Verdict.Unknown, Evaluate(check, RuleSolver.Unreadable(check.Rule!)));
        if (check.Condition is null) return;
        Assert.Equal(Verdict.Pass, Evaluate(check.Condition, RuleSolver.Solve(check.Condition, Verdict.Pass)));
        Assert.Equal(Verdict.Fail, Evaluate(check.Condition, RuleSolver.Solve(check.Condition, Verdict.Fail)));
        Assert.Equal(Verdict.Unknown, Evaluate(check.Condition, RuleSolver.Unreadable(check.Condition)));
    }

    [Fact]
    public void Accepts_only_checks_that_say_everything()
    {
        foreach (var check in All.SelectMany(c => c.Checks))
        {
            Assert.True(check.Citation.Length > 8, $"{check.Id} cites nothing");
            Assert.True(check.Title.Length > 5 && check.Rationale.Length > 8 && check.Remediation.Length > 5, $"{check.Id} explains nothing");
            Assert.True(check.RuleText.Length > 0 || check.Manual is not null, $"{check.Id} decides nothing");
            foreach (var fact in check.Rule?.FactRules() ?? [])
                Assert.True((fact.Probe.Targets & check.Targets) == check.Targets, $"{check.Id} asks `{fact.Probe.Name}` of a target that has no such fact");
        }
    }

    [Fact]
    public void Accepts_no_id_twice_in_all_catalogues()
    {
        var ids = All.SelectMany(c => c.Checks).Select(c => c.Id).ToArray();
        Assert.Equal(ids.Length, ids.Distinct().Count());
    }

    [Fact]
    public void Accepts_every_recommendation_of_the_kubernetes_benchmark()
    {
        var wanted = File.ReadAllLines(Vectors.Of("cis-kubernetes-1.12.tsv")).Select(l => l.Split('\t')).Where(f => f.Length > 2 && char.IsAsciiDigit(f[0].FirstOrDefault())).ToArray();
        Assert.Equal(131, wanted.Length);
        Assert.Equal(wanted.Select(f => $"cis-kubernetes.{f[0]}"), CisCatalogues.Kubernetes.Checks.Select(c => c.Id));
        // What the benchmark automates we decide by machine too.
        foreach (var row in wanted.Where(f => f[2] == "automated")) Assert.NotEmpty(CisCatalogues.Kubernetes.Find($"cis-kubernetes.{row[0]}")!.RuleText);
    }

    [Fact]
    public void Accepts_at_least_the_promised_number_of_linux_checks() =>
        Assert.True(CisCatalogues.Linux.Checks.Count(c => c.RuleText.Length > 0) >= 150);

    static Verdict Evaluate(Check check, FactStore facts) => Evaluate(check.Rule!, facts);

    static Verdict Evaluate(Rule rule, FactStore facts) => rule.Evaluate(facts).Verdict;
}
