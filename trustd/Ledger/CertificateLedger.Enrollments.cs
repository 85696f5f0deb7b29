using Microsoft.Data.Sqlite;

namespace Talos.Trustd.Ledger;

sealed partial class CertificateLedger
{
    const string EnrollmentColumns =
        "id, digest, fingerprint, name, dns, addresses, source, requested_at, expires_at, state, decided_by, serial";

    public Task<EnrollmentQueueResult> QueueEnrollmentAsync(LedgerEnrollment enrollment, int most, int mostOfSource, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            using var forget = connection.CreateCommand();
            forget.CommandText = "DELETE FROM enrollments WHERE expires_at <= $now";
            forget.Parameters.AddWithValue("$now", Now());
            forget.ExecuteNonQuery();

            using var count = connection.CreateCommand();
            count.CommandText = "SELECT count(*), coalesce(sum(source = $source), 0) FROM enrollments WHERE state = 0";
            count.Parameters.AddWithValue("$source", enrollment.Source);
            using (var reader = count.ExecuteReader())
            {
                reader.Read();
                if (reader.GetInt64(1) >= mostOfSource) return EnrollmentQueueResult.SourceFull;
                if (reader.GetInt64(0) >= most) return EnrollmentQueueResult.Full;
            }

            using var insert = connection.CreateCommand();
            insert.CommandText =
                $"""
                INSERT INTO enrollments ({EnrollmentColumns})
                VALUES ($id, $digest, $fingerprint, $name, $dns, $addresses, $source, $requested, $expires, 0, '', '') ON CONFLICT (digest) DO NOTHING
                """;
            insert.Parameters.AddWithValue("$id", enrollment.Id);
            insert.Parameters.AddWithValue("$digest", enrollment.Digest.ToArray());
            insert.Parameters.AddWithValue("$fingerprint", enrollment.Fingerprint);
            insert.Parameters.AddWithValue("$name", enrollment.Name);
            insert.Parameters.AddWithValue("$dns", Join(enrollment.DnsNames));
            insert.Parameters.AddWithValue("$addresses", Join(enrollment.Addresses));
            insert.Parameters.AddWithValue("$source", enrollment.Source);
            insert.Parameters.AddWithValue("$requested", enrollment.Requested.ToUnixTimeSeconds());
            insert.Parameters.AddWithValue("$expires", enrollment.Expires.ToUnixTimeSeconds());
            insert.ExecuteNonQuery();
            return EnrollmentQueueResult.Queued;
        }, cancellation);

    public LedgerEnrollment? FindEnrollment(ReadOnlyMemory<byte> digest) => Read(connection =>
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT {EnrollmentColumns} FROM enrollments WHERE digest = $digest AND expires_at > $now";
        command.Parameters.AddWithValue("$digest", digest.ToArray());
        return ReadEnrollments(command).SingleOrDefault();
    });

    public IReadOnlyList<LedgerEnrollment> ListEnrollments(int limit) => Read(connection =>
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT {EnrollmentColumns} FROM enrollments WHERE expires_at > $now ORDER BY requested_at DESC, id LIMIT $limit";
        command.Parameters.AddWithValue("$limit", limit);
        return ReadEnrollments(command);
    });

    public Task<LedgerEnrollment?> DecideEnrollmentAsync(string id, LedgerEnrollmentState state, string by, DateTimeOffset expires, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            using var command = connection.CreateCommand();
            command.CommandText =
                $"""
                UPDATE enrollments SET state = $state, decided_by = $by, decided_at = $now, expires_at = $expires
                WHERE id = $id AND state = 0 AND expires_at > $now RETURNING {EnrollmentColumns}
                """;
            command.Parameters.AddWithValue("$id", id);
            command.Parameters.AddWithValue("$state", (long)state);
            command.Parameters.AddWithValue("$by", by);
            command.Parameters.AddWithValue("$expires", expires.ToUnixTimeSeconds());
            return ReadEnrollments(command).SingleOrDefault();
        }, cancellation);

    public Task<bool> UseLoginAsync(ReadOnlyMemory<byte> digest, DateTimeOffset expires, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            using var command = connection.CreateCommand();
            command.CommandText =
                """
                DELETE FROM logins WHERE expires_at <= $now;
                INSERT INTO logins (digest, expires_at) VALUES ($digest, $expires) ON CONFLICT (digest) DO NOTHING RETURNING 1;
                """;
            command.Parameters.AddWithValue("$now", Now());
            command.Parameters.AddWithValue("$digest", digest.ToArray());
            command.Parameters.AddWithValue("$expires", expires.ToUnixTimeSeconds());
            return command.ExecuteScalar() is not null;
        }, cancellation);

    public Task EndEnrollmentAsync(string id, string serial, CancellationToken cancellation) =>
        WriteAsync(connection =>
        {
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE enrollments SET state = 3, serial = $serial WHERE id = $id AND state = 2";
            command.Parameters.AddWithValue("$id", id);
            command.Parameters.AddWithValue("$serial", serial);
            return command.ExecuteNonQuery();
        }, cancellation);

    List<LedgerEnrollment> ReadEnrollments(SqliteCommand command)
    {
        command.Parameters.AddWithValue("$now", Now());
        var rows = new List<LedgerEnrollment>();
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            rows.Add(new LedgerEnrollment(
                reader.GetString(0), (byte[])reader.GetValue(1), reader.GetString(2), reader.GetString(3), Split(reader.GetString(4)), Split(reader.GetString(5)),
                reader.GetString(6), DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(7)), DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(8)))
            {
                State = (LedgerEnrollmentState)reader.GetInt64(9),
                DecidedBy = reader.GetString(10),
                Serial = reader.GetString(11),
            });
        }
        return rows;
    }
}
