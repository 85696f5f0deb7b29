using Microsoft.Extensions.Time.Testing;
using Talos.Trustd.Ledger;
using Xunit;

namespace Talos.Trustd.Tests;

public sealed class CertificateLedgerTests : IAsyncLifetime
{
    static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    readonly string folder = Directory.CreateTempSubdirectory("talos-ledger-").FullName;
    readonly FakeTimeProvider time = new(Start);
    CertificateLedger ledger = null!;

    string File => Path.Combine(folder, "ledger.db");

    public async ValueTask InitializeAsync()
    {
        ledger = CertificateLedger.Open(File, time);
        await ledger.AddFirstAuthorityAsync(new LedgerAuthority(1, "aa", new byte[1], "", ReadOnlyMemory<byte>.Empty, AuthorityState.Signing), default);
    }

    public async ValueTask DisposeAsync()
    {
        await ledger.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Accepts_only_its_owner_as_reader() =>
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));

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
        await ledger.ReserveAsync(Reservation("02", "cp-1"), default);
        await ledger.RecordIssuedAsync("02", new byte[] { 0x30 }, default);
        Assert.Equal("02", Assert.Single(ledger.ListCertificates(new CertificateFilter(Name: "cp-1"), 10)).Serial);
        Assert.Empty(ledger.ListCertificates(new CertificateFilter(Name: "cp-2"), 10));
        Assert.Equal([0x30], ledger.FindCertificate("02")!.Der.ToArray());
    }

    [Fact]
    public async Task Rejects_a_second_certificate_under_one_serial()
    {
        await ledger.ReserveAsync(Reservation("01", "cp-1"), default);
        await ledger.RecordIssuedAsync("01", new byte[] { 0x30 }, default);
        await Assert.ThrowsAnyAsync<Exception>(() => ledger.RecordIssuedAsync("01", new byte[] { 0x31 }, default));
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
        Assert.Equal("id3", Assert.Single(ledger.ListEnrollments()).Id);
    }

    [Fact]
    public async Task Keeps_the_newest_refusals()
    {
        for (var i = 0; i < 3; i++)
            await ledger.RecordRefusalAsync(new LedgerRefusal(time.GetUtcNow(), "token", "", "10.0.0.1", $"reason-{i}", "no", "r1"), default);
        Assert.Equal(["reason-2", "reason-1"], ledger.ListRefusals(2).Select(r => r.Reason));
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
        ledger = CertificateLedger.Open(File, time);
        Assert.False(await ledger.AddTokenAsync(Token("abcdefgh", uses: 1), default));
        Assert.Equal(TokenUseResult.Exhausted, await ledger.UseTokenAsync("abcdefgh", new byte[] { 2 }, default));
    }

    [Fact]
    public async Task Rejects_a_file_of_a_newer_release_and_one_that_is_no_ledger()
    {
        await ledger.DisposeAsync();
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={File};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA user_version = 99";
            command.ExecuteNonQuery();
        }
        Assert.Contains("layout 99", Assert.Throws<LedgerException>(() => CertificateLedger.Open(File, time)).Message, StringComparison.Ordinal);
        var other = Path.Combine(folder, "other.db");
        System.IO.File.WriteAllText(other, new string('x', 4096));
        Assert.Throws<LedgerException>(() => CertificateLedger.Open(other, time));
        ledger = CertificateLedger.Open(Path.Combine(folder, "fresh.db"), time);
    }

    static CertificateReservation Reservation(string serial, string name) =>
        new(serial, 1, name, ["os:node"], $"spiffe://demo/node/{name}", "token", "token abcdefgh", new byte[32], Start, Start.AddHours(24), 1);

    static LedgerToken Token(string id, int uses) =>
        new(id, new byte[32], new byte[32], LedgerTokenUse.Node, "", [], ["worker-*"], ["10.0.0.0/8"], Start, "admin", Start.AddHours(1), uses, null);
}
