using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Pki;
using Talos.Trustd.Ledger;
using Xunit;

namespace Talos.Trustd.Tests;

public sealed class DiskFullTests
{
    [Fact]
    public async Task Issues_nothing_that_it_cannot_record_and_goes_on_when_there_is_room()
    {
        var folder = Directory.CreateTempSubdirectory("talos-full-").FullName;
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder), "SKIPPED: a small file system cannot be mounted here (not root)");
        try
        {
            var trustd = await RunningTrustd.StartAsync(folder);
            var received = new List<string>();
            try
            {
                var administrator = await trustd.AdministratorAsync();
                received.Add(trustd.AdministratorSerial);
                received.Add(await IssueAsync(administrator));
                Fill(folder);

                RpcException? refusal = null;
                for (var i = 0; refusal is null && i < 5000; i++)
                {
                    try
                    {
                        received.Add(await IssueAsync(administrator));
                    }
                    catch (RpcException e)
                    {
                        refusal = e;
                    }
                }
                Assert.NotNull(refusal);
                Assert.Equal(StatusCode.Unavailable, refusal.StatusCode);
                Assert.Contains(refusal.Trailers.GetValue("talos-reason"), new[] { "ledger-unavailable", "audit-unavailable" });

                File.Delete(Path.Combine(folder, "ballast"));
                received.Add(await IssueAsync(administrator));
                foreach (var serial in received)
                    Assert.Equal(serial, Assert.Single((await administrator.CertificateListAsync(new CertificateListRequest { Serial = serial })).Certificates).Serial);
                await trustd.RestartAsync(() =>
                {
                    using var record = trustd.OpenRecord();
                    var written = record.Read(0, long.MaxValue).Where(r => r.Entry.Kind == EntryKind.CertificateIssued).Select(r => r.Entry.Details["serial"]).ToHashSet();
                    Assert.Empty(received.Except(written));
                });
            }
            finally
            {
                await trustd.StopAsync();
            }
        }
        finally
        {
            Assert.True(Run("umount", folder), "the small file system could not be taken away");
            Directory.Delete(folder);
        }
    }

    [Fact]
    public async Task Leaves_an_older_ledger_as_it_is_when_there_is_no_room_to_bring_it_up_to_date()
    {
        const int Certificates = 20_000;
        var folder = Directory.CreateTempSubdirectory("talos-full-").FullName;
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", folder), "SKIPPED: a small file system cannot be mounted here (not root)");
        try
        {
            var path = Path.Combine(folder, "ledger.db");
            using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={path};Pooling=False"))
            {
                connection.Open();
                LedgerSchema.Apply(connection, upTo: 3);
                using var command = connection.CreateCommand();
                command.CommandText =
                    $"""
                    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {Certificates})
                    INSERT INTO certificates (serial, instance, name, roles, spiffe, basis, requester, key_digest, not_before, not_after, reserved_at, issued_at, der,
                                              issuer, policy, authority, ordinal)
                    SELECT lower(hex(randomblob(18))), 1, 'n', '', 'spiffe://demo/node/n', 'renewal', 'n', randomblob(32), i, 4000000000, i, i, randomblob(620), 'aa', 'r1', 1, 0 FROM n;
                    """;
                command.ExecuteNonQuery();
            }
            var size = new FileInfo(path).Length;
            Assert.True(Run("mount", "-o", $"remount,size={size + (4 << 20)}", folder), "the small file system could not be made smaller");

            var refusal = Assert.Throws<LedgerException>(() => CertificateLedger.Open(path, TimeProvider.System));

            Assert.Contains("full", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("has room", refusal.Hint, StringComparison.Ordinal);
            // Nothing is left that would keep the disk full, and nothing was lost.
            Assert.Equal([path], Directory.GetFiles(folder));
            Assert.Equal(size, new FileInfo(path).Length);
            Assert.True(Run("mount", "-o", "remount,size=200m", folder), "the small file system could not be made larger");
            var told = new List<string>();
            await using var ledger = CertificateLedger.Open(path, TimeProvider.System, told.Add);
            Assert.Contains($"layout 3 and {Certificates} certificates", told[0], StringComparison.Ordinal);
            Assert.Contains("has layout 5 after", told[^1], StringComparison.Ordinal);
            Assert.Equal(Certificates, ledger.ListCertificates(new CertificateFilter(Name: "n"), int.MaxValue).Count);
            // The log was moved into the file: the next start does not read it again.
            Assert.Equal(0, new FileInfo(path + "-wal").Length);
        }
        finally
        {
            Assert.True(Run("umount", folder), "the small file system could not be taken away");
            Directory.Delete(folder);
        }
    }

    static async Task<string> IssueAsync(TrustService.TrustServiceClient administrator)
    {
        using var csr = CertificateSigningRequest.Create("bob");
        var answer = await administrator.IssueClientAsync(new IssueClientRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Name = "bob", Roles = { "os:reader" } });
        return Certificate.Parse(answer.Certificate.Span).Require().Serial;
    }

    static void Fill(string folder)
    {
        using var ballast = new FileStream(Path.Combine(folder, "ballast"), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[64 * 1024];
        try
        {
            while (true) ballast.Write(block);
        }
        catch (IOException)
        {
            // Full, as it was meant to be.
        }
    }

    static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
