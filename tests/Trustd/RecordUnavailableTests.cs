using Talos.Api.Server;
using Talos.Audit;
using Talos.Pki;
using Talos.Trustd.Authority;
using Talos.Trustd.Issuance;
using Talos.Trustd.Ledger;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>A record that fails when the certificate is signed already: the certificate does not leave, and the ledger has it.</summary>
public sealed class RecordUnavailableTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("talos-record-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Denies_a_certificate_that_was_signed_and_cannot_be_put_on_the_record()
    {
        await using var ledger = CertificateLedger.Open(Path.Combine(folder, "ledger.db"), TimeProvider.System);
        using var signer = Ed25519CheckpointSigner.Create("demo/cp-1/trustd");
        using var csr = CertificateSigningRequest.Create("worker-1");
        var request = VerifiedRequest.Parse(csr.Der.Span).Require();
        var order = new CertificateOrder
        {
            Profile = CertificateProfile.Node,
            Grant = new IdentityGrant { Cluster = "demo", Name = "worker-1", Roles = ["os:node"] },
            Basis = Evidence.Token,
            Requester = "token a",
            Policy = "r1",
            AuthenticatedAt = DateTimeOffset.UtcNow,
        };
        await using (var record = Open(signer))
        {
            using var keeper = await AuthorityKeeper.OpenAsync(folder, "demo", ledger, record, TimeProvider.System, default);
            // Runs right before the serial is reserved: from there on nothing is on the record.
            Task EndAsync() => record.DisposeAsync().AsTask();

            var refusal = await Assert.ThrowsAsync<RefusalException>(() => new Issuer(keeper, ledger, record).IssueAsync(order, request, null, default, EndAsync));

            Assert.Equal((RefusalReason.AuditUnavailable, "audit-unavailable"), (refusal.Reason, refusal.Id));
            Assert.StartsWith("the certificate cannot be put on the record, so it is not given out: ", refusal.Message, StringComparison.Ordinal);
            Assert.NotEmpty(refusal.Hint);
        }
        // It was signed, so it is listed, and can be revoked like any other.
        var signed = Assert.Single(ledger.ListCertificates(new CertificateFilter(Name: "worker-1"), 10));
        Assert.False(ledger.FindCertificate(signed.Serial)!.Der.IsEmpty);
        Assert.Single(await ledger.RevokeAsync(new CertificateFilter(signed.Serial), "alice", "lost", default));

        await using (var record = Open(signer))
        {
            using var keeper = await AuthorityKeeper.OpenAsync(folder, "demo", ledger, record, TimeProvider.System, default);
            var issued = await new Issuer(keeper, ledger, record).IssueAsync(order, request, null, default);
            Assert.NotEqual(signed.Serial, issued.Certificate.Serial);
            Assert.Equal([issued.Certificate.Serial], record.Read(0, long.MaxValue).Where(r => r.Entry.Kind == EntryKind.CertificateIssued).Select(r => r.Entry.Details["serial"]));
            // Taken back while nothing could be recorded; the next start made up for it, once.
            var revoked = Assert.Single(record.Read(0, long.MaxValue).ToArray(), r => r.Entry.Kind == EntryKind.CertificateRevoked).Entry;
            Assert.Equal((signed.Serial, "alice", "lost"), (revoked.Details["serial"], revoked.Details["by"], revoked.Details["reason"]));
            Assert.Empty(ledger.ListUnrecordedRevocations());
        }
    }

    AuditLog Open(Ed25519CheckpointSigner signer) => AuditLog.Open(Path.Combine(folder, "audit"), new AuditLogOptions { Signer = signer, Node = "cp-1" });
}
