using Google.Protobuf;
using Grpc.Core;
using Microsoft.Data.Sqlite;
using Talos.Api.Trust.V1;
using Talos.Pki;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>A ledger that cannot be written or read: everything that needs it is refused with the reason, and nothing of it happens.</summary>
public sealed class LedgerUnavailableTests
{
    [Fact]
    public async Task Denies_whatever_it_cannot_write_and_goes_on_when_it_can_again()
    {
        await using var trustd = await RunningTrustd.StartAsync();
        var administrator = await trustd.AdministratorAsync();
        var token = (await administrator.TokenCreateAsync(new TokenCreateRequest { Names = { "worker-*" } })).Token;
        var certificates = (await administrator.CertificateListAsync(new CertificateListRequest())).Certificates.Count;
        var refusals = (await administrator.RefusalListAsync(new RefusalListRequest())).Refusals.Count;
        using var csr = CertificateSigningRequest.Create("bob");
        using var machine = CertificateSigningRequest.Create("worker-9", ["worker-9"], []);
        using var waiting = CertificateSigningRequest.Create("worker-8", ["worker-8"], []);
        var large = ByteString.CopyFrom(new byte[2 << 20]);
        var bob = new IssueClientRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Name = "bob", Roles = { "os:reader" } };
        var calls = new Dictionary<string, Func<Task>>
        {
            ["issue"] = () => administrator.IssueClientAsync(bob).ResponseAsync,
            ["enroll"] = () => trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(machine.Der.Span), Token = token }).ResponseAsync,
            ["apply"] = () => trustd.Stranger().EnrollmentApplyAsync(new EnrollmentApplyRequest { Csr = ByteString.CopyFrom(waiting.Der.Span) }).ResponseAsync,
            ["too large"] = () => administrator.RenewAsync(new RenewRequest { Csr = large }).ResponseAsync,
            ["token create"] = () => administrator.TokenCreateAsync(new TokenCreateRequest { Names = { "worker-*" } }).ResponseAsync,
            ["token revoke"] = () => administrator.TokenRevokeAsync(new TokenRevokeRequest { Id = token.Split('.')[0] }).ResponseAsync,
            ["revoke"] = () => administrator.CertificateRevokeAsync(new CertificateRevokeRequest { Name = "alice" }).ResponseAsync,
            ["rotate"] = () => administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Prepare }).ResponseAsync,
        };

        using (var other = new SqliteConnection($"Data Source={Path.Combine(trustd.Folder, "state", "ledger.db")};Pooling=False"))
        {
            other.Open();
            // Who writes holds the one lock there is for that; as good as a full disk, and ends when it is told to.
            using var held = other.BeginTransaction(deferred: false);
            foreach (var (what, call) in calls)
            {
                var refusal = await Assert.ThrowsAsync<RpcException>(call);
                Assert.True(refusal.StatusCode == StatusCode.Unavailable, $"{what}: {refusal.Status}");
                Assert.Equal("ledger-unavailable", refusal.Trailers.GetValue("talos-reason"));
                Assert.Contains("cannot write the ledger", refusal.Status.Detail, StringComparison.Ordinal);
                Assert.Contains("room", refusal.Trailers.GetValue("talos-hint"), StringComparison.Ordinal);
            }
            // What was not written cannot be told of either: a bad request is refused for what it is.
            await RunningTrustd.RefusedAsync(administrator.RenewAsync(new RenewRequest { Csr = ByteString.CopyFromUtf8("x") }), "pki.malformed-der");
        }

        Assert.Equal(certificates, (await administrator.CertificateListAsync(new CertificateListRequest())).Certificates.Count);
        Assert.Equal(refusals, (await administrator.RefusalListAsync(new RefusalListRequest())).Refusals.Count);
        Assert.Equal(AuthorityPhase.Steady, (await administrator.AuthorityStatusAsync(new AuthorityStatusRequest())).Phase);
        Assert.Empty((await administrator.EnrollmentListAsync(new EnrollmentListRequest())).Enrollments);
        // The use of the token was not lost.
        foreach (var what in new[] { "issue", "enroll", "apply", "token create", "rotate", "token revoke", "revoke" }) await calls[what]();
    }

    [Fact]
    public async Task Denies_whatever_it_cannot_read_and_goes_on_when_it_can_again()
    {
        await using var trustd = await RunningTrustd.StartAsync();
        await trustd.AdministratorAsync();
        var token = (await (await trustd.AgainAsync()).TokenCreateAsync(new TokenCreateRequest { Names = { "worker-*" } })).Token;
        var file = Path.Combine(trustd.Folder, "state", "ledger.db");
        await trustd.RestartAsync(() =>
        {
            using var other = new SqliteConnection($"Data Source={file};Pooling=False");
            other.Open();
            using var command = other.CreateCommand();
            command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
            command.ExecuteNonQuery();
        });
        var administrator = await trustd.AgainAsync();
        using var machine = CertificateSigningRequest.Create("worker-9", ["worker-9"], []);
        using var waiting = CertificateSigningRequest.Create("worker-8", ["worker-8"], []);
        using var csr = CertificateSigningRequest.Create("alice");
        var calls = new Dictionary<string, Func<Task>>
        {
            ["list"] = () => administrator.CertificateListAsync(new CertificateListRequest()).ResponseAsync,
            ["show"] = () => administrator.CertificateListAsync(new CertificateListRequest { Serial = trustd.AdministratorSerial }).ResponseAsync,
            ["tokens"] = () => administrator.TokenListAsync(new TokenListRequest()).ResponseAsync,
            ["enrollments"] = () => administrator.EnrollmentListAsync(new EnrollmentListRequest()).ResponseAsync,
            ["status"] = () => administrator.AuthorityStatusAsync(new AuthorityStatusRequest()).ResponseAsync,
            ["renew"] = () => administrator.RenewAsync(new RenewRequest { Csr = ByteString.CopyFrom(csr.Der.Span) }).ResponseAsync,
            ["enroll"] = () => trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(machine.Der.Span), Token = token }).ResponseAsync,
            ["apply"] = () => trustd.Stranger().EnrollmentApplyAsync(new EnrollmentApplyRequest { Csr = ByteString.CopyFrom(waiting.Der.Span) }).ResponseAsync,
            ["bundle"] = () => trustd.Stranger().CABundleAsync(new CABundleRequest { TokenId = token.Split('.')[0], Nonce = ByteString.CopyFrom(new byte[16]) }).ResponseAsync,
        };
        // A write makes readers forget what they have in memory.
        await RunningTrustd.RefusedAsync(administrator.RenewAsync(new RenewRequest { Csr = ByteString.CopyFromUtf8("x") }), "pki.malformed-der");

        byte[] whole;
        using (var disk = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            whole = new byte[disk.Length];
            disk.ReadExactly(whole);
            // The first page stays: everything after it is gone from the disk.
            disk.SetLength(4096);
        }
        foreach (var (what, call) in calls)
        {
            var refusal = Assert.IsType<RpcException>(await Record.ExceptionAsync(call) ?? throw new InvalidOperationException($"{what}: was answered"));
            Assert.True(refusal.StatusCode == StatusCode.Unavailable, $"{what}: {refusal.Status}");
            Assert.Equal("ledger-unavailable", refusal.Trailers.GetValue("talos-reason"));
            Assert.Contains("cannot read the ledger", refusal.Status.Detail, StringComparison.Ordinal);
            Assert.Contains("backup", refusal.Trailers.GetValue("talos-hint"), StringComparison.Ordinal);
        }

        using (var disk = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite)) disk.Write(whole);
        foreach (var call in calls.Values) await call();
    }
}
