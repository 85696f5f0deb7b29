using Microsoft.Data.Sqlite;

namespace Talos.Trustd.Ledger;

sealed partial class CertificateLedger
{
    // LIMIT: a token that ended is listed, and says that it has expired, for a quarter of a year. The record keeps who used it, by its own retention.
    const long KeepEnded = 90L * 86_400;

    public Task<bool> AddTokenAsync(LedgerToken token, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            using var forget = connection.CreateCommand();
            forget.CommandText =
                """
                DELETE FROM token_uses WHERE token IN (SELECT id FROM tokens WHERE expires_at < $horizon);
                DELETE FROM tokens WHERE expires_at < $horizon;
                """;
            forget.Parameters.AddWithValue("$horizon", Now() - KeepEnded);
            forget.ExecuteNonQuery();
            using var command = connection.CreateCommand();
            command.CommandText =
                """
                INSERT INTO tokens (id, verifier, discovery, use, name, roles, names, addresses, created_at, created_by, expires_at, uses_left)
                VALUES ($id, $verifier, $discovery, $use, $name, $roles, $names, $addresses, $created, $by, $expires, $uses)
                ON CONFLICT (id) DO NOTHING
                """;
            command.Parameters.AddWithValue("$id", token.Id);
            command.Parameters.AddWithValue("$verifier", token.Verifier.ToArray());
            command.Parameters.AddWithValue("$discovery", token.Discovery.ToArray());
            command.Parameters.AddWithValue("$use", (long)token.Use);
            command.Parameters.AddWithValue("$name", token.Name);
            command.Parameters.AddWithValue("$roles", Join(token.Roles));
            command.Parameters.AddWithValue("$names", Join(token.Names));
            command.Parameters.AddWithValue("$addresses", Join(token.Addresses));
            command.Parameters.AddWithValue("$created", token.Created.ToUnixTimeSeconds());
            command.Parameters.AddWithValue("$by", token.CreatedBy);
            command.Parameters.AddWithValue("$expires", token.Expires.ToUnixTimeSeconds());
            command.Parameters.AddWithValue("$uses", token.UsesLeft);
            return command.ExecuteNonQuery() == 1;
        }, cancellation);

    public LedgerToken? FindToken(string id) => Read(connection =>
    {
        return SelectTokens(connection, "WHERE id = $id", id).SingleOrDefault();
    });

    public IReadOnlyList<LedgerToken> ListTokens(int limit) => Read(connection =>
    {
        return SelectTokens(connection, "ORDER BY created_at DESC, id LIMIT $limit", null, limit);
    });

    public Task<bool> RevokeTokenAsync(string id, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE tokens SET revoked_at = $now WHERE id = $id AND revoked_at IS NULL";
            command.Parameters.AddWithValue("$id", id);
            command.Parameters.AddWithValue("$now", Now());
            return command.ExecuteNonQuery() == 1;
        }, cancellation);

    public Task<TokenUseResult> UseTokenAsync(string id, ReadOnlyMemory<byte> keyDigest, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            var now = Now();
            var token = SelectTokens(connection, "WHERE id = $id", id).SingleOrDefault();
            if (token is null) return TokenUseResult.Refused;
            if (token.Revoked is not null) return TokenUseResult.Revoked;
            if (token.Expires.ToUnixTimeSeconds() <= now) return TokenUseResult.Expired;

            using var use = connection.CreateCommand();
            use.CommandText = "INSERT INTO token_uses (token, key_digest, used_at) VALUES ($id, $key, $now) ON CONFLICT DO NOTHING";
            use.Parameters.AddWithValue("$id", id);
            use.Parameters.AddWithValue("$key", keyDigest.ToArray());
            use.Parameters.AddWithValue("$now", now);
            if (use.ExecuteNonQuery() == 0) return TokenUseResult.Repeated;

            using var take = connection.CreateCommand();
            take.CommandText = "UPDATE tokens SET uses_left = uses_left - 1 WHERE id = $id AND uses_left > 0";
            take.Parameters.AddWithValue("$id", id);
            if (take.ExecuteNonQuery() == 1) return TokenUseResult.Taken;

            using var undo = connection.CreateCommand();
            undo.CommandText = "DELETE FROM token_uses WHERE token = $id AND key_digest = $key";
            undo.Parameters.AddWithValue("$id", id);
            undo.Parameters.AddWithValue("$key", keyDigest.ToArray());
            undo.ExecuteNonQuery();
            return TokenUseResult.Exhausted;
        }, cancellation);

    static List<LedgerToken> SelectTokens(SqliteConnection connection, string clause, string? id, int limit = 1)
    {
        using var command = connection.CreateCommand();
        command.CommandText =
            "SELECT id, verifier, discovery, use, name, roles, names, addresses, created_at, created_by, expires_at, uses_left, revoked_at FROM tokens " + clause;
        if (id is not null) command.Parameters.AddWithValue("$id", id);
        command.Parameters.AddWithValue("$limit", limit);
        var rows = new List<LedgerToken>();
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            rows.Add(new LedgerToken(
                reader.GetString(0), (byte[])reader.GetValue(1), (byte[])reader.GetValue(2), (LedgerTokenUse)reader.GetInt64(3), reader.GetString(4),
                Split(reader.GetString(5)), Split(reader.GetString(6)), Split(reader.GetString(7)),
                DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(8)), reader.GetString(9), DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(10)),
                reader.GetInt32(11), reader.IsDBNull(12) ? null : DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(12))));
        }
        return rows;
    }
}
