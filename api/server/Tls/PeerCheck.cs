using System.Security.Cryptography.X509Certificates;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>Decides whether a certificate that came in a handshake says who its holder is.</summary>
sealed class PeerCheck(string cluster, RevocationView revocations, TimeProvider time)
{
    /// <summary>The verified identity; null with the reason in <paramref name="attempt"/>.</summary>
    public PeerIdentity? Verify(X509Certificate certificate, X509Chain? chain, TrustMaterial current, Handshake attempt)
    {
        if (current.Roots is not { } roots)
        {
            attempt.Fail(HandshakeFailure.UntrustedCertificate, "this server trusts nobody yet");
            return null;
        }
        var sent = chain is null ? [] : chain.ChainPolicy.ExtraStore.Select(c => (ReadOnlyMemory<byte>)c.RawDataMemory);
        var result = PathValidator.Validate(certificate.GetRawCertData(), sent, roots, new ValidationOptions
        {
            Time = time.GetUtcNow(),
            Purpose = ValidationPurpose.Client,
            ExpectedCluster = cluster,
        });
        if (result.Peer is not { } peer)
        {
            attempt.Subject = result.Culprit?.Subject.ToString() ?? "";
            attempt.Fail(FailureOf(result.Reason), result.Message);
            return null;
        }
        if (revocations.Check(peer.Serial) == RevocationStatus.Revoked)
        {
            attempt.Subject = peer.ToString();
            attempt.Fail(HandshakeFailure.RevokedCertificate, $"the certificate {peer.Serial} of `{peer.Name}` was revoked");
            return null;
        }
        return peer;
    }

    static HandshakeFailure FailureOf(ValidationReason reason) => reason switch
    {
        ValidationReason.Expired => HandshakeFailure.ExpiredCertificate,
        ValidationReason.Revoked => HandshakeFailure.RevokedCertificate,
        _ => HandshakeFailure.UntrustedCertificate,
    };
}
