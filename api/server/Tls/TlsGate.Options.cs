using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Talos.Pki;

namespace Talos.Api.Server;

sealed partial class TlsGate
{
    static readonly List<SslApplicationProtocol> Http2 = [SslApplicationProtocol.Http2];

    // .NET builds a chain before it calls back, and nothing turns that off; keep it from the network and from the system's store.
    static readonly X509ChainPolicy NoPlatformChain = new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    };

    SslServerAuthenticationOptions OptionsFor(Handshake attempt)
    {
        if (slot.Current is not { } current)
        {
            attempt.Fail(HandshakeFailure.NoServerCertificate, "this server has no certificate yet");
            throw new AuthenticationException("no server certificate");
        }
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = current.CertificateContext,
            EnabledSslProtocols = SslProtocols.Tls13,
            ApplicationProtocols = Http2,
            // A resumed session would carry an identity that was checked long ago, perhaps under a trust store that is gone.
            AllowTlsResume = false,
            AllowRenegotiation = false,
            ClientCertificateRequired = mode != ClientCertificates.NotRequested,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = NoPlatformChain,
            RemoteCertificateValidationCallback = (_, certificate, chain, _) => Verify(certificate, chain, current, attempt),
        };
    }

    bool Verify(X509Certificate? certificate, X509Chain? chain, TrustMaterial current, Handshake attempt)
    {
        if (certificate is null)
        {
            if (mode != ClientCertificates.Required) return true;
            attempt.Fail(HandshakeFailure.NoCertificate, "the peer sent no certificate");
            return false;
        }
        attempt.Peer = peers.Verify(certificate, chain, current, attempt);
        return attempt.Peer is not null;
    }
}

/// <summary>What is known of one handshake while it is made. The first failure is the one that counts.</summary>
sealed class Handshake
{
    public PeerIdentity? Peer { get; set; }

    /// <summary>What a refused certificate says of itself; unverified.</summary>
    public string Subject { get; set; } = "";

    public HandshakeFailure Failure { get; private set; }

    public string Detail { get; private set; } = "";

    public void Fail(HandshakeFailure failure, string detail)
    {
        if (Failure != HandshakeFailure.Unknown) return;
        Failure = failure;
        Detail = detail;
    }
}
