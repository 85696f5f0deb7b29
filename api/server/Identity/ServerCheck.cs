using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Talos.Api.Configuration;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>How a server of ours looks at the server it calls: its certificate, and nothing of the platform's own trust.</summary>
sealed class ServerCheck
{
    readonly Endpoint endpoint;
    readonly string cluster;
    volatile TrustStore? roots;
    (byte[] Certificate, ReadOnlyMemory<byte>[] Sent)? unproven;

    /// <param name="roots">What the server's certificate must lead to.</param>
    /// <exception cref="ArgumentException">There are no roots, so there is nobody to be called.</exception>
    public ServerCheck(Endpoint endpoint, TrustStore? roots, string cluster, TimeProvider time)
        : this(endpoint, cluster, time) => Trust(roots);

    /// <summary>Judges connections from now on by other roots.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public void Trust(TrustStore? anew) => roots = anew ?? throw new ArgumentException("the certificate comes without roots", nameof(anew));

    ServerCheck(Endpoint endpoint, string cluster, TimeProvider time) => (this.endpoint, this.cluster, Time) = (endpoint, cluster, time);

    /// <summary>Lets one connection be made to whoever answers: for a discovery, whose answer carries its own proof. See <see cref="Believes"/>.</summary>
    public static ServerCheck ForDiscovery(Endpoint endpoint, string cluster, TimeProvider time) => new(endpoint, cluster, time);

    public TimeProvider Time { get; }

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

    /// <summary>
    /// After a discovery: whether the server of the one connection there is holds a certificate that <paramref name="proven"/> vouch for. They judge
    /// every later connection too. When it is false, with <see cref="Fault"/>, nothing may be sent to it any more.
    /// </summary>
    public bool Believes(TrustStore proven)
    {
        roots = proven;
        if (unproven is var (certificate, sent)) return Judge(certificate, sent, proven);
        Fault = "there is no connection to it";
        return false;
    }

    bool Accepts(X509Certificate? certificate, X509Chain? chain)
    {
        if (certificate is null)
        {
            Fault = "it has no certificate";
            return false;
        }
        ReadOnlyMemory<byte>[] sent = chain is null ? [] : [.. chain.ChainPolicy.ExtraStore.Select(c => (ReadOnlyMemory<byte>)c.RawDataMemory)];
        if (roots is { } known) return Judge(certificate.GetRawCertData(), sent, known);
        if (unproven is not null)
        {
            // Of two connections one could be judged and the other be used.
            Fault = "it was connected to twice before it could prove itself";
            return false;
        }
        unproven = (certificate.GetRawCertData(), sent);
        return true;
    }

    bool Judge(byte[] certificate, ReadOnlyMemory<byte>[] sent, TrustStore known)
    {
        var result = PathValidator.Validate(certificate, sent, known, new ValidationOptions
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
