using Talos.Trustd.Ledger;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>The ledger in SQLite: the contract, and what only a file has.</summary>
public sealed class SqliteLedgerTests : LedgerContract
{
    string File => Path.Combine(Folder, "ledger.db");

    private protected override ICertificateLedger Open(TimeProvider time) => CertificateLedger.Open(File, time);

    [Fact]
    public void Accepts_only_its_owner_as_reader() =>
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));

    [Fact]
    public async Task Rejects_a_file_of_a_newer_release_and_one_that_is_no_ledger()
    {
        await CertificateLedger.Open(File, TimeProvider.System).DisposeAsync();
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={File};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA user_version = 99";
            command.ExecuteNonQuery();
        }
        Assert.Contains("layout 99", Assert.Throws<LedgerException>(() => CertificateLedger.Open(File, TimeProvider.System)).Message, StringComparison.Ordinal);
        var other = Path.Combine(Folder, "other.db");
        System.IO.File.WriteAllText(other, new string('x', 4096));
        Assert.Throws<LedgerException>(() => CertificateLedger.Open(other, TimeProvider.System));
    }

    [Fact]
    public async Task Tells_of_every_read_that_fails()
    {
        var path = Path.Combine(Folder, "damaged.db");
        await CertificateLedger.Open(path, TimeProvider.System).DisposeAsync();
        var told = new List<string>();
        await using var ledger = CertificateLedger.Open(path, TimeProvider.System, complain: told.Add);
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={path};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
            command.ExecuteNonQuery();
        }
        using (var disk = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) disk.SetLength(4096);
        var failure = Assert.Throws<LedgerException>(() => ledger.ListTokens(1));
        Assert.Throws<LedgerException>(ledger.ReadRollover);
        Assert.StartsWith($"cannot read the ledger `{path}`: ", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, told.Count);
        Assert.Equal(failure.Message, told[0]);
    }

    [Fact]
    public async Task Complains_once_of_a_ledger_that_cannot_be_written()
    {
        var path = Path.Combine(Folder, "held.db");
        var told = new List<string>();
        await using var ledger = CertificateLedger.Open(path, TimeProvider.System, complain: told.Add);
        using var other = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={path};Pooling=False");
        other.Open();
        for (var time = 1; time <= 2; time++)
        {
            using (var transaction = other.BeginTransaction(deferred: false))
            {
                for (var i = 0; i < 3; i++)
                    Assert.StartsWith($"cannot write the ledger `{path}`: ", (await Assert.ThrowsAsync<LedgerException>(() => ledger.NextListNumberAsync("aa", 0, default))).Message, StringComparison.Ordinal);
            }
            Assert.Equal(time, told.Count);
            Assert.Equal(time, await ledger.NextListNumberAsync("aa", 0, default));
        }
        Assert.StartsWith($"cannot write the ledger `{path}`: ", told[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Takes_over_what_a_ledger_of_the_third_layout_holds()
    {
        var path = Path.Combine(Folder, "older.db");
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={path};Pooling=False"))
        {
            connection.Open();
            LedgerSchema.Apply(connection, upTo: 3);
            using var command = connection.CreateCommand();
            command.CommandText =
                """
                INSERT INTO certificates (serial, instance, name, roles, spiffe, basis, requester, key_digest, not_before, not_after, reserved_at, issued_at, der,
                                          revoked_at, issuer, policy, authority, ordinal)
                VALUES ('0102', 1, 'bob', 'os:reader', 'spiffe://demo/user/bob', 'token', 'token a', x'01', 100, 4000000000, 100, 101, x'3001', 102, 'aa', 'r1', 1, 7),
                       ('0101', 1, 'bob', 'os:reader', 'spiffe://demo/user/bob', 'token', 'token a', x'02', 90, 4000000000, 90, 91, x'3000', NULL, 'aa', 'r1', 1, 6),
                       ('0103', 1, 'bob', 'os:reader', 'spiffe://demo/user/bob', 'token', 'token a', x'03', 110, 4000000000, 110, NULL, NULL, NULL, 'aa', 'r1', 1, 8);
                INSERT INTO revocations (serial, not_after, revoked_at, revoked_by, reason) VALUES ('0102', 4000000000, 102, 'alice', 'lost');
                """;
            command.ExecuteNonQuery();
        }
        await using var ledger = CertificateLedger.Open(path, TimeProvider.System);
        Assert.Equal(["0102", "0101"], ledger.ListCertificates(new CertificateFilter(Name: "bob"), 10).Select(c => c.Serial));
        var revoked = ledger.FindCertificate("0102")!;
        Assert.Equal(("3001", "alice", "r1"), (Convert.ToHexString(revoked.Der.Span), revoked.RevokedBy, revoked.Policy));
        Assert.True(ledger.FindCertificate("0103")!.Der.IsEmpty);
        Assert.Equal("0102", Assert.Single(ledger.ListRevocations()).Serial);
        Assert.True(ledger.IsHeldByAnotherKey("spiffe://demo/user/bob", new byte[] { 1 }));
        await ledger.AddFirstAuthorityAsync(new(1, "aa", new byte[1], "", default, AuthorityState.Signing), default);
        await Assert.ThrowsAsync<LedgerException>(() => ledger.ReserveAsync(
            new("0101", 1, "bob", [], "", "token", "token a", new byte[1], DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 1), default));
    }

    [Fact]
    public async Task Begins_its_log_anew_while_it_is_written()
    {
        var path = Path.Combine(Folder, "busy.db");
        await using var ledger = CertificateLedger.Open(path, TimeProvider.System);
        await ledger.AddTokenAsync(Token("first"), default);
        var before = Turn();
        await Task.WhenAll(Enumerable.Range(0, 7000).Select(i => ledger.AddTokenAsync(Token($"a{i}"), default)));
        for (var i = 0; Turn() == before; i++)
        {
            Assert.True(i < 1000, "the log only grows");
            await ledger.AddTokenAsync(Token($"b{i}"), default);
            await Task.Delay(10);
        }

        // sqlite.org/fileformat2.html §4.1: the sequence number of the checkpoint, at octet 12, counts the turns of the file.
        uint Turn()
        {
            using var log = new FileStream(path + "-wal", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            Span<byte> header = stackalloc byte[32];
            log.ReadExactly(header);
            return System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(header[12..]);
        }
    }

    static LedgerToken Token(string id) =>
        new(id, new byte[1], new byte[1], LedgerTokenUse.Node, "", [], [], [], DateTimeOffset.UnixEpoch, "", DateTimeOffset.UnixEpoch, 1, null);
}
