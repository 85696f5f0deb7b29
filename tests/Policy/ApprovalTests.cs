using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Talos.Policy.Tests;

public sealed class ApprovalTests
{
    readonly FakeTimeProvider _clock = new(Shipped.Now);
    readonly ApprovalBook _book;

    public ApprovalTests() => _book = new ApprovalBook(_clock, TimeSpan.FromMinutes(5));

    IReadOnlyList<Approval> Take(string caller = "alice", string node = "n1", byte body = 1) => _book.Take("/x/Wipe", node, caller, [body]);

    PendingApproval Request() => _book.Request("/x/Wipe", "n1", "alice", [1])!;

    [Fact]
    public void Accepts_an_approval_once_for_exactly_that_request()
    {
        PendingApproval pending = Request();
        Assert.Equal(pending, Request());
        Assert.Empty(Take());
        Assert.Equal(ApprovalOutcome.Accepted, _book.Approve(pending.Id, "bob", ["os:admin"]));
        Assert.Empty(Take(caller: "mallory"));
        Assert.Empty(Take(node: "n2"));
        Assert.Empty(Take(body: 2));
        Assert.Equal("bob", Assert.Single(Take()).By);
        Assert.Empty(Take());
    }

    [Fact]
    public void Rejects_own_unknown_second_and_late_approvals()
    {
        PendingApproval pending = Request();
        Assert.Equal(ApprovalOutcome.OwnRequest, _book.Approve(pending.Id, "alice", ["os:admin"]));
        Assert.Equal(ApprovalOutcome.Unknown, _book.Approve("0000", "bob", ["os:admin"]));
        Assert.Equal(ApprovalOutcome.Accepted, _book.Approve(pending.Id, "bob", ["os:admin"]));
        Assert.Equal(ApprovalOutcome.AlreadyApproved, _book.Approve(pending.Id, "carol", ["os:admin"]));
        _clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Empty(Take());
        PendingApproval late = Request();
        _clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(ApprovalOutcome.Expired, _book.Approve(late.Id, "bob", ["os:admin"]));
    }

    [Fact]
    public void Denies_until_approved_and_allows_then()
    {
        string folder = Directory.CreateTempSubdirectory("talos-approval-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "talos", "authz"));
            File.Copy(Path.Combine(Shipped.BundlePath, "talos", "authz", "authz.rego"), Path.Combine(folder, "talos", "authz", "authz.rego"));
            File.WriteAllText(Path.Combine(folder, "talos", "authz", "data.json"), """{"methods": {"/x/Wipe": {"roles": ["os:admin"], "record": "fail_closed", "second_person": true}}}""");
            var authorizer = Authorizer.Create(PolicyBundle.Load(folder), ["/x/Wipe"]);
            AuthorizationInput Input() => new() { Caller = Shipped.Caller("os:admin"), Method = "/x/Wipe", Time = _clock.GetUtcNow(), Approvals = Take() };
            Decision first = authorizer.Decide(Input());
            Assert.Equal("needs_second_person", first.ReasonId);
            Assert.Equal(Obligation.SecondPerson, Assert.Single(first.Obligations).Id);
            _book.Approve(Request().Id, "bob", ["os:admin"]);
            Assert.Equal(DecisionOutcome.Allow, authorizer.Decide(Input()).Outcome);
            Assert.Equal(DecisionOutcome.Deny, authorizer.Decide(Input()).Outcome);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }
}
