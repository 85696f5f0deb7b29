using Microsoft.Data.Sqlite;

namespace Talos.AotSelfTest;

/// <summary>SQLite, linked statically: `TalosStaticSqlite` of MuslStatic.targets.</summary>
static class SqliteCases
{
    internal static void Run(Cases cases)
    {
        SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_e_sqlite3());

        cases.Run("sqlite: what was committed is there after opening again, what was not is not", () =>
        {
            var path = $"/tmp/self-test-{Environment.ProcessId}.db";
            using (var connection = Open(path))
            {
                Execute(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE entry (serial BLOB PRIMARY KEY, name TEXT NOT NULL)");
                using (var transaction = connection.BeginTransaction())
                {
                    Execute(connection, "INSERT INTO entry VALUES (x'01', 'kept')");
                    transaction.Commit();
                }
                using (connection.BeginTransaction()) Execute(connection, "INSERT INTO entry VALUES (x'02', 'lost')");
                Expect.Throws<SqliteException>(() => Execute(connection, "INSERT INTO entry VALUES (x'01', 'twice')"));
            }
            using (var connection = Open(path))
            using (var command = new SqliteCommand("SELECT group_concat(name) FROM entry", connection))
                Expect.Equal("kept", (string?)command.ExecuteScalar());
            File.Delete(path);
        });

        cases.Run("sqlite: several threads read while one writes", () =>
        {
            var path = $"/tmp/self-test-{Environment.ProcessId}-threads.db";
            using var writer = Open(path);
            Execute(writer, "PRAGMA journal_mode=WAL; CREATE TABLE number (value INTEGER)");
            var readers = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
            {
                using var reader = Open(path);
                using var command = new SqliteCommand("SELECT count(*) FROM number", reader);
                for (var i = 0; i < 100; i++) Expect.True((long)command.ExecuteScalar()! >= 0);
            })).ToArray();
            foreach (var reader in readers) reader.Start();
            for (var i = 0; i < 100; i++) Execute(writer, "INSERT INTO number VALUES (1)");
            foreach (var reader in readers) reader.Join();
        });
    }

    static SqliteConnection Open(string path)
    {
        var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        return connection;
    }

    static void Execute(SqliteConnection connection, string statement)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // every statement is a literal of this file
        command.CommandText = statement;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
