using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Talos.Policy.Tests;

public sealed class ApprovalTests
{
    readonly FakeTimeProvider _clock = new(Shipped.Now);
    readonly ApprovalBook _book;

    public ApprovalTests() => _book = new ApprovalBook(_clock, TimeSpan.FromMinutes(5));

    static ApprovalRequest Wipe(string caller = "alice", string node = "n1", byte body = 1) =>
        new("/x/Wipe", node, caller, ["os:admin"], new byte[] { body }, new Dictionary<string, string> { ["disk"] = "sda" });

    IReadOnlyList<Approval> Take(string caller = "alice", string node = "n1", byte body = 1) => _book.Take(Wipe(caller, node, body))?.Approvals ?? [];

    PendingApproval Request() => _book.Request(Wipe())!;

    ApprovalOutcome Approve(string id, string by) => _book.Approve(id, by, ["os:admin"], out _);

    [Fact]
    public void Accepts_an_approval_once_for_exactly_that_request()
    {
        PendingApproval pending = Request();
        Assert.Equal(pending, Request());
        Assert.Empty(Take());
        Assert.Equal(ApprovalOutcome.Accepted, Approve(pending.Id, "bob"));
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
        Assert.Equal(ApprovalOutcome.OwnRequest, Approve(pending.Id, "alice"));
        Assert.Equal(ApprovalOutcome.Unknown, Approve("0000", "bob"));
        Assert.Equal(ApprovalOutcome.Accepted, Approve(pending.Id, "bob"));
        Assert.Equal(ApprovalOutcome.AlreadyApproved, Approve(pending.Id, "bob"));
        Assert.Equal(ApprovalOutcome.Accepted, Approve(pending.Id, "carol"));
        _clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Empty(Take());
        PendingApproval late = Request();
        _clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(ApprovalOutcome.Expired, Approve(late.Id, "bob"));
    }

    [Fact]
    public void Accepts_approvals_that_did_not_suffice_back_and_keeps_them_under_their_id()
    {
        PendingApproval pending = Request();
        Approve(pending.Id, "bob");
        TakenApprovals taken = _book.Take(Wipe())!;
        Assert.Empty(_book.List());
        _book.GiveBack(taken);
        Assert.Equal((pending.Id, "bob"), (Assert.Single(_book.List()).Id, Assert.Single(_book.List()[0].ApprovedBy)));
        Approve(pending.Id, "carol");
        Assert.Equal(["bob", "carol"], Take().Select(a => a.By));
    }

    [Fact]
    public void Rejects_to_keep_more_than_its_limits()
    {
        for (byte i = 0; i < 32; i++) Assert.NotNull(_book.Request(Wipe(body: i)));
        Assert.Null(_book.Request(Wipe(body: 32)));
        Assert.NotNull(_book.Request(Wipe(caller: "bob", body: 32)));
        _clock.Advance(TimeSpan.FromMinutes(5));
        Assert.NotNull(_book.Request(Wipe(body: 32)));
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
            AuthorizationInput Input() => new() { RevocationAge = TimeSpan.Zero, Caller = Shipped.Caller("os:admin"), Method = "/x/Wipe", Time = _clock.GetUtcNow(), Approvals = Take() };
            Decision first = authorizer.Decide(Input());
            Assert.Equal("needs_second_person", first.ReasonId);
            Assert.Equal(Obligation.SecondPerson, Assert.Single(first.Obligations).Id);
            Approve(Request().Id, "bob");
            Assert.Equal(DecisionOutcome.Allow, authorizer.Decide(Input()).Outcome);
            Assert.Equal(DecisionOutcome.Deny, authorizer.Decide(Input()).Outcome);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }
}
