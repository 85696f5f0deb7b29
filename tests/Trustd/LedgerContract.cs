using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using Talos.Trustd.Ledger;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>What every store of the ledger has to do. A store's own tests derive from this.</summary>
public abstract class LedgerContract : IAsyncLifetime
{
    static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    readonly FakeTimeProvider time = new(Start);
    ICertificateLedger ledger = null!;

    /// <summary>A folder of this test alone.</summary>
    protected string Folder { get; } = Directory.CreateTempSubdirectory("talos-ledger-").FullName;

    /// <summary>Opens the store of that folder, making it when there is none.</summary>
    private protected abstract ICertificateLedger Open(TimeProvider time);

    public async ValueTask InitializeAsync()
    {
        ledger = Open(time);
        await ledger.AddFirstAuthorityAsync(new LedgerAuthority(1, "aa", new byte[1], "", ReadOnlyMemory<byte>.Empty, AuthorityState.Signing), default);
    }

    public async ValueTask DisposeAsync()
    {
        await ledger.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Rejects_a_serial_that_was_reserved_before()
    {
        await ledger.ReserveAsync(Reservation("01aa", "cp-1"), default);
        await Assert.ThrowsAsync<LedgerException>(() => ledger.ReserveAsync(Reservation("01aa", "cp-2"), default));
    }

    [Fact]
    public async Task Accepts_other_writes_of_a_batch_when_one_is_refused()
    {
        await ledger.ReserveAsync(Reservation("01aa", "cp-1"), default);
        var writes = Enumerable.Range(0, 64).Select(i => ledger.ReserveAsync(Reservation(i == 32 ? "01aa" : $"02{i:x4}", "w"), default)).ToArray();
        await Assert.ThrowsAsync<LedgerException>(() => Task.WhenAll(writes));
        Assert.Equal(63, writes.Count(w => w.IsCompletedSuccessfully));
    }

    [Fact]
    public async Task Lists_what_was_issued_and_not_what_was_only_reserved()
    {
        await ledger.ReserveAsync(Reservation("01", "cp-1"), default);
        var reserved = await ledger.ReserveAsync(Reservation("02", "cp-1"), default);
        await ledger.RecordIssuedAsync(reserved!, new byte[] { 0x30 }, default);
        Assert.Equal("02", Assert.Single(ledger.ListCertificates(new CertificateFilter(Name: "cp-1"), 10)).Serial);
        Assert.Empty(ledger.ListCertificates(new CertificateFilter(Name: "cp-2"), 10));
        Assert.Equal([0x30], ledger.FindCertificate("02")!.Der.ToArray());
    }

    [Fact]
    public async Task Rejects_a_second_certificate_under_one_serial()
    {
        var reserved = await ledger.ReserveAsync(Reservation("01", "cp-1"), default);
        await ledger.RecordIssuedAsync(reserved!, new byte[] { 0x30 }, default);
        await Assert.ThrowsAsync<LedgerException>(() => ledger.RecordIssuedAsync(reserved!, new byte[] { 0x31 }, default));
        Assert.Equal([0x30], ledger.FindCertificate("01")!.Der.ToArray());
    }

    [Fact]
    public async Task Forgets_a_machine_that_nobody_decided_about_and_holds_no_room_for_it()
    {
        LedgerEnrollment Machine(int i) => new($"id{i}", new byte[] { (byte)i }, "SHA256:x", $"worker-{i}", [], [], "10.0.0.1", time.GetUtcNow(), time.GetUtcNow().AddHours(1));
        Assert.Equal(EnrollmentQueueResult.Queued, await ledger.QueueEnrollmentAsync(Machine(1), most: 2, mostOfSource: 1, default));
        Assert.Equal(EnrollmentQueueResult.SourceFull, await ledger.QueueEnrollmentAsync(Machine(2), most: 2, mostOfSource: 1, default));
        Assert.Equal(EnrollmentQueueResult.Queued, await ledger.QueueEnrollmentAsync(Machine(2) with { Source = "10.0.0.2" }, most: 2, mostOfSource: 1, default));
        Assert.Equal(EnrollmentQueueResult.Full, await ledger.QueueEnrollmentAsync(Machine(3) with { Source = "10.0.0.3" }, most: 2, mostOfSource: 1, default));
        time.Advance(TimeSpan.FromHours(1));
        Assert.Null(ledger.FindEnrollment(new byte[] { 1 }));
        Assert.Null(await ledger.DecideEnrollmentAsync("id1", LedgerEnrollmentState.Approved, "alice", time.GetUtcNow().AddHours(1), default));
        Assert.Equal(EnrollmentQueueResult.Queued, await ledger.QueueEnrollmentAsync(Machine(3), most: 2, mostOfSource: 1, default));
        Assert.Equal("id3", Assert.Single(ledger.ListEnrollments(10)).Id);
    }

    [Fact]
    public async Task Keeps_the_newest_refusals()
    {
        for (var i = 0; i < 3; i++)
            await ledger.RecordRefusalAsync(new LedgerRefusal(time.GetUtcNow(), "token", "", "10.0.0.1", $"reason-{i}", "no", "r1"), default);
        Assert.Equal(["reason-2", "reason-1"], ledger.ListRefusals(2).Select(r => r.Reason));
    }

    [Fact]
    public async Task Lists_at_most_as_many_tokens_and_machines_as_asked_for_and_the_newest()
    {
        for (var i = 0; i < 4; i++)
        {
            await ledger.AddTokenAsync(new LedgerToken($"t{i}", new byte[1], new byte[1], LedgerTokenUse.Node, "", [], ["*"], [], time.GetUtcNow(), "alice", time.GetUtcNow().AddHours(1), 1, null), default);
            var machine = new LedgerEnrollment($"id{i}", new byte[] { (byte)i }, "SHA256:x", $"worker-{i}", [], [], "10.0.0.1", time.GetUtcNow(), time.GetUtcNow().AddHours(1));
            await ledger.QueueEnrollmentAsync(machine, most: 10, mostOfSource: 10, default);
            time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(["t3", "t2"], ledger.ListTokens(2).Select(t => t.Id));
        Assert.Equal(["id3", "id2", "id1"], ledger.ListEnrollments(3).Select(e => e.Id));
    }

    [Fact]
    public async Task Gives_each_revocation_list_a_number_of_its_own()
    {
        Assert.Equal(1, await ledger.NextListNumberAsync("aa", 0, default));
        Assert.Equal(2, await ledger.NextListNumberAsync("aa", 0, default));
        Assert.Equal(1, await ledger.NextListNumberAsync("aa", 1, default));
        Assert.Equal(1, await ledger.NextListNumberAsync("bb", 0, default));
    }

    [Fact]
    public async Task Revokes_every_valid_certificate_of_a_name_once()
    {
        foreach (var serial in new[] { "01", "02", "03" }) await ledger.ReserveAsync(Reservation(serial, serial == "03" ? "bob" : "alice"), default);
        Assert.Equal(2, (await ledger.RevokeAsync(new CertificateFilter(Name: "alice"), "admin", "left the company", default)).Count);
        Assert.Empty(await ledger.RevokeAsync(new CertificateFilter(Name: "alice"), "admin", "again", default));
        Assert.Equal(["01", "02"], ledger.ListRevocations().Select(r => r.Serial));
        time.Advance(TimeSpan.FromDays(3));
        Assert.Empty(ledger.ListRevocations());
    }

    [Fact]
    public async Task Gives_the_last_use_of_a_token_to_one_of_many_callers()
    {
        await ledger.AddTokenAsync(Token("abcdefgh", uses: 1), default);
        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => ledger.UseTokenAsync("abcdefgh", new byte[] { (byte)i }, default)));
        Assert.Single(results, TokenUseResult.Taken);
        Assert.Equal(49, results.Count(r => r == TokenUseResult.Exhausted));
    }

    [Fact]
    public async Task Accepts_a_repetition_with_the_same_key_after_a_lost_answer()
    {
        await ledger.AddTokenAsync(Token("abcdefgh", uses: 1), default);
        Assert.Equal(TokenUseResult.Taken, await ledger.UseTokenAsync("abcdefgh", new byte[] { 1 }, default));
        Assert.Equal(TokenUseResult.Repeated, await ledger.UseTokenAsync("abcdefgh", new byte[] { 1 }, default));
        Assert.Equal(TokenUseResult.Exhausted, await ledger.UseTokenAsync("abcdefgh", new byte[] { 2 }, default));
    }

    [Fact]
    public async Task Rejects_expired_revoked_and_unknown_tokens()
    {
        await ledger.AddTokenAsync(Token("abcdefgh", uses: 5), default);
        await ledger.AddTokenAsync(Token("ijklmnop", uses: 5), default);
        Assert.True(await ledger.RevokeTokenAsync("ijklmnop", default));
        Assert.False(await ledger.RevokeTokenAsync("ijklmnop", default));
        Assert.Equal(TokenUseResult.Revoked, await ledger.UseTokenAsync("ijklmnop", new byte[] { 1 }, default));
        Assert.Equal(TokenUseResult.Refused, await ledger.UseTokenAsync("qrstuvwx", new byte[] { 1 }, default));
        time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(TokenUseResult.Expired, await ledger.UseTokenAsync("abcdefgh", new byte[] { 1 }, default));
    }

    [Fact]
    public async Task Survives_a_restart_without_giving_a_known_token_fresh_uses()
    {
        await ledger.AddTokenAsync(Token("abcdefgh", uses: 1), default);
        await ledger.UseTokenAsync("abcdefgh", new byte[] { 1 }, default);
        await ledger.DisposeAsync();
        ledger = Open(time);
        Assert.False(await ledger.AddTokenAsync(Token("abcdefgh", uses: 1), default));
        Assert.Equal(TokenUseResult.Exhausted, await ledger.UseTokenAsync("abcdefgh", new byte[] { 2 }, default));
    }

    [Fact]
    public async Task Forgets_a_token_a_quarter_of_a_year_after_it_ended()
    {
        await ledger.AddTokenAsync(Token("abcdefgh", uses: 2), default);
        await ledger.UseTokenAsync("abcdefgh", new byte[] { 1 }, default);
        time.Advance(TimeSpan.FromDays(90));
        await ledger.AddTokenAsync(Token("bbbbbbbb", uses: 1), default);
        Assert.Equal(TokenUseResult.Expired, await ledger.UseTokenAsync("abcdefgh", new byte[] { 1 }, default));
        time.Advance(TimeSpan.FromDays(1));
        await ledger.AddTokenAsync(Token("cccccccc", uses: 1), default);
        Assert.Null(ledger.FindToken("abcdefgh"));
    }

    [Fact]
    public async Task Lists_what_was_taken_back_until_it_is_marked_as_recorded()
    {
        foreach (var serial in new[] { "01", "02", "03" }) await IssueAsync(Reservation(serial, serial == "03" ? "bob" : "alice"));
        var alice = await ledger.RevokeAsync(new CertificateFilter(Name: "alice"), "root", "lost", default);
        var bob = await ledger.RevokeAsync(new CertificateFilter(Name: "bob"), "root", "", default);
        await ledger.MarkRevocationsRecordedAsync(alice[0].Sequence, alice[^1].Sequence, default);
        Assert.Equal(new UnrecordedRevocation(bob[0].Sequence, "03", "root", ""), Assert.Single(ledger.ListUnrecordedRevocations()));
        await ledger.DisposeAsync();
        ledger = Open(time);
        Assert.Single(ledger.ListUnrecordedRevocations());
    }

    [Fact]
    public async Task Denies_a_serial_to_an_authority_that_does_not_sign()
    {
        Assert.Null(await ledger.ReserveAsync(Reservation("01", "cp-1") with { Generation = 2 }, default));
        await ChangeAsync(RolloverStep.Prepare, RolloverPhase.Prepared, added: Authority(2, AuthorityState.Prepared));
        Assert.Null(await ledger.ReserveAsync(Reservation("01", "cp-1") with { Generation = 2 }, default));
        await ChangeAsync(RolloverStep.Activate, RolloverPhase.Activated, (1, AuthorityState.Trusted), (2, AuthorityState.Signing));
        Assert.Null(await ledger.ReserveAsync(Reservation("01", "cp-1"), default));
        Assert.NotNull(await ledger.ReserveAsync(Reservation("01", "cp-1") with { Generation = 2 }, default));
    }

    [Fact]
    public async Task Changes_nothing_when_a_decision_refuses_and_decides_one_after_the_other()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => ledger.ChangeAuthoritiesAsync(_ => throw new InvalidOperationException("no"), default));
        var before = ledger.ReadRollover();
        Assert.Equal((RolloverPhase.Steady, 1, 0), (before.Phase, before.Authorities.Length, before.Events.Length));
        // Of many that decide at once, only the first sees the state before.
        var prepared = 0;
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ledger.ChangeAuthoritiesAsync(state =>
        {
            if (state.Phase != RolloverPhase.Steady) return null;
            prepared++;
            return Change(RolloverStep.Prepare, RolloverPhase.Prepared, Authority(2, AuthorityState.Prepared));
        }, default)));
        Assert.Equal(1, prepared);
        Assert.Equal([2L, 1L], ledger.ReadRollover().Authorities.Select(a => a.Generation));
    }

    [Fact]
    public async Task Tells_who_holds_what_and_what_they_trust()
    {
        await IssueAsync(Reservation("01", "cp-1"));
        await IssueAsync(Reservation("02", "alice") with { Spiffe = "spiffe://demo/user/alice" });
        await IssueAsync(Reservation("03", "gone"));
        await ledger.RevokeAsync(new CertificateFilter(Name: "gone"), "admin", "", default);
        await ledger.AcknowledgeAsync("spiffe://demo/node/cp-1", "01", new byte[] { 7 }, default);
        await ChangeAsync(RolloverStep.Activate, RolloverPhase.Activated, (1, AuthorityState.Trusted), added: Authority(2, AuthorityState.Signing));

        var holders = ledger.ReadRollover().Holders;
        Assert.Equal(["spiffe://demo/node/cp-1", "spiffe://demo/user/alice"], holders.Select(h => h.Spiffe));
        Assert.Equal([7], holders[0].BundleDigest.ToArray());
        Assert.True(holders.All(h => h.ReliesOn(goes: 1, stays: 2)));
        // A newer certificate counts only once the node shows it; a person's older one counts until it ends.
        await IssueAsync(Reservation("04", "cp-1") with { Generation = 2 });
        await IssueAsync(Reservation("05", "alice") with { Generation = 2, Spiffe = "spiffe://demo/user/alice" });
        Assert.True(ledger.ReadRollover().Holders[0].ReliesOn(goes: 1, stays: 2));
        await ledger.AcknowledgeAsync("spiffe://demo/node/cp-1", "04", new byte[] { 8 }, default);
        holders = ledger.ReadRollover().Holders;
        Assert.False(holders[0].ReliesOn(goes: 1, stays: 2));
        Assert.True(holders[1].ReliesOn(goes: 1, stays: 2));
        time.Advance(TimeSpan.FromDays(2));
        Assert.Empty(ledger.ReadRollover().Holders);
    }

    [Fact]
    public async Task Survives_a_restart_with_authorities_steps_and_acknowledgements()
    {
        await IssueAsync(Reservation("01", "cp-1"));
        await ledger.AcknowledgeAsync("spiffe://demo/node/cp-1", "01", new byte[] { 7 }, default);
        await ChangeAsync(RolloverStep.Prepare, RolloverPhase.Prepared, added: Authority(2, AuthorityState.Prepared) with { ByPrevious = new byte[] { 9 } });
        await ledger.DisposeAsync();
        ledger = Open(time);
        var state = ledger.ReadRollover();
        Assert.Equal(RolloverPhase.Prepared, state.Phase);
        Assert.Equal([9], state.Next!.ByPrevious.ToArray());
        Assert.Equal([7], Assert.Single(state.Holders).BundleDigest.ToArray());
        Assert.False(state.Events[0].OnRecord);
        await ledger.MarkRolloverRecordedAsync(state.Events[0].Sequence, default);
        Assert.True(ledger.ReadRollover().Events[0].OnRecord);
        // What an earlier process left unsigned never will be signed, and keeps nobody waiting.
        await ledger.ReserveAsync(Reservation("02", "cp-2"), default);
        Assert.Equal(2, ledger.ReadRollover().Holders.Length);
        await ledger.DisposeAsync();
        time.Advance(TimeSpan.FromSeconds(2));
        ledger = Open(time);
        Assert.Single(ledger.ReadRollover().Holders);
    }

    static CertificateReservation Reservation(string serial, string name) =>
        new(serial, 1, name, ["os:node"], $"spiffe://demo/node/{name}", "token", "token abcdefgh", new byte[32], Start, Start.AddHours(24), 1);

    static LedgerToken Token(string id, int uses) =>
        new(id, new byte[32], new byte[32], LedgerTokenUse.Node, "", [], ["worker-*"], ["10.0.0.0/8"], Start, "admin", Start.AddHours(1), uses, null);

    static LedgerAuthority Authority(long generation, AuthorityState state) => new(generation, $"f{generation}", new byte[1], "", ReadOnlyMemory<byte>.Empty, state);

    static RolloverChange Change(RolloverStep step, RolloverPhase phase, LedgerAuthority? added, params (long Generation, AuthorityState State)[] states) =>
        new(step, phase, "alice", Forced: false, added, states.ToImmutableSortedDictionary(s => s.Generation, s => s.State));

    Task ChangeAsync(RolloverStep step, RolloverPhase phase, params (long, AuthorityState)[] states) => ChangeAsync(step, phase, null, states);

    Task ChangeAsync(RolloverStep step, RolloverPhase phase, (long, AuthorityState) state, LedgerAuthority added) => ChangeAsync(step, phase, added, state);

    Task ChangeAsync(RolloverStep step, RolloverPhase phase, LedgerAuthority? added, params (long, AuthorityState)[] states) =>
        ledger.ChangeAuthoritiesAsync(_ => Change(step, phase, added, states), default);

    async Task IssueAsync(CertificateReservation reservation)
    {
        var reserved = await ledger.ReserveAsync(reservation, default);
        Assert.NotNull(reserved);
        await ledger.RecordIssuedAsync(reserved, new byte[] { 0x30 }, default);
    }
}
