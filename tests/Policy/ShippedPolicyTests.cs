using Xunit;

namespace Talos.Policy.Tests;

public sealed class ShippedPolicyTests
{
    static readonly Authorizer Authorizer = Authorizer.Create(Shipped.Bundle, Shipped.Methods);

    [Fact]
    public void Accepts_its_own_tests()
    {
        PolicyTestReport report = PolicyTest.Run(Shipped.BundlePath);
        Assert.True(report.IsSuccess, string.Join('\n', report.Results.Where(r => r.Outcome != PolicyTestOutcome.Passed)));
        Assert.True(report.Results.Count >= 12);
        Assert.All(report.Coverage, c => Assert.True(c.Percent >= 95, $"{c.File}: {c.Percent:F0} % covered, not lines {string.Join(", ", c.NotCovered)}"));
    }

    [Fact]
    public void Accepts_and_denies_every_method_once_at_least()
    {
        var always = new List<string>();
        foreach (string method in Shipped.Methods)
        {
            bool allowed = Authorizer.Rules.Table.Roles.Any(r => Authorizer.Decide(Shipped.Input(method, r)).Outcome == DecisionOutcome.Allow);
            bool denied = Authorizer.Rules.Table.Roles.Any(r => Authorizer.Decide(Shipped.Input(method, r)).Outcome == DecisionOutcome.Deny);
            Assert.True(allowed, $"nobody may call {method}");
            if (!denied) always.Add(method[(method.LastIndexOf('/') + 1)..]);
        }
        // The methods that check a token of their own or wait for a person, and the renewal of one's own certificate.
        Assert.Subset(new HashSet<string> { "CABundle", "Enroll", "EnrollmentApply", "IssueClient", "Login", "LoginProvider", "Renew" }, new HashSet<string>(always));
    }

    // The table answers from what an evaluation proved; here both are asked, over the whole product.
    [Fact]
    public void Accepts_the_table_as_equal_to_evaluation_for_every_method_role_set_and_attestation()
    {
        string[] roles = Authorizer.Rules.Table.Roles;
        Assert.InRange(roles.Length, 5, 8);
        int compared = 0;
        foreach (string method in Shipped.Methods)
        {
            for (int set = -1; set < 1 << roles.Length; set++)
            {
                AuthorizationCaller caller = set < 0 ? AuthorizationCaller.Anonymous("192.0.2.1") : Shipped.Caller([.. roles.Where((_, i) => (set >> i & 1) != 0)]);
                foreach (AttestationState state in Enum.GetValues<AttestationState>())
                {
                    var input = new AuthorizationInput { RevocationAge = TimeSpan.Zero, Caller = caller, Method = method, Time = Shipped.Now, Node = new AuthorizationNode { Attested = state } };
                    Decision table = Authorizer.Decide(input), again = Authorizer.Decide(input), evaluated = Authorizer.Rules.Evaluate(input);
                    Assert.Same(table, again);
                    Assert.Equal((evaluated.Outcome, evaluated.ReasonId, evaluated.Sentence, evaluated.Rule, evaluated.RecordMode), (table.Outcome, table.ReasonId, table.Sentence, table.Rule, table.RecordMode));
                    Assert.Equal(evaluated.LoggableFields, table.LoggableFields);
                    compared++;
                }
            }
        }
        Assert.Equal(Shipped.Methods.Length * ((1 << roles.Length) + 1) * 3, compared);
    }

    [Fact]
    public void Accepts_a_known_decision_without_allocating()
    {
        AuthorizationInput input = Shipped.Input("/talos.machine.v1.MachineService/Version", "os:reader");
        Authorizer.Decide(input);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) Authorizer.Decide(input);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Denies_a_role_that_the_bundle_does_not_know()
    {
        Decision decision = Authorizer.Decide(Shipped.Input("/talos.machine.v1.MachineService/Version", "team:blue"));
        Assert.Equal((DecisionOutcome.Deny, "role_not_allowed"), (decision.Outcome, decision.ReasonId));
    }

    [Fact]
    public void Denies_a_node_certificate_with_other_roles()
    {
        Decision decision = Authorizer.Decide(Shipped.Input("/talos.machine.v1.MachineService/Reboot", "os:admin", "os:node"));
        Assert.Equal((DecisionOutcome.Deny, "node_with_other_roles"), (decision.Outcome, decision.ReasonId));
    }

    [Fact]
    public void Accepts_an_explanation_that_names_rule_and_values()
    {
        Explanation explanation = Authorizer.Explain(Shipped.Input("/talos.machine.v1.MachineService/Reboot", "os:operator"));
        Assert.Equal(DecisionOutcome.Allow, explanation.Decision.Outcome);
        Assert.Contains(explanation.Rules, r => r.Rule == "data.talos.authz.granted" && r.File == "talos/authz/authz.rego" && r.Line > 0);
        Assert.Contains(explanation.Reads, r => r is { Path: "input.caller.roles", Value: "[\"os:operator\"]" });
        Assert.DoesNotContain(explanation.Reads, r => r.Path == "input.request");
    }
}
