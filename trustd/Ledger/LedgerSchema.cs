using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Talos.Trustd.Ledger;

/// <summary>The ledger's tables, and the steps that bring an older file up to date.</summary>
static class LedgerSchema
{
    static readonly TimeSpan BetweenWords = TimeSpan.FromSeconds(5);

    // A step is never changed once it has shipped; a new layout is a new step.
    static readonly string[] Steps =
    [
        """
        CREATE TABLE certificates (
            serial      TEXT PRIMARY KEY,
            instance    INTEGER NOT NULL,
            name        TEXT NOT NULL,
            roles       TEXT NOT NULL,
            spiffe      TEXT NOT NULL,
            basis       TEXT NOT NULL,
            requester   TEXT NOT NULL,
            key_digest  BLOB NOT NULL,
            not_before  INTEGER NOT NULL,
            not_after   INTEGER NOT NULL,
            reserved_at INTEGER NOT NULL,
            issued_at   INTEGER,
            der         BLOB,
            revoked_at  INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX certificates_by_name ON certificates (name, reserved_at);
        CREATE INDEX certificates_by_time ON certificates (reserved_at);
        CREATE TABLE revocations (
            sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
            serial     TEXT NOT NULL UNIQUE,
            not_after  INTEGER NOT NULL,
            revoked_at INTEGER NOT NULL,
            revoked_by TEXT NOT NULL,
            reason     TEXT NOT NULL
        ) STRICT;
        CREATE TABLE tokens (
            id         TEXT PRIMARY KEY,
            verifier   BLOB NOT NULL,
            discovery  BLOB NOT NULL,
            use        INTEGER NOT NULL,
            name       TEXT NOT NULL,
            roles      TEXT NOT NULL,
            names      TEXT NOT NULL,
            addresses  TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            expires_at INTEGER NOT NULL,
            uses_left  INTEGER NOT NULL,
            revoked_at INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE token_uses (
            token      TEXT NOT NULL REFERENCES tokens (id),
            key_digest BLOB NOT NULL,
            used_at    INTEGER NOT NULL,
            PRIMARY KEY (token, key_digest)
        ) STRICT, WITHOUT ROWID;
        """,
        """
        ALTER TABLE certificates ADD COLUMN issuer TEXT NOT NULL DEFAULT '';
        ALTER TABLE certificates ADD COLUMN policy TEXT NOT NULL DEFAULT '';
        ALTER TABLE certificates ADD COLUMN authenticated_at INTEGER;
        UPDATE certificates SET authenticated_at = reserved_at;
        CREATE TABLE refusals (
            id        INTEGER PRIMARY KEY AUTOINCREMENT,
            at        INTEGER NOT NULL,
            way       TEXT NOT NULL,
            requester TEXT NOT NULL,
            source    TEXT NOT NULL,
            reason    TEXT NOT NULL,
            sentence  TEXT NOT NULL,
            policy    TEXT NOT NULL
        ) STRICT;
        CREATE TABLE enrollments (
            id           TEXT PRIMARY KEY,
            digest       BLOB NOT NULL UNIQUE,
            fingerprint  TEXT NOT NULL,
            name         TEXT NOT NULL,
            dns          TEXT NOT NULL,
            addresses    TEXT NOT NULL,
            source       TEXT NOT NULL,
            requested_at INTEGER NOT NULL,
            expires_at   INTEGER NOT NULL,
            state        INTEGER NOT NULL,
            decided_by   TEXT NOT NULL,
            decided_at   INTEGER,
            serial       TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE revocation_lists (
            issuer TEXT NOT NULL,
            shard  INTEGER NOT NULL,
            number INTEGER NOT NULL,
            PRIMARY KEY (issuer, shard)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE logins (
            digest     BLOB PRIMARY KEY,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """,
        """
        CREATE TABLE authorities (
            generation  INTEGER PRIMARY KEY,
            fingerprint TEXT NOT NULL UNIQUE,
            certificate BLOB NOT NULL,
            chain       TEXT NOT NULL,
            by_previous BLOB,
            state       INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE rollover_steps (
            sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
            step       INTEGER NOT NULL,
            phase      INTEGER NOT NULL,
            made_at    INTEGER NOT NULL,
            made_by    TEXT NOT NULL,
            forced     INTEGER NOT NULL,
            on_record  INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE acknowledgements (
            spiffe        TEXT PRIMARY KEY,
            bundle_digest BLOB NOT NULL,
            serial        TEXT NOT NULL,
            made_at       INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        ALTER TABLE certificates ADD COLUMN authority INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE certificates ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX certificates_by_end ON certificates (not_after);
        """,
        // Rows in the order in which they come, and the certificate's octets apart: what a batch writes lies on few pages, and a reservation's row never grows.
        """
        DROP INDEX certificates_by_name;
        DROP INDEX certificates_by_time;
        DROP INDEX certificates_by_end;
        ALTER TABLE certificates RENAME TO certificates_before;
        CREATE TABLE certificates (
            id               INTEGER PRIMARY KEY,
            serial           TEXT NOT NULL UNIQUE,
            instance         INTEGER NOT NULL,
            name             TEXT NOT NULL,
            roles            TEXT NOT NULL,
            spiffe           TEXT NOT NULL,
            basis            TEXT NOT NULL,
            requester        TEXT NOT NULL,
            key_digest       BLOB NOT NULL,
            not_before       INTEGER NOT NULL,
            not_after        INTEGER NOT NULL,
            reserved_at      INTEGER NOT NULL,
            issuer           TEXT NOT NULL,
            policy           TEXT NOT NULL,
            authenticated_at INTEGER,
            authority        INTEGER NOT NULL,
            ordinal          INTEGER NOT NULL,
            revoked_at       INTEGER
        ) STRICT;
        CREATE TABLE issued (
            id        INTEGER PRIMARY KEY,
            issued_at INTEGER NOT NULL,
            der       BLOB NOT NULL
        ) STRICT;
        INSERT INTO certificates (serial, instance, name, roles, spiffe, basis, requester, key_digest, not_before, not_after, reserved_at, issuer, policy,
                                  authenticated_at, authority, ordinal, revoked_at)
        SELECT serial, instance, name, roles, spiffe, basis, requester, key_digest, not_before, not_after, reserved_at, issuer, policy,
               authenticated_at, authority, ordinal, revoked_at
        FROM certificates_before ORDER BY reserved_at, ordinal, serial;
        INSERT INTO issued (id, issued_at, der)
        SELECT c.id, coalesce(b.issued_at, b.reserved_at), b.der FROM certificates c JOIN certificates_before b ON b.serial = c.serial
        WHERE b.der IS NOT NULL ORDER BY c.id;
        DROP TABLE certificates_before;
        CREATE INDEX certificates_by_name ON certificates (name);
        CREATE INDEX certificates_by_end ON certificates (not_after);
        """,
        // What an older release took back is on the record, as far as it ever will be.
        """
        ALTER TABLE revocations ADD COLUMN on_record INTEGER NOT NULL DEFAULT 1;
        CREATE INDEX revocations_off_record ON revocations (sequence) WHERE on_record = 0;
        """,
    ];

    /// <summary>Brings the file to the newest layout. A file from a newer release is refused: guessing at its meaning could lose a revocation.</summary>
    /// <param name="tell">Hears of what takes time; null when nobody listens.</param>
    public static void Apply(SqliteConnection connection, Action<string>? tell = null)
    {
        var version = (long)Ask(connection, "PRAGMA user_version");
        if (version > Steps.Length)
            throw new LedgerException($"the ledger has layout {version}, this release knows layouts up to {Steps.Length}", "run the release that wrote it, or a newer one");
        if (version == Steps.Length) return;
        if (version == 0)
        {
            Apply(connection, Steps.Length);
            return;
        }
        var began = Stopwatch.GetTimestamp();
        tell?.Invoke($"the ledger has layout {version} and {Ask(connection, "SELECT count(*) FROM certificates")} certificates; it is brought to layout {Steps.Length}, and nothing is issued until that is done");
        using (new Timer(_ => tell?.Invoke(string.Create(CultureInfo.InvariantCulture, $"the ledger is being brought to layout {Steps.Length}, for {Stopwatch.GetElapsedTime(began).TotalSeconds:F0} s now")), null, BetweenWords, BetweenWords))
        {
            Apply(connection, Steps.Length);
            // What the steps wrote is in the log; as it is, the log would stay that large and be read at the next start.
            Ask(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
        tell?.Invoke(string.Create(CultureInfo.InvariantCulture, $"the ledger has layout {Steps.Length} after {Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s"));
    }

    /// <summary>The same, up to an older layout: what a test of the steps after it begins with.</summary>
    internal static void Apply(SqliteConnection connection, int upTo)
    {
        for (var step = (int)(long)Ask(connection, "PRAGMA user_version"); step < upTo; step++)
        {
            using var transaction = connection.BeginTransaction();
            using var command = connection.CreateCommand();
            command.Transaction = transaction;
            // However long it takes: half of a step is worth nothing.
            command.CommandTimeout = 0;
            command.CommandText = $"{Steps[step]} PRAGMA user_version = {step + 1};";
            command.ExecuteNonQuery();
            transaction.Commit();
        }
    }

    static object Ask(SqliteConnection connection, string query)
    {
        using var command = connection.CreateCommand();
        command.CommandText = query;
        return command.ExecuteScalar()!;
    }
}
