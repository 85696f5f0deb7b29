using System.Collections.Immutable;
using Microsoft.Data.Sqlite;

namespace Talos.Trustd.Ledger;

sealed partial class CertificateLedger
{
    public Task AddFirstAuthorityAsync(LedgerAuthority authority, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT COUNT(*) FROM authorities";
            if ((long)command.ExecuteScalar()! == 0) Insert(connection, authority);
            return true;
        }, cancellation);

    public RolloverState ReadRollover() => Read(connection =>
    {
        using var transaction = connection.BeginTransaction(deferred: true);
        return ReadRollover(connection);
    });

    public Task<RolloverState> ChangeAuthoritiesAsync(Func<RolloverState, RolloverChange?> decide, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            var state = ReadRollover(connection);
            if (decide(state) is not { } change) return state;
            if (change.Added is { } added) Insert(connection, added);
            foreach (var (generation, next) in change.States)
            {
                using var update = connection.CreateCommand();
                update.CommandText = "UPDATE authorities SET state = $state WHERE generation = $generation";
                update.Parameters.AddWithValue("$state", (long)next);
                update.Parameters.AddWithValue("$generation", generation);
                update.ExecuteNonQuery();
            }
            using var step = connection.CreateCommand();
            step.CommandText = "INSERT INTO rollover_steps (step, phase, made_at, made_by, forced, on_record) VALUES ($step, $phase, $now, $by, $forced, 0)";
            step.Parameters.AddWithValue("$step", (long)change.Step);
            step.Parameters.AddWithValue("$phase", (long)change.Phase);
            step.Parameters.AddWithValue("$now", Now());
            step.Parameters.AddWithValue("$by", change.By);
            step.Parameters.AddWithValue("$forced", change.Forced ? 1L : 0L);
            step.ExecuteNonQuery();
            // An identity without a valid certificate has nothing more to say.
            using var forget = connection.CreateCommand();
            forget.CommandText = "DELETE FROM acknowledgements WHERE spiffe NOT IN (SELECT spiffe FROM certificates WHERE not_after > $now)";
            forget.Parameters.AddWithValue("$now", Now());
            forget.ExecuteNonQuery();
            return ReadRollover(connection);
        }, cancellation);

    public Task MarkRolloverRecordedAsync(long sequence, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE rollover_steps SET on_record = 1 WHERE sequence <= $sequence AND on_record = 0";
            command.Parameters.AddWithValue("$sequence", sequence);
            return command.ExecuteNonQuery();
        }, cancellation);

    public Task AcknowledgeAsync(string spiffe, string serial, ReadOnlyMemory<byte> bundleDigest, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            using var command = connection.CreateCommand();
            command.CommandText =
                """
                INSERT INTO acknowledgements (spiffe, bundle_digest, serial, made_at) VALUES ($spiffe, $digest, $serial, $now)
                ON CONFLICT (spiffe) DO UPDATE SET bundle_digest = excluded.bundle_digest, serial = excluded.serial, made_at = excluded.made_at
                """;
            command.Parameters.AddWithValue("$spiffe", spiffe);
            command.Parameters.AddWithValue("$digest", bundleDigest.ToArray());
            command.Parameters.AddWithValue("$serial", serial);
            command.Parameters.AddWithValue("$now", Now());
            return command.ExecuteNonQuery();
        }, cancellation);

    RolloverState ReadRollover(SqliteConnection connection)
    {
        var events = ReadEvents(connection);
        return new RolloverState(events.IsEmpty ? RolloverPhase.Steady : events[0].Phase, ReadAuthorities(connection), ReadHolders(connection), events);
    }

    static ImmutableArray<LedgerAuthority> ReadAuthorities(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT generation, fingerprint, certificate, chain, by_previous, state FROM authorities ORDER BY generation DESC";
        using var reader = command.ExecuteReader();
        var rows = ImmutableArray.CreateBuilder<LedgerAuthority>();
        while (reader.Read())
        {
            rows.Add(new LedgerAuthority(
                reader.GetInt64(0), reader.GetString(1), (byte[])reader.GetValue(2), reader.GetString(3),
                reader.IsDBNull(4) ? ReadOnlyMemory<byte>.Empty : (byte[])reader.GetValue(4), (AuthorityState)reader.GetInt64(5)));
        }
        return rows.ToImmutable();
    }

    ImmutableArray<AuthorityHolder> ReadHolders(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        // A serial that was reserved and not signed counts while this process may still sign it; what an earlier one left open never will be.
        command.CommandText =
            """
            SELECT c.spiffe, c.authority, MAX(c.not_after), MAX(c.ordinal), a.bundle_digest, shown.authority, shown.ordinal
            FROM certificates c LEFT JOIN acknowledgements a ON a.spiffe = c.spiffe LEFT JOIN certificates shown ON shown.serial = a.serial
            WHERE c.not_after > $now AND c.revoked_at IS NULL AND c.spiffe <> ''
                AND (c.reserved_at >= $opened OR EXISTS (SELECT 1 FROM issued i WHERE i.id = c.id))
            GROUP BY c.spiffe, c.authority ORDER BY c.spiffe
            """;
        command.Parameters.AddWithValue("$now", Now());
        command.Parameters.AddWithValue("$opened", opened);
        using var reader = command.ExecuteReader();
        var rows = ImmutableArray.CreateBuilder<AuthorityHolder>();
        while (reader.Read())
        {
            var held = new HeldCertificates(DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(2)), reader.GetInt64(3));
            var (spiffe, generation) = (reader.GetString(0), reader.GetInt64(1));
            if (rows.Count > 0 && rows[^1].Spiffe == spiffe)
            {
                rows[^1] = rows[^1] with { Held = rows[^1].Held.Add(generation, held) };
                continue;
            }
            rows.Add(new AuthorityHolder(
                spiffe, ImmutableSortedDictionary.CreateRange([KeyValuePair.Create(generation, held)]),
                reader.IsDBNull(4) ? ReadOnlyMemory<byte>.Empty : (byte[])reader.GetValue(4), reader.IsDBNull(5) ? 0 : reader.GetInt64(5), reader.IsDBNull(6) ? 0 : reader.GetInt64(6)));
        }
        return rows.ToImmutable();
    }

    static ImmutableArray<RolloverEvent> ReadEvents(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        // LIMIT: a change takes four steps; this shows the last dozens of changes, and never one without its phase.
        command.CommandText = "SELECT sequence, step, phase, made_at, made_by, forced, on_record FROM rollover_steps ORDER BY sequence DESC LIMIT 200";
        using var reader = command.ExecuteReader();
        var rows = ImmutableArray.CreateBuilder<RolloverEvent>();
        while (reader.Read())
        {
            rows.Add(new RolloverEvent(
                reader.GetInt64(0), (RolloverStep)reader.GetInt64(1), (RolloverPhase)reader.GetInt64(2), DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(3)),
                reader.GetString(4), reader.GetInt64(5) != 0, reader.GetInt64(6) != 0));
        }
        return rows.ToImmutable();
    }

    static void Insert(SqliteConnection connection, LedgerAuthority authority)
    {
        using var command = connection.CreateCommand();
        command.CommandText =
            """
            INSERT INTO authorities (generation, fingerprint, certificate, chain, by_previous, state)
            VALUES ($generation, $fingerprint, $certificate, $chain, $previous, $state)
            """;
        command.Parameters.AddWithValue("$generation", authority.Generation);
        command.Parameters.AddWithValue("$fingerprint", authority.Fingerprint);
        command.Parameters.AddWithValue("$certificate", authority.Certificate.ToArray());
        command.Parameters.AddWithValue("$chain", authority.Chain);
        command.Parameters.AddWithValue("$previous", authority.ByPrevious.IsEmpty ? DBNull.Value : authority.ByPrevious.ToArray());
        command.Parameters.AddWithValue("$state", (long)authority.State);
        command.ExecuteNonQuery();
    }
}
