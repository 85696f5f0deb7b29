using System.Collections.Immutable;
using Microsoft.Data.Sqlite;

namespace Talos.Trustd.Ledger;

sealed partial class CertificateLedger
{
    sealed class Row(long id) : ReservedSerial
    {
        public long Id => id;
    }

    public Task<ReservedSerial?> ReserveAsync(CertificateReservation reservation, CancellationToken cancellation) =>
        WriteRowAsync<ReservedSerial?>(_ =>
        {
            if (!IsSigning(reservation.Generation)) return null;
            // Asked for first, not in the INSERT: with a SELECT in it, a row that breaks a rule needs a statement journal.
            var insert = Prepared(
                """
                INSERT INTO certificates (serial, instance, name, roles, spiffe, basis, requester, key_digest, not_before, not_after, reserved_at,
                                          issuer, policy, authenticated_at, authority, ordinal)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """);
            insert.Bind(1, reservation.Serial);
            insert.Bind(2, reservation.Instance);
            insert.Bind(3, reservation.Name);
            insert.Bind(4, Join(reservation.Roles));
            insert.Bind(5, reservation.Spiffe);
            insert.Bind(6, reservation.Basis);
            insert.Bind(7, reservation.Requester);
            insert.Bind(8, reservation.KeyDigest.Span);
            insert.Bind(9, reservation.NotBefore.ToUnixTimeSeconds());
            insert.Bind(10, reservation.NotAfter.ToUnixTimeSeconds());
            insert.Bind(11, Now());
            insert.Bind(12, reservation.Issuer);
            insert.Bind(13, reservation.Policy);
            if (reservation.AuthenticatedAt is { } at) insert.Bind(14, at.ToUnixTimeSeconds());
            else insert.BindNull(14);
            insert.Bind(15, reservation.Generation);
            insert.Bind(16, NextOrdinal());
            insert.Run();
            return new Row(SQLitePCL.raw.sqlite3_last_insert_rowid(writer.Handle!));
        }, cancellation);

    // Inside the transaction that reserves the serial, so that none is reserved under an authority that stopped signing. Within one transaction
    // the answer changes by a write with a savepoint alone.
    bool IsSigning(long generation)
    {
        if (signing == generation) return true;
        var ask = Prepared("SELECT 1 FROM authorities WHERE generation = ? AND state = ?");
        ask.Bind(1, generation);
        ask.Bind(2, (long)AuthorityState.Signing);
        if (ask.ReadInteger() is null) return false;
        signing = generation;
        return true;
    }

    public Task RecordIssuedAsync(ReservedSerial serial, ReadOnlyMemory<byte> der, CancellationToken cancellation) =>
        WriteRowAsync(_ =>
        {
            var insert = Prepared("INSERT INTO issued (id, issued_at, der) VALUES (?, ?, ?)");
            insert.Bind(1, ((Row)serial).Id);
            insert.Bind(2, Now());
            insert.Bind(3, der.Span);
            insert.Run();
            return true;
        }, cancellation);

    const string CertificateColumns =
        "c.serial, c.name, c.roles, c.spiffe, c.basis, c.not_before, c.not_after, c.revoked_at, c.requester, c.issuer, c.policy, c.authenticated_at, " +
        "coalesce(r.revoked_by, ''), coalesce(r.reason, '')";

    public IReadOnlyList<LedgerCertificate> ListCertificates(CertificateFilter filter, int limit) => Read(connection =>
    {
        using var command = connection.CreateCommand();
        command.CommandText =
            $"""
            SELECT {CertificateColumns}, NULL FROM certificates c LEFT JOIN revocations r ON r.serial = c.serial
            WHERE EXISTS (SELECT 1 FROM issued i WHERE i.id = c.id)
                {(filter.Name.Length == 0 ? "" : "AND c.name = $name")} {(filter.Issuer.Length == 0 ? "" : "AND c.issuer = $issuer")}
            ORDER BY c.id DESC LIMIT $limit
            """;
        command.Parameters.AddWithValue("$limit", limit);
        command.Parameters.AddWithValue("$name", filter.Name);
        command.Parameters.AddWithValue("$issuer", filter.Issuer);
        return ReadCertificates(command);
    });

    public LedgerCertificate? FindCertificate(string serial) => Read(connection =>
    {
        using var command = connection.CreateCommand();
        command.CommandText =
            $"""
            SELECT {CertificateColumns}, i.der FROM certificates c LEFT JOIN issued i ON i.id = c.id LEFT JOIN revocations r ON r.serial = c.serial
            WHERE c.serial = $serial
            """;
        command.Parameters.AddWithValue("$serial", serial);
        return ReadCertificates(command).SingleOrDefault();
    });

    public bool IsHeldByAnotherKey(string spiffe, ReadOnlyMemory<byte> keyDigest) => Read(connection =>
    {
        using var command = connection.CreateCommand();
        command.CommandText =
            """
            SELECT EXISTS (SELECT 1 FROM certificates c JOIN issued i ON i.id = c.id WHERE c.name = $name AND c.spiffe = $spiffe AND c.revoked_at IS NULL
                           AND c.not_after > $now AND c.key_digest <> $key)
            """;
        command.Parameters.AddWithValue("$name", spiffe[(spiffe.LastIndexOf('/') + 1)..]);
        command.Parameters.AddWithValue("$spiffe", spiffe);
        command.Parameters.AddWithValue("$now", Now());
        command.Parameters.AddWithValue("$key", keyDigest.ToArray());
        return (long)command.ExecuteScalar()! != 0;
    });

    public Task<IReadOnlyList<Revocation>> RevokeAsync(CertificateFilter filter, string by, string reason, CancellationToken cancellation) =>
        WriteAsync<IReadOnlyList<Revocation>>(connection =>
        {
            using var insert = connection.CreateCommand();
            insert.CommandText =
                $"""
                INSERT INTO revocations (serial, not_after, revoked_at, revoked_by, reason, on_record)
                SELECT serial, not_after, $now, $by, $reason, 0 FROM certificates
                WHERE {(filter.Serial.Length != 0 ? "serial" : filter.Name.Length != 0 ? "name" : "issuer")} = $key AND revoked_at IS NULL AND not_after > $now
                RETURNING sequence, serial, revoked_at, (SELECT issuer FROM certificates c WHERE c.serial = revocations.serial)
                """;
            insert.Parameters.AddWithValue("$key", filter.Serial.Length != 0 ? filter.Serial : filter.Name.Length != 0 ? filter.Name : filter.Issuer);
            insert.Parameters.AddWithValue("$now", Now());
            insert.Parameters.AddWithValue("$by", by);
            insert.Parameters.AddWithValue("$reason", reason);
            var revoked = ReadRevocations(insert);
            foreach (var revocation in revoked)
            {
                using var mark = connection.CreateCommand();
                mark.CommandText = "UPDATE certificates SET revoked_at = $now WHERE serial = $serial";
                mark.Parameters.AddWithValue("$now", Now());
                mark.Parameters.AddWithValue("$serial", revocation.Serial);
                mark.ExecuteNonQuery();
            }
            return revoked;
        }, cancellation);

    public IReadOnlyList<Revocation> ListRevocations() => Read(connection =>
    {
        using var command = connection.CreateCommand();
        // A day beyond the end covers clocks that disagree.
        command.CommandText =
            "SELECT r.sequence, r.serial, r.revoked_at, c.issuer FROM revocations r JOIN certificates c ON c.serial = r.serial WHERE r.not_after > $horizon ORDER BY r.sequence";
        command.Parameters.AddWithValue("$horizon", Now() - 86_400);
        return ReadRevocations(command);
    });

    public IReadOnlyList<UnrecordedRevocation> ListUnrecordedRevocations() => Read(connection =>
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT sequence, serial, revoked_by, reason FROM revocations WHERE on_record = 0 ORDER BY sequence";
        var rows = new List<UnrecordedRevocation>();
        using var reader = command.ExecuteReader();
        while (reader.Read()) rows.Add(new UnrecordedRevocation(reader.GetInt64(0), reader.GetString(1), reader.GetString(2), reader.GetString(3)));
        return rows;
    });

    public Task MarkRevocationsRecordedAsync(long first, long last, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE revocations SET on_record = 1 WHERE on_record = 0 AND sequence BETWEEN $first AND $last";
            command.Parameters.AddWithValue("$first", first);
            command.Parameters.AddWithValue("$last", last);
            return command.ExecuteNonQuery();
        }, cancellation);

    // Tells which of an identity's certificates is the newer one, also within a second and when the clock is set back while the process runs.
    long NextOrdinal() => ordinal = Math.Max(ordinal + 1, time.GetUtcNow().ToUnixTimeMilliseconds());

    public Task<long> NextListNumberAsync(string issuer, int shard, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            using var command = connection.CreateCommand();
            command.CommandText =
                """
                INSERT INTO revocation_lists (issuer, shard, number) VALUES ($issuer, $shard, 1)
                ON CONFLICT (issuer, shard) DO UPDATE SET number = number + 1 RETURNING number
                """;
            command.Parameters.AddWithValue("$issuer", issuer);
            command.Parameters.AddWithValue("$shard", shard);
            return (long)command.ExecuteScalar()!;
        }, cancellation);

    long Now() => time.GetUtcNow().ToUnixTimeSeconds();

    // Role names and host names hold no newline: both are checked where they enter.
    static string Join(ImmutableArray<string> values) => string.Join('\n', values);

    static ImmutableArray<string> Split(string text) => text.Length == 0 ? [] : [.. text.Split('\n')];

    static List<LedgerCertificate> ReadCertificates(SqliteCommand command)
    {
        var rows = new List<LedgerCertificate>();
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            rows.Add(new LedgerCertificate(
                reader.GetString(0), reader.GetString(1), Split(reader.GetString(2)), reader.GetString(3), reader.GetString(4),
                DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(5)), DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(6)),
                reader.IsDBNull(7) ? null : DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(7)),
                reader.IsDBNull(14) ? ReadOnlyMemory<byte>.Empty : (byte[])reader.GetValue(14))
            {
                Requester = reader.GetString(8),
                Issuer = reader.GetString(9),
                Policy = reader.GetString(10),
                AuthenticatedAt = reader.IsDBNull(11) ? null : DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(11)),
                RevokedBy = reader.GetString(12),
                RevokedFor = reader.GetString(13),
            });
        }
        return rows;
    }

    static List<Revocation> ReadRevocations(SqliteCommand command)
    {
        var rows = new List<Revocation>();
        using var reader = command.ExecuteReader();
        while (reader.Read()) rows.Add(new Revocation(reader.GetInt64(0), reader.GetString(1), DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(2)), reader.GetString(3)));
        return rows;
    }
}
