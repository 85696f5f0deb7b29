using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;
using Talos.Api.Hosting;
using Talos.Api.Machine.V1;
using Talos.Audit;
using Talos.Policy;

namespace Talos.Api.Server.Tests;

/// <summary>A host with real TLS, a real record and the shipped policy, on a free port of the loopback.</summary>
sealed class TestHost : IAsyncDisposable
{
    readonly string folder;
    readonly Ed25519CheckpointSigner signer = Ed25519CheckpointSigner.Create("demo/cp-1");
    readonly List<IDisposable> channels = [];

    readonly bool isAuthorityOwn;

    TestHost(string folder, TestAuthority? authority, string name)
    {
        this.folder = folder;
        (Authority, isAuthorityOwn) = (authority ?? new(), authority is null);
        Node = new("demo", name, "controlplane") { Labels = new Dictionary<string, string> { ["zone"] = "north" } };
        Log = AuditLog.Open(Path.Combine(folder, "audit"), new AuditLogOptions { Signer = signer, Node = name });
        Slot.Set(Authority.Node(name));
    }

    public TestAuthority Authority { get; }

    public TrustSlot Slot { get; } = new();

    public AuditLog Log { get; }

    public RevocationView Revocations { get; } = RevocationView.OfSource();

    public TestMachine Machine { get; } = new();

    public ApiHost Host { get; private set; } = null!;

    public NodeDescription Node { get; }

    public PolicyInForce Policy { get; private set; } = null!;

    /// <summary>Where a pushed bundle is kept.</summary>
    public string PolicyFolder => Path.Combine(folder, "policy");

    public static async Task<TestHost> StartAsync(
        ClientCertificates mode = ClientCertificates.Required, TimeProvider? time = null, ApiLimits? limits = null, Action<ApiServices>? more = null,
        PolicySource? policy = null, TestAuthority? authority = null, string name = "cp-1")
    {
        var test = new TestHost(Directory.CreateTempSubdirectory("talos-api-").FullName, authority, name);
        var relay = new RelayDoor();
        policy ??= new PolicySource { Shipped = BundlePath };
        test.Revocations.Replace([], DateTimeOffset.UtcNow);
        test.Policy = PolicyInForce.Open(policy with { Folder = policy.Folder ?? test.PolicyFolder });
        var approvals = new ApprovalBook(time ?? TimeProvider.System, ApiLimits.ApprovalLifetime);
        var services = new ApiServices().Add(test.Machine).Add(new AuditReader(test.Log));
        services.Add(new PolicyDesk(test.Policy, test.Node, test.Log, time ?? TimeProvider.System)).Add(new ApprovalDesk(approvals))
            .Add(new RelayDesk("demo", test.Slot, relay, time ?? TimeProvider.System));
        more?.Invoke(services);
        test.Host = ApiHost.Create(
            new ApiHostOptions
            {
                Listen = new IPEndPoint(IPAddress.Loopback, 0),
                Trust = test.Slot,
                Node = test.Node,
                ClientCertificates = mode,
                Policy = test.Policy,
                Approvals = approvals,
                Audit = test.Log,
                Revocations = test.Revocations,
                Relay = relay,
                Limits = limits ?? new ApiLimits(),
                Time = time ?? TimeProvider.System,
                Log = new LineLog(),
            },
            services);
        await test.Host.StartAsync();
        return test;
    }

    public static string BundlePath
    {
        get
        {
            var at = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(at.FullName, "Talos.sln"))) at = at.Parent ?? throw new InvalidOperationException("not in the repository");
            return Path.Combine(at.FullName, "policy", "bundle");
        }
    }

    public MachineService.MachineServiceClient As(string name, params string[] roles) => As(Authority.Person(name, roles));

    public MachineService.MachineServiceClient As(TrustMaterial? own) => new(Channel(own));

    public GrpcChannel Channel(TrustMaterial? own, Action<X509Certificate2>? sawServer = null)
    {
        var channel = GrpcChannel.ForAddress($"https://{Host.Endpoint}", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { SslOptions = ClientTls(own, sawServer), UseProxy = false },
            DisposeHttpClient = true,
        });
        channels.Add(channel);
        return channel;
    }

    public static SslClientAuthenticationOptions ClientTls(TrustMaterial? own, Action<X509Certificate2>? sawServer = null) => new()
    {
        EnabledSslProtocols = SslProtocols.Tls13,
        ClientCertificateContext = own is null ? null : SslStreamCertificateContext.Create(own.Certificate, null, offline: true),
        RemoteCertificateValidationCallback = (_, certificate, _, _) =>
        {
            // These tests are about the server; who it is, is looked at where a test asks for it.
            if (certificate is X509Certificate2 server) sawServer?.Invoke(server);
            return certificate is not null;
        },
    };

    /// <summary>The first entry from <paramref name="from"/> on that fits; waits for it, since an end may be written after its answer.</summary>
    public async Task<Entry> EntryAsync(Func<Entry, bool> wanted, ulong from = 0)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await foreach (var record in Log.FollowAsync(from, patience.Token))
            if (wanted(record.Entry)) return record.Entry;
        throw new InvalidOperationException("the log was closed");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in channels) channel.Dispose();
        await Host.DisposeAsync();
        await Log.DisposeAsync();
        signer.Dispose();
        if (isAuthorityOwn) Authority.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
