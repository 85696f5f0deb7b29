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
}
