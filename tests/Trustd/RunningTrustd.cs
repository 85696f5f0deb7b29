using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Talos.Api.Configuration;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Pki;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>A real trustd on a loopback port, with its state in a folder of its own, and clients that speak TLS 1.3 to it.</summary>
public sealed class RunningTrustd : IAsyncDisposable
{
    readonly List<GrpcChannel> channels = [];
    X509Certificate2? administrator;
    LoginSection? login;
    RevocationListSection? lists;
    BootstrapToken? more;
    RateLimitSection limits = Patient;

    // Tests ask whether something has happened yet, faster than any person.
    static readonly RateLimitSection Patient = new() { Person = new RateSection { PerMinute = 600_000, Burst = 10_000 } };

    RunningTrustd(string folder) => Folder = folder;

    public string Folder { get; }

    public TokenSecret AdministratorToken { get; } = TokenSecret.Generate();

    public TokenSecret NodeToken { get; } = TokenSecret.Generate();

    /// <summary>A node's token that has just expired.</summary>
    public TokenSecret ExpiredToken { get; } = TokenSecret.Generate();

    internal TrustdServer Server { get; private set; } = null!;

    public static async Task<RunningTrustd> StartAsync(string? folder = null, LoginSection? login = null, RevocationListSection? lists = null, RateLimitSection? limits = null, BootstrapToken? more = null)
    {
        var running = new RunningTrustd(folder ?? Directory.CreateTempSubdirectory("talos-trustd-").FullName) { login = login, lists = lists, limits = limits ?? Patient, more = more };
        await running.StartServerAsync();
        return running;
    }

    /// <summary>Stops the server, runs <paramref name="meanwhile"/> on what it left, and starts it again.</summary>
    public async Task RestartAsync(Action? meanwhile = null)
    {
        await Server.DisposeAsync();
        meanwhile?.Invoke();
        await StartServerAsync();
    }

    async Task StartServerAsync()
    {
        var soon = DateTimeOffset.UtcNow.AddHours(1);
        var configuration = new TrustdConfiguration
        {
            Cluster = "demo",
            Node = "cp-1",
            Listen = new Endpoint("127.0.0.1", FreePort()),
            State = Path.Combine(Folder, "state"),
            Policy = Path.Combine(Root(), "policy/bundle"),
            Names = ["127.0.0.1"],
            Login = login,
            RevocationLists = lists,
            Limits = limits,
            Bootstrap =
            [
                BootstrapToken.ForClient(AdministratorToken, "alice", ["os:admin"], soon),
                BootstrapToken.ForNode(NodeToken, ["worker-*"], [System.Net.IPNetwork.Parse("10.0.0.0/8")], soon, uses: 3),
                BootstrapToken.ForNode(ExpiredToken, ["worker-*"], [], DateTimeOffset.UtcNow.AddSeconds(-1), uses: 3),
                .. more is { } one ? [one] : Array.Empty<BootstrapToken>(),
            ],
        };
        Server = await TrustdServer.StartAsync(configuration, new LineLog(), TimeProvider.System, CancellationToken.None);
    }

    /// <summary>A client without a certificate.</summary>
    public TrustService.TrustServiceClient Stranger() => Client(null);

    /// <summary>A client with a person's certificate, had for the bootstrap token.</summary>
    public async Task<TrustService.TrustServiceClient> AdministratorAsync()
    {
        using var csr = CertificateSigningRequest.Create("alice");
        administrator = Identity(await Stranger().IssueClientAsync(new IssueClientRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Token = AdministratorToken.Reveal() }), csr);
        return Client(administrator);
    }

    /// <summary>The same administrator with the same certificate, on a connection of its own; for after a restart.</summary>
    public Task<TrustService.TrustServiceClient> AgainAsync() => administrator is null ? AdministratorAsync() : Task.FromResult(Client(administrator));

    /// <summary>The serial of that certificate, as the ledger has it.</summary>
    public string AdministratorSerial => administrator!.SerialNumber.ToLowerInvariant();

    /// <summary>What clients trust, PEM; null for the file `ca.crt`.</summary>
    public string? Trust { get; set; }

    /// <summary>The record of a trustd that is stopped.</summary>
    public AuditLog OpenRecord()
    {
        var state = Path.Combine(Folder, "state");
        var signer = Ed25519CheckpointSigner.LoadOrCreate(Path.Combine(state, "audit.key"), "demo/cp-1/trustd");
        return AuditLog.Open(Path.Combine(state, "audit"), new AuditLogOptions { Signer = signer, Node = "cp-1" });
    }

    public TrustService.TrustServiceClient As(CertificateResponse answer, CertificateSigningRequest csr) =>
        Client(Identity(answer, csr), [.. answer.Intermediates.Select(i => X509CertificateLoader.LoadCertificate(i.Span))]);

    public static X509Certificate2 Identity(CertificateResponse answer, CertificateSigningRequest csr) =>
        X509CertificateLoader.LoadCertificate(answer.Certificate.Span).CopyWithPrivateKey(csr.Key);

    public TrustService.TrustServiceClient Client(X509Certificate2? certificate, params X509Certificate2Collection intermediates) => new(Channel(certificate, intermediates));

    public GrpcChannel Channel(X509Certificate2? certificate, params X509Certificate2Collection intermediates)
    {
        // Kept open by the client's certificate, so not disposed with the test's request.
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificateContext = certificate is null
                    ? null : SslStreamCertificateContext.Create(certificate, intermediates, offline: true),
                RemoteCertificateValidationCallback = (_, server, chain, _) => IsTrustd(server, chain),
            },
        };
        var channel = GrpcChannel.ForAddress($"https://{Server.Endpoint}", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        channels.Add(channel);
        return channel;
    }

    /// <summary>A connection to another server of the fleet, which this client believes without looking.</summary>
    public static GrpcChannel ChannelTo(System.Net.IPEndPoint endpoint, X509Certificate2 certificate) => GrpcChannel.ForAddress($"https://{endpoint}", new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            },
        },
        DisposeHttpClient = true,
    });

    /// <summary>What trustd sends beside its own certificate.</summary>
    public async Task<IReadOnlyList<X509Certificate2>> ShownAsync()
    {
        X509Certificate2[] shown = [];
        using var connection = new System.Net.Sockets.TcpClient();
        await connection.ConnectAsync(Server.Endpoint);
        await using var tls = new SslStream(connection.GetStream(), leaveInnerStreamOpen: true, (_, own, chain, _) =>
        {
            shown = [.. chain!.ChainPolicy.ExtraStore.Where(c => !c.RawDataMemory.Span.SequenceEqual(own!.GetRawCertData()))];
            return true;
        });
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "127.0.0.1", ApplicationProtocols = [SslApplicationProtocol.Http2] });
        return shown;
    }

    public static async Task<RpcException> RefusedAsync<T>(AsyncUnaryCall<T> call, string reason)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(reason, refusal.Trailers.GetValue("talos-reason"));
        return refusal;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Stops the server and leaves its folder.</summary>
    public async Task StopAsync()
    {
        foreach (var channel in channels) channel.Dispose();
        await Server.DisposeAsync();
    }

    bool IsTrustd(X509Certificate? server, X509Chain? chain)
    {
        var roots = TrustStore.Parse(Trust is { } pem ? System.Text.Encoding.UTF8.GetBytes(pem) : File.ReadAllBytes(Path.Combine(Folder, "state/ca.crt"))).Require();
        var sent = chain is null ? [] : chain.ChainPolicy.ExtraStore.Select(c => (ReadOnlyMemory<byte>)c.RawDataMemory);
        var result = PathValidator.Validate(server!.GetRawCertData(), sent, roots, new ValidationOptions
        {
            Time = DateTimeOffset.UtcNow,
            Purpose = ValidationPurpose.Server,
            ExpectedKinds = [PeerKind.Trustd],
            ExpectedCluster = "demo",
            ExpectedName = ExpectedName.Host("127.0.0.1"),
        });
        return result.Peer is not null;
    }

    static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The policy that ships.</summary>
    public static string BundlePath => Path.Combine(Root(), "policy/bundle");

    public static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Talos.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Talos.sln is in no folder above the tests");
    }
}
