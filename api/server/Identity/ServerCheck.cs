using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Talos.Api.Configuration;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>How a server of ours looks at the server it calls: its certificate, and nothing of the platform's own trust.</summary>
/// <param name="roots">Null only for discovery, where the answer carries its own proof.</param>
sealed class ServerCheck(Endpoint endpoint, TrustStore? roots, string cluster, TimeProvider time)
{
    public TimeProvider Time { get; } = time;

    /// <summary>What the server has to be.</summary>
    public PeerKind Kind { get; init; } = PeerKind.Trustd;

    /// <summary>Who it is, once it was believed.</summary>
    public PeerIdentity? Peer { get; private set; }

    /// <summary>Why the server was not believed, once it was not.</summary>
    public string? Fault { get; private set; }

    // LIMIT: what gRPC clients take by default.
    const int MaxMessage = 4 << 20;

    public static GrpcChannel Open(Endpoint endpoint, ServerCheck check, TrustMaterial? own, int maxMessage = MaxMessage)
    {
        var tls = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            TargetHost = endpoint.Host,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            },
            ClientCertificateContext = own?.CertificateContext,
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, certificate, chain, _) => check.Accepts(certificate, chain),
        };
        return GrpcChannel.ForAddress($"https://{endpoint}", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { SslOptions = tls, UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(5) },
            DisposeHttpClient = true,
            MaxReceiveMessageSize = maxMessage,
        });
    }

    bool Accepts(X509Certificate? certificate, X509Chain? chain)
    {
        if (roots is null) return true;
        if (certificate is null)
        {
            Fault = "it has no certificate";
            return false;
        }
        var sent = chain is null ? [] : chain.ChainPolicy.ExtraStore.Select(c => (ReadOnlyMemory<byte>)c.RawDataMemory);
        var result = PathValidator.Validate(certificate.GetRawCertData(), sent, roots, new ValidationOptions
        {
            Time = Time.GetUtcNow(),
            Purpose = ValidationPurpose.Server,
            ExpectedKinds = [Kind],
            ExpectedCluster = cluster,
            ExpectedName = ExpectedName.Host(endpoint.Host),
        });
        if (result.Reason != ValidationReason.Valid) Fault = result.Message;
        Peer = result.Peer;
        return result.Reason == ValidationReason.Valid;
    }
}
