using Xunit;

namespace Talos.Policy.Tests;

public sealed class AuthorizerTests
{
    const string Reboot = "/talos.machine.v1.MachineService/Reboot";

    static readonly Authorizer Authorizer = Authorizer.Create(Shipped.Bundle, Shipped.Methods);

    [Fact]
    public void Accepts_every_method_of_the_contracts() => Assert.True(Shipped.Methods.Length >= 30, string.Join('\n', Shipped.Methods));

    [Fact]
    public void Rejects_a_method_without_a_rule_by_name()
    {
        PolicyException e = Assert.Throws<PolicyException>(() => Authorizer.Create(Shipped.Bundle, [Reboot, "/talos.machine.v1.MachineService/Wipe"]));
        Assert.Equal(["/talos.machine.v1.MachineService/Wipe"], e.Methods);
    }

    [Theory]
    [InlineData("os:admin", true)]
    [InlineData("os:operator", true)]
    [InlineData("os:reader", false)]
    [InlineData("os:auditor", false)]
    [InlineData("os:enroller", false)]
    [InlineData("os:node", false)]
    [InlineData("team:blue", false)]
    public void Denies_reboot_to_all_but_admin_and_operator(string role, bool allowed)
    {
        Decision decision = Authorizer.Decide(Shipped.Input(Reboot, role));
        Assert.Equal(allowed ? DecisionOutcome.Allow : DecisionOutcome.Deny, decision.Outcome);
        Assert.Equal(allowed ? "role_allowed" : "role_not_allowed", decision.ReasonId);
        Assert.Equal(Shipped.Bundle.Revision, decision.Revision);
    }

    [Fact]
    public void Denies_the_anonymous_caller_all_but_six_methods()
    {
        string[] open = [.. Shipped.Methods.Where(m => Authorizer.Decide(new() { RevocationAge = TimeSpan.Zero, Caller = AuthorizationCaller.Anonymous("192.0.2.9"), Method = m, Time = Shipped.Now }).Outcome == DecisionOutcome.Allow)];
        Assert.Equal(["/talos.trust.v1.TrustService/CABundle", "/talos.trust.v1.TrustService/Enroll", "/talos.trust.v1.TrustService/EnrollmentApply", "/talos.trust.v1.TrustService/IssueClient", "/talos.trust.v1.TrustService/Login", "/talos.trust.v1.TrustService/LoginProvider"], open);
    }

    [Fact]
    public void Denies_a_method_that_no_rule_names()
    {
        Decision decision = Authorizer.Decide(Shipped.Input("/talos.machine.v1.MachineService/Wipe", "os:admin"));
        Assert.Equal((DecisionOutcome.Deny, "no_rule"), (decision.Outcome, decision.ReasonId));
    }
}
