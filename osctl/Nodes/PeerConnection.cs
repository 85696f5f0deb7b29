using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Talos.Api.Configuration;
using Talos.Pki;

namespace Talos.Osctl.Nodes;

/// <summary>One mutual TLS 1.3 connection. The peer must chain to the context's CA, be of the expected kind and hold the name dialled.</summary>
sealed class PeerConnection : IDisposable
{
    // LIMIT: a compliance report of every catalogue is the largest answer.
    const int MaxMessage = 32 * 1024 * 1024;

    readonly Endpoint _endpoint;
    readonly PeerKind _kind;
    readonly TimeProvider _time;
    readonly Func<X509Certificate2, IReadOnlyList<X509Certificate2>, ValidationResult?> _judge;

    PeerConnection(Endpoint endpoint, PeerKind kind, ClientCredentials? credentials, TimeProvider time, Func<X509Certificate2, IReadOnlyList<X509Certificate2>, ValidationResult?>? judge)
    {
        (_endpoint, _kind, _time, Credentials) = (endpoint, kind, time, credentials);
        _judge = judge ?? Validate;
        Channel = GrpcChannel.ForAddress($"https://{endpoint}", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                SslOptions = TlsOptions(),
                ConnectTimeout = TimeSpan.FromSeconds(10),
                // A node that loses power says nothing; a follower has to notice.
                KeepAlivePingDelay = TimeSpan.FromSeconds(15),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
                UseProxy = false,
            },
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessage,
            // Whether to ask again is the person's decision, and the record shows each call.
            MaxRetryAttempts = null,
        });
    }

    public GrpcChannel Channel { get; }

    public ClientCredentials? Credentials { get; }

    public Endpoint Endpoint => _endpoint;

    /// <summary>Why the peer was refused; null when it was not.</summary>
    public ValidationResult? Refusal { get; private set; }

    /// <summary>What the peer showed, whether or not it was believed.</summary>
    public X509Certificate2? Shown { get; private set; }

    public static PeerConnection ToNode(Endpoint endpoint, ClientCredentials credentials, TimeProvider time) => new(endpoint, PeerKind.Node, credentials, time, null);

    public static PeerConnection ToTrustd(Endpoint endpoint, ClientCredentials credentials, TimeProvider time) => new(endpoint, PeerKind.Trustd, credentials, time, null);

    /// <summary>Believes nobody: for what authenticates itself otherwise, or what is not believed at all.</summary>
    public static PeerConnection Unverified(Endpoint endpoint, TimeProvider time) => new(endpoint, PeerKind.Unknown, null, time, (_, _) => null);

    public void Dispose() => Channel.Dispose();

    SslClientAuthenticationOptions TlsOptions() => new()
    {
        EnabledSslProtocols = SslProtocols.Tls13,
        TargetHost = _endpoint.Host,
        ClientCertificateContext = Credentials?.Certificate,
        RemoteCertificateValidationCallback = Judge,
        // The platform's chain is not looked at; without this it would search the machine's store and the network for it.
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
    };

    bool Judge(object sender, X509Certificate? leaf, X509Chain? chain, SslPolicyErrors errors)
    {
        if (leaf is null) return false;
        Shown = new X509Certificate2(leaf);
        Refusal = _judge(Shown, chain is null ? [] : [.. chain.ChainPolicy.ExtraStore]);
        return Refusal is null;
    }

    ValidationResult? Validate(X509Certificate2 leaf, IReadOnlyList<X509Certificate2> sent)
    {
        var result = PathValidator.Validate(leaf.RawDataMemory, sent.Select(c => c.RawDataMemory), Credentials!.Trust, new ValidationOptions
        {
            Time = _time.GetUtcNow(),
            Purpose = ValidationPurpose.Server,
            ExpectedKinds = [_kind],
            ExpectedName = ExpectedName.Host(_endpoint.Host),
        });
        return result.Reason == ValidationReason.Valid ? null : result;
    }
}
