using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Pki;
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
