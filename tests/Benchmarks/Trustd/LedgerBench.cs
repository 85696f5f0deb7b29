using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;

namespace Talos.Benchmarks;

/// <summary>A trustd whose ledger holds a million certificates: how long it takes to start, and to list those of one name.</summary>
static class LedgerBench
{
    public static async Task<int> Run(int entries)
    {
        var folder = Directory.CreateTempSubdirectory("talos-bench-").FullName;
        try
        {
            SQLitePCL.Batteries_V2.Init();
            var token = TokenSecret.Generate();
            using (await TrustdProgram.StartAsync(folder, [TrustdProgram.ForAdministrator(token)]))
            {
                // Makes the state.
            }
            var empty = Stopwatch.GetTimestamp();
            using (await TrustdProgram.StartAsync(folder, [TrustdProgram.ForAdministrator(token)]))
                Console.WriteLine(Line("start, empty ledger", Stopwatch.GetElapsedTime(empty).TotalMilliseconds));
            Fill(Path.Combine(folder, "state", "ledger.db"), entries);

            var began = Stopwatch.GetTimestamp();
            using var trustd = await TrustdProgram.StartAsync(folder, [TrustdProgram.ForAdministrator(token)]);
            Console.WriteLine(Line($"start, {entries} entries", Stopwatch.GetElapsedTime(began).TotalMilliseconds));
            using var own = await trustd.AdministratorAsync(token);
            using var channel = trustd.Connect(own);
            var client = new TrustService.TrustServiceClient(channel);
            await client.CertificateListAsync(new CertificateListRequest { Name = "node-1" });
            foreach (var (what, request) in new[]
            {
                ("list by name, 100 newest", new CertificateListRequest { Name = "node-77" }),
                ("list all, 100 newest", new CertificateListRequest()),
                ("one by serial", new CertificateListRequest { Serial = Serial(entries / 2) }),
            })
            {
                var times = new double[50];
                for (var i = 0; i < times.Length; i++)
                {
                    var begun = Stopwatch.GetTimestamp();
                    await client.CertificateListAsync(request);
                    times[i] = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
                }
                Array.Sort(times);
                Console.WriteLine(Line($"{what}, over mutual TLS: p50", times[25]));
                Console.WriteLine(Line($"{what}, over mutual TLS: slowest of 50", times[^1]));
            }
            var status = Stopwatch.GetTimestamp();
            await client.AuthorityStatusAsync(new AuthorityStatusRequest());
            Console.WriteLine(Line("where a change of the CA stands", Stopwatch.GetElapsedTime(status).TotalMilliseconds));
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A thousand nodes with a thousand certificates each, the last of each still valid.</summary>
    static void Fill(string path, int entries)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var transaction = connection.BeginTransaction();
        using var command = connection.CreateCommand();
        command.CommandText =
            """
            INSERT INTO certificates (serial, instance, name, roles, spiffe, basis, requester, key_digest, not_before, not_after, reserved_at, issuer, policy, authority, ordinal)
            VALUES ($serial, 1, $name, 'os:node', $spiffe, 'renewal', $name, randomblob(32), $at, $at + 86400, $at, '', '', 1, $at);
            INSERT INTO issued (id, issued_at, der) VALUES (last_insert_rowid(), $at, randomblob(620));
            """;
        var serial = command.Parameters.Add("$serial", SqliteType.Text);
        var name = command.Parameters.Add("$name", SqliteType.Text);
        var spiffe = command.Parameters.Add("$spiffe", SqliteType.Text);
        var at = command.Parameters.Add("$at", SqliteType.Integer);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        for (var i = 0; i < entries; i++)
        {
            serial.Value = Serial(i);
            name.Value = $"node-{i % 1000}";
            spiffe.Value = $"spiffe://bench/node/node-{i % 1000}";
            at.Value = now - (long)(entries - i) / 1000 * 43_200;
            command.ExecuteNonQuery();
        }
        transaction.Commit();
    }

    // Spread as random serials are.
    static string Serial(int i) => Convert.ToHexStringLower([1, .. System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(i)).AsSpan(0, 17)]);

    static string Line(string what, double milliseconds) => string.Create(CultureInfo.InvariantCulture, $"  {what,-52} {milliseconds,9:F1} ms");
}
