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

    // A few times round the world; a node that is gone keeps nobody longer.
    static readonly TimeSpan Parting = TimeSpan.FromSeconds(1);

    readonly Endpoint _endpoint;
    readonly PeerKind _kind;
    readonly TimeProvider _time;
    readonly Unproven _unproven;
    readonly PeerConnection? _carrier;
    CarriedStream? _carried;
    IReadOnlyList<X509Certificate2> _sent = [];

    PeerConnection(Endpoint endpoint, PeerKind kind, ClientCredentials? credentials, TimeProvider time, Unproven unproven = Unproven.Refused, PeerConnection? carrier = null)
    {
        (_endpoint, _kind, _time, Credentials, _unproven, _carrier) = (endpoint, kind, time, credentials, unproven, carrier);
        var handler = new SocketsHttpHandler
        {
            SslOptions = TlsOptions(),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            // A node that loses power says nothing; a follower has to notice.
            KeepAlivePingDelay = TimeSpan.FromSeconds(15),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
            UseProxy = false,
        };
        if (carrier is not null) handler.ConnectCallback = async (_, cancellation) => _carried = await CarriedStream.OpenAsync(carrier, endpoint, cancellation).ConfigureAwait(false);
        Channel = GrpcChannel.ForAddress($"https://{endpoint}", new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessage,
            // Whether to ask again is the person's decision, and the record shows each call.
            MaxRetryAttempts = null,
        });
    }

    public GrpcChannel Channel { get; }

    public ClientCredentials? Credentials { get; private set; }

    public Endpoint Endpoint => _endpoint;

    /// <summary>Why the peer was refused; null when it was not.</summary>
    public ValidationResult? Refusal { get; private set; }

    /// <summary>What the peer showed, whether or not it was believed.</summary>
    public X509Certificate2? Shown { get; private set; }

    /// <param name="endpoint">Where the node answers.</param>
    /// <param name="credentials">Whom to speak as, and whom to believe.</param>
    /// <param name="time">For the validity of certificates.</param>
    /// <param name="via">Another node that carries the connection. TLS runs from here to the node itself, so the other one only sees that it is there.</param>
    public static PeerConnection ToNode(Endpoint endpoint, ClientCredentials credentials, TimeProvider time, Endpoint? via = null) =>
        new(endpoint, PeerKind.Node, credentials, time, carrier: via is null ? null : ToNode(via, credentials, time));

    /// <summary>Another connection to the same node, the same way.</summary>
    public PeerConnection Again() =>
        new(_endpoint, _kind, Credentials ?? throw new InvalidOperationException("there is nothing to judge the peer by"), _time, carrier: _carrier?.Again());

    public static PeerConnection ToTrustd(Endpoint endpoint, ClientCredentials credentials, TimeProvider time) => new(endpoint, PeerKind.Trustd, credentials, time);

    /// <summary>Accepts whoever answers: for what is not believed at all.</summary>
    public static PeerConnection Unverified(Endpoint endpoint, TimeProvider time) => new(endpoint, PeerKind.Unknown, null, time, Unproven.Accepted);

    /// <summary>Accepts whoever answers, once, until <see cref="Believes"/>: for a first question whose answer carries its own proof.</summary>
    public static PeerConnection ToUnprovenTrustd(Endpoint endpoint, TimeProvider time) => new(endpoint, PeerKind.Trustd, null, time, Unproven.AcceptedOnce);

    /// <summary>
    /// Whether who answered holds a certificate that <paramref name="proven"/> vouch for; they judge every later connection too. When it is
    /// false, with <see cref="Refusal"/>, nothing may be sent any more.
    /// </summary>
    public bool Believes(TrustStore proven)
    {
        Credentials = ClientCredentials.Anonymous(proven);
        Refusal = Validate(Shown ?? throw new InvalidOperationException("nobody has answered yet"), _sent, Credentials);
        return Refusal is null;
    }

    public void Dispose()
    {
        Channel.Dispose();
        _carried?.PartedAsync().Wait(Parting);
        _carrier?.Dispose();
    }

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
        var isFirst = Shown is null;
        (Shown, _sent) = (new X509Certificate2(leaf), chain is null ? [] : [.. chain.ChainPolicy.ExtraStore]);
        // Of two connections one could be judged and the other be used.
        if (Credentials is not { } credentials) return _unproven == Unproven.Accepted || (_unproven == Unproven.AcceptedOnce && isFirst);
        Refusal = Validate(Shown, _sent, credentials);
        return Refusal is null;
    }

    ValidationResult? Validate(X509Certificate2 leaf, IReadOnlyList<X509Certificate2> sent, ClientCredentials credentials)
    {
        var result = PathValidator.Validate(leaf.RawDataMemory, sent.Select(c => c.RawDataMemory), credentials.Trust, new ValidationOptions
        {
            Time = _time.GetUtcNow(),
            Purpose = ValidationPurpose.Server,
            ExpectedKinds = [_kind],
            ExpectedName = ExpectedName.Host(_endpoint.Host),
        });
        return result.Reason == ValidationReason.Valid ? null : result;
    }

    /// <summary>What becomes of a peer while there is nothing to judge it by.</summary>
    enum Unproven
    {
        Refused = 0,
        AcceptedOnce,
        Accepted,
    }
}
