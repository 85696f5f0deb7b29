namespace Talos.Trustd.Ledger;

sealed partial class CertificateLedger
{
    // LIMIT: refusals kept, newest first; strangers cause them, so they must not fill the disk. The record keeps them all, by its own retention.
    const int MaxRefusals = 100_000;

    public Task RecordRefusalAsync(LedgerRefusal refusal, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            using var command = connection.CreateCommand();
            command.CommandText =
                """
                INSERT INTO refusals (at, way, requester, source, reason, sentence, policy) VALUES ($at, $way, $requester, $source, $reason, $sentence, $policy);
                DELETE FROM refusals WHERE id <= last_insert_rowid() - $keep;
                """;
            command.Parameters.AddWithValue("$at", refusal.At.ToUnixTimeSeconds());
            command.Parameters.AddWithValue("$way", refusal.Way);
            command.Parameters.AddWithValue("$requester", refusal.Requester);
            command.Parameters.AddWithValue("$source", refusal.Source);
            command.Parameters.AddWithValue("$reason", refusal.Reason);
            command.Parameters.AddWithValue("$sentence", refusal.Sentence);
            command.Parameters.AddWithValue("$policy", refusal.Policy);
            command.Parameters.AddWithValue("$keep", MaxRefusals);
            return command.ExecuteNonQuery();
        }, cancellation);

    public IReadOnlyList<LedgerRefusal> ListRefusals(int limit) => Read(connection =>
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT at, way, requester, source, reason, sentence, policy FROM refusals ORDER BY id DESC LIMIT $limit";
        command.Parameters.AddWithValue("$limit", limit);
        var rows = new List<LedgerRefusal>();
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            rows.Add(new LedgerRefusal(
                DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(0)), reader.GetString(1), reader.GetString(2), reader.GetString(3),
                reader.GetString(4), reader.GetString(5), reader.GetString(6)));
        }
        return rows;
    });
}
