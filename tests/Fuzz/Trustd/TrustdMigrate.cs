using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Talos.Trustd.Ledger;

namespace Talos.Fuzz;

/// <summary>
/// `trustd-migrate ENTRIES KILLS [DIRECTORY]`: a ledger of the third layout is brought to the newest by a process that is killed with SIGKILL, again and again at
/// random moments, and at last left alone. Nothing of the ledger may be missing then.
/// </summary>
static class TrustdMigrate
{
    const string Columns = "serial, instance, name, roles, spiffe, basis, requester, hex(key_digest), not_before, not_after, reserved_at, issuer, policy, authenticated_at, authority, ordinal, revoked_at";

    public static async Task<int> Child(string[] args)
    {
        SQLitePCL.Batteries_V2.Init();
        await using var ledger = CertificateLedger.Open(args[0], TimeProvider.System, line => Console.Error.WriteLine(line));
        return 0;
    }

    public static async Task<int> Run(string[] args)
    {
        var entries = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000;
        var kills = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 20;
        var directory = args.Length > 2 ? args[2] : Path.Combine(Path.GetTempPath(), $"talos-trustd-migrate-{Environment.ProcessId}");
        Directory.CreateDirectory(directory);
        SQLitePCL.Batteries_V2.Init();
        try
        {
            var path = Path.Combine(directory, "ledger.db");
            await CreateAsync(path, entries);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{entries} certificates in layout 3, {Size(directory) >> 20} MiB"));
            var before = await DigestAsync(path, $"SELECT {Columns}, coalesce(issued_at, 0), hex(coalesce(der, x'')) FROM certificates ORDER BY serial");
            var random = new Random(kills);
            // How long it takes when nobody interrupts it, from a copy.
            var copy = Path.Combine(directory, "copy.db");
            File.Copy(path, copy);
            var took = await MigrateAsync(copy, null);
            foreach (var file in Directory.GetFiles(directory, "copy.db*")) File.Delete(file);
            var killed = 0;
            while (killed < kills)
            {
                // Not near the end, where a quicker run would be done already.
                await MigrateAsync(path, took * (0.05 + (0.8 * random.NextDouble())));
                if (await LayoutAsync(path) > 3) break;
                killed++;
            }
            await MigrateAsync(path, null, isTold: true);
            var after = await DigestAsync(path, $"SELECT {Columns}, coalesce(i.issued_at, 0), hex(coalesce(i.der, x'')) FROM certificates c LEFT JOIN issued i ON i.id = c.id ORDER BY serial");
            var isOrdered = await DigestAsync(path, "SELECT 1 FROM certificates a JOIN certificates b ON b.id = a.id + 1 WHERE (b.reserved_at, b.ordinal) < (a.reserved_at, a.ordinal)") == await DigestAsync(path, "SELECT 1 WHERE 0");
            var layout = await LayoutAsync(path);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{killed} kills; {took.TotalSeconds:F1} s when undisturbed; layout {layout}, {Size(directory) >> 20} MiB afterwards"));
            var isSame = before == after && isOrdered;
            Console.WriteLine(isSame ? "1 passed, 0 failed" : "the ledger is not what it was\n0 passed, 1 failed");
            return isSame ? 0 : 1;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    static async Task<TimeSpan> MigrateAsync(string path, TimeSpan? killAfter, bool isTold = false)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["trustd-migrate-child", path]);
        start.RedirectStandardError = true;
        // As init starts it: what SQLite puts aside lies beside the ledger.
        start.Environment["SQLITE_TMPDIR"] = Path.GetDirectoryName(Path.GetFullPath(path));
        var began = Stopwatch.GetTimestamp();
        using var child = Process.Start(start)!;
        var said = child.StandardError.ReadToEndAsync();
        if (killAfter is { } moment && !child.WaitForExit(moment)) child.Kill();
        await child.WaitForExitAsync();
        if (isTold) Console.Write(await said);
        if (killAfter is null && child.ExitCode != 0) throw new InvalidOperationException($"the ledger cannot be brought up to date: {await said}");
        return Stopwatch.GetElapsedTime(began);
    }

    static async Task CreateAsync(string path, int entries)
    {
        await using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        await connection.OpenAsync();
        LedgerSchema.Apply(connection, upTo: 3);
        await using var transaction = connection.BeginTransaction();
        await using var command = connection.CreateCommand();
        command.CommandText =
            """
            INSERT INTO certificates (serial, instance, name, roles, spiffe, basis, requester, key_digest, not_before, not_after, reserved_at, issued_at, der,
                                      revoked_at, issuer, policy, authenticated_at, authority, ordinal)
            VALUES ($serial, 1, $name, 'os:node', 'spiffe://demo/node/' || $name, 'renewal', $name, randomblob(32), $at, $at + 86400, $at, $issued, $der,
                    NULL, 'aa', 'r1', $at, 1, $ordinal);
            """;
        var (serial, name, at, issued, der, ordinal) = (Add("$serial"), Add("$name"), Add("$at"), Add("$issued"), Add("$der"), Add("$ordinal"));
        for (var i = 0; i < entries; i++)
        {
            // Spread as random serials are.
            serial.Value = Convert.ToHexStringLower([1, .. SHA256.HashData(BitConverter.GetBytes(i)).AsSpan(0, 17)]);
            name.Value = $"node-{i % 1000}";
            at.Value = 1_700_000_000L + (i / 7);
            ordinal.Value = i % 7;
            // One in fifty was reserved and never issued.
            issued.Value = i % 50 == 0 ? DBNull.Value : at.Value;
            der.Value = i % 50 == 0 ? DBNull.Value : RandomNumberGenerator.GetBytes(620);
            await command.ExecuteNonQueryAsync();
        }
        await transaction.CommitAsync();

        SqliteParameter Add(string parameter) => command.Parameters.Add(new SqliteParameter { ParameterName = parameter });
    }

    static async Task<string> DigestAsync(string path, string query)
    {
        await using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = query;
        await using var reader = await command.ExecuteReaderAsync();
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var row = new object[reader.FieldCount];
        while (await reader.ReadAsync())
        {
            reader.GetValues(row);
            digest.AppendData(System.Text.Encoding.UTF8.GetBytes(string.Join('|', row) + "\n"));
        }
        return Convert.ToHexString(digest.GetHashAndReset());
    }

    static async Task<long> LayoutAsync(string path)
    {
        await using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA user_version";
        return (long)(await command.ExecuteScalarAsync())!;
    }

    static long Size(string directory) => Directory.GetFiles(directory).Sum(f => new FileInfo(f).Length);
}
