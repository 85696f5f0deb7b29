using System.Net;
using System.Reflection;
using Google.Protobuf.Reflection;
using Microsoft.Extensions.Logging.Abstractions;
using Talos.Api.Hosting;
using Talos.Api.Machine.V1;
using Talos.Policy;
using Xunit;

namespace Talos.Api.Server.Tests;

/// <summary>No rule, no start; and every method of the contracts has someone who may call it and someone who may not.</summary>
public sealed class MethodRuleTests
{
    static readonly string[] Roles = ["os:admin", "os:operator", "os:reader", "os:auditor", "os:enroller", "os:node"];

    // Whoever calls these holds a token instead of a certificate, and the handler checks it.
    static readonly HashSet<string> OpenToStrangers =
    [
        "/talos.trust.v1.TrustService/CABundle", "/talos.trust.v1.TrustService/Enroll", "/talos.trust.v1.TrustService/EnrollmentApply",
        "/talos.trust.v1.TrustService/Login", "/talos.trust.v1.TrustService/LoginProvider",
        "/talos.trust.v1.TrustService/IssueClient",
    ];

    public static TheoryData<string> Methods() => [.. typeof(VersionRequest).Assembly.GetTypes()
        .Where(type => type.Name.EndsWith("Reflection", StringComparison.Ordinal))
        .Select(type => (FileDescriptor)type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!)
        .SelectMany(file => file.Services)
        .SelectMany(service => service.Methods.Select(method => $"/{service.FullName}/{method.Name}"))
        .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Accepts_and_denies_each_method_for_someone(string method)
    {
        var authorizer = Authorizer.Create(PolicyBundle.Load(TestHost.BundlePath), [method]);

        Assert.Contains(Roles, role => Decide(authorizer, method, role) == DecisionOutcome.Allow);
        if (OpenToStrangers.Contains(method))
        {
            Assert.Equal(DecisionOutcome.Allow, Decide(authorizer, method, role: null));
            return;
        }
        Assert.Equal(DecisionOutcome.Deny, Decide(authorizer, method, role: null));
        Assert.Equal(DecisionOutcome.Deny, Decide(authorizer, method, "os:nobody"));
    }

    [Fact]
    public async Task Accepts_as_its_methods_exactly_those_of_the_contract()
    {
        await using var test = await TestHost.StartAsync();

        string[] services = ["/talos.approval.v1.", "/talos.audit.v1.", "/talos.machine.v1.", "/talos.policy.v1.", "/talos.relay.v1."];
        Assert.Equal(Methods().Select(row => row.Data).Where(m => services.Any(s => m.StartsWith(s, StringComparison.Ordinal))), test.Host.Methods);
    }

    [Fact]
    public async Task Rejects_a_start_when_no_rule_names_a_method()
    {
        const string missing = "/talos.machine.v1.MachineService/Mounts";
        using var bundle = new TestBundle().Without(missing);
        await using var test = await TestHost.StartAsync();
        await using var host = ApiHost.Create(
            new ApiHostOptions
            {
                Listen = new IPEndPoint(IPAddress.Loopback, 0),
                Trust = test.Slot,
                Node = new NodeDescription("demo", "cp-1", "controlplane"),
                Policy = PolicyInForce.Open(bundle.Source),
                Audit = test.Log,
                Log = NullLoggerProvider.Instance,
            },
            new ApiServices().Add(new TestMachine()));

        var failure = await Assert.ThrowsAsync<PolicyException>(() => host.StartAsync());

        Assert.Equal([missing], failure.Methods);
        Assert.Contains(missing, failure.Message, StringComparison.Ordinal);
    }

    static DecisionOutcome Decide(Authorizer authorizer, string method, string? role)
    {
        var now = DateTimeOffset.UtcNow;
        return authorizer.Decide(new AuthorizationInput
        {
            Caller = role is null
                ? AuthorizationCaller.Anonymous("192.0.2.1")
                : AuthorizationCaller.Named("ada", [role], "01", "spiffe://demo/user/ada", now, now.AddHours(1), "192.0.2.1"),
            Method = method,
            RevocationAge = TimeSpan.Zero,
            Time = now,
        }).Outcome;
    }
}
