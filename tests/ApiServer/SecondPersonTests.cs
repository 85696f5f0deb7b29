using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Talos.Api.Approval.V1;
using Talos.Api.Machine.V1;
using Talos.Audit;
using Xunit;

namespace Talos.Api.Server.Tests;

/// <summary>A policy that wants two people for everything critical, in front of a real server.</summary>
public sealed class SecondPersonTests
{
    [Fact]
    public async Task Denies_until_another_person_approves_and_allows_once()
    {
        using var bundle = new TestBundle().WantsTwoPeople();
        await using var test = await TestHost.StartAsync(policy: bundle.Source);
        var alice = test.As("alice", "os:admin");

        var denied = await Assert.ThrowsAsync<RpcException>(async () => await alice.RebootAsync(new RebootRequest()));

        Assert.Equal((StatusCode.PermissionDenied, "needs_second_person"), (denied.StatusCode, denied.Trailers.GetValue(RefusalException.ReasonTrailer)));
        var bob = Approvals(test, "bob", "os:operator");
        var waiting = Assert.Single((await bob.ListAsync(new Approval.V1.ListRequest())).Requests);
        Assert.Equal(("/talos.machine.v1.MachineService/Reboot", "alice"), (waiting.Method, waiting.RequestedBy));
        Assert.Contains($"osctl approve {waiting.Id}", denied.Trailers.GetValue(RefusalException.HintTrailer), StringComparison.Ordinal);

        await bob.ApproveAsync(new ApproveRequest { Id = waiting.Id });
        await alice.RebootAsync(new RebootRequest());
        Assert.Equal(1, test.Machine.Handled);
        Assert.Empty((await bob.ListAsync(new Approval.V1.ListRequest())).Requests);
        await Assert.ThrowsAsync<RpcException>(async () => await alice.RebootAsync(new RebootRequest()));

        var allowed = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed && e.Details.ContainsKey("approved_by"));
        Assert.Equal(("bob", waiting.Id, "OK"), (allowed.Details["approved_by"], allowed.Details["approval"], allowed.Outcome.Status));
        var approved = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed && e.Method.EndsWith("/Approve", StringComparison.Ordinal));
        Assert.Equal(("bob", "alice"), (approved.Caller.Name, approved.Details["approval_requested_by"]));
        Assert.Equal(waiting.RequestDigest, approved.Details["approval_request_digest"]);
    }

    [Fact]
    public async Task Denies_another_request_than_the_approved_one_and_another_caller()
    {
        using var bundle = new TestBundle().WantsTwoPeople("/talos.machine.v1.MachineService/ServiceRestart");
        await using var test = await TestHost.StartAsync(policy: bundle.Source);
        await Refused(test.As("alice", "os:admin"), "trustd");
        var bob = Approvals(test, "bob", "os:admin");
        var waiting = Assert.Single((await bob.ListAsync(new Approval.V1.ListRequest())).Requests);
        Assert.Equal("trustd", waiting.Fields["id"]);
        await bob.ApproveAsync(new ApproveRequest { Id = waiting.Id });

        await Refused(test.As("alice", "os:admin"), "osd");
        await Refused(test.As("mallory", "os:admin"), "trustd");

        // The handler is not there; that it is reached is what counts.
        var reached = await Assert.ThrowsAsync<RpcException>(
            async () => await test.As("alice", "os:admin").ServiceRestartAsync(new ServiceRestartRequest { Id = "trustd" }));
        Assert.Equal(StatusCode.Unimplemented, reached.StatusCode);
    }

    [Fact]
    public async Task Rejects_ones_own_approval_and_one_of_an_unknown_request()
    {
        using var bundle = new TestBundle().WantsTwoPeople();
        await using var test = await TestHost.StartAsync(policy: bundle.Source);
        await Assert.ThrowsAsync<RpcException>(async () => await test.As("alice", "os:admin").RebootAsync(new RebootRequest()));
        var alice = Approvals(test, "alice", "os:admin");
        var id = (await alice.ListAsync(new Approval.V1.ListRequest())).Requests.Single().Id;

        var own = await Assert.ThrowsAsync<RpcException>(async () => await alice.ApproveAsync(new ApproveRequest { Id = id }));
        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await Approvals(test, "bob", "os:admin").ApproveAsync(new ApproveRequest { Id = "00" }));
        var reader = await Assert.ThrowsAsync<RpcException>(async () => await Approvals(test, "rita", "os:reader").ApproveAsync(new ApproveRequest { Id = id }));

        Assert.Equal("own-request", own.Trailers.GetValue(RefusalException.ReasonTrailer));
        Assert.Equal((StatusCode.NotFound, "no-such-request"), (unknown.StatusCode, unknown.Trailers.GetValue(RefusalException.ReasonTrailer)));
        Assert.Equal("role_not_allowed", reader.Trailers.GetValue(RefusalException.ReasonTrailer));
        Assert.Equal(0, test.Machine.Handled);
    }

    [Fact]
    public async Task Denies_an_approval_whose_roles_do_not_suffice_and_waits_on_for_another()
    {
        // An operator may approve, but only what an operator may do.
        using var bundle = new TestBundle().WantsTwoPeople();
        await using var test = await TestHost.StartAsync(policy: bundle.Source);
        var alice = new Policy.V1.PolicyService.PolicyServiceClient(test.Channel(test.Authority.Person("alice", "os:admin")));
        await Assert.ThrowsAsync<RpcException>(async () => await alice.RestoreAsync(new Policy.V1.RestoreRequest()));
        var id = (await Approvals(test, "otto", "os:operator").ListAsync(new Approval.V1.ListRequest())).Requests.Single().Id;
        await Approvals(test, "otto", "os:operator").ApproveAsync(new ApproveRequest { Id = id });

        var denied = await Assert.ThrowsAsync<RpcException>(async () => await alice.RestoreAsync(new Policy.V1.RestoreRequest()));
        Assert.Contains("the approval of otto does not suffice", denied.Status.Detail, StringComparison.Ordinal);

        await Approvals(test, "bob", "os:admin").ApproveAsync(new ApproveRequest { Id = id });
        Assert.NotEmpty((await alice.RestoreAsync(new Policy.V1.RestoreRequest())).Revision);
    }

    [Fact]
    public async Task Denies_what_was_approved_too_long_ago()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var bundle = new TestBundle().WantsTwoPeople();
        await using var test = await TestHost.StartAsync(time: time, policy: bundle.Source);
        var alice = test.As("alice", "os:admin");
        await Assert.ThrowsAsync<RpcException>(async () => await alice.RebootAsync(new RebootRequest()));
        var bob = Approvals(test, "bob", "os:admin");
        await bob.ApproveAsync(new ApproveRequest { Id = (await bob.ListAsync(new Approval.V1.ListRequest())).Requests.Single().Id });

        time.Advance(ApiLimits.ApprovalLifetime);

        await Assert.ThrowsAsync<RpcException>(async () => await alice.RebootAsync(new RebootRequest()));
        Assert.Equal(0, test.Machine.Handled);
    }

    static async Task Refused(MachineService.MachineServiceClient client, string id)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.ServiceRestartAsync(new ServiceRestartRequest { Id = id }));
        Assert.Equal("needs_second_person", failure.Trailers.GetValue(RefusalException.ReasonTrailer));
    }

    static ApprovalService.ApprovalServiceClient Approvals(TestHost test, string name, string role) => new(test.Channel(test.Authority.Person(name, role)));
}
