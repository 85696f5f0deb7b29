using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Net.Client;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Init;
using Talos.Pki;
using Talos.Trustd;
using Process = System.Diagnostics.Process;

namespace Talos.Benchmarks;

/// <summary>A trustd in a process of its own, with its state in a folder of its own.</summary>
sealed class TrustdProgram : IDisposable
{
    readonly Process process;
    bool isGone;

    TrustdProgram(Process process, int port) => (this.process, Port) = (process, port);

    public int Port { get; }

    public int ProcessId => process.Id;

    /// <summary>How a node's init starts trustd, and what it lets it have.</summary>
    public static ServiceDefinition OnNode { get; } = ServiceTable.Find("trustd")!;

    /// <summary>Runs inside the other process.</summary>
    public static Task<int> Host(string configuration) => TrustdProcess.RunAsync(["--config", configuration]);

    public static async Task<TrustdProgram> StartAsync(string folder, IReadOnlyList<BootstrapToken> tokens, IReadOnlyList<string>? names = null, string listen = "127.0.0.1", bool compileAhead = false,
        bool asOnNode = false)
    {
        var port = FreePort();
        var file = Path.Combine(folder, "trustd.yaml");
        await File.WriteAllTextAsync(file, new TrustdConfiguration
        {
            Cluster = "bench",
            Node = "cp-1",
            Listen = new Talos.Api.Configuration.Endpoint(listen, port),
            State = Path.Combine(folder, "state"),
            Policy = Path.Combine(Root(), "policy", "bundle"),
            Names = names ?? ["127.0.0.1"],
            Bootstrap = tokens,
            // One person asks for everything here; what is measured is the rest.
            Limits = new RateLimitSection { Person = new RateSection { PerMinute = 600_000, Burst = 1_000_000 } },
        }.ToYaml());
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["trustd-host", file])
        {
            RedirectStandardError = true,
            // The node's executables are compiled ahead of time: no compilation while measuring what each call costs.
            Environment = { ["DOTNET_TieredCompilation"] = compileAhead ? "0" : "1" },
        };
        if (asOnNode)
        {
            foreach (var setting in OnNode.Start.Environment.Select(s => s.Split('=', 2)).Where(s => s[0].StartsWith("DOTNET_", StringComparison.Ordinal)))
                start.Environment[setting[0]] = setting[1];
        }
        var process = Process.Start(start)!;
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            if (!line.Contains("listening on", StringComparison.Ordinal)) continue;
            _ = process.StandardError.ReadToEndAsync();
            return new TrustdProgram(process, port);
        }
        throw new InvalidOperationException("trustd did not start");
    }

    /// <summary>A connection as whom <paramref name="own"/> names; a measurement believes what it started.</summary>
    public GrpcChannel Connect(X509Certificate2? own) => GrpcChannel.ForAddress($"https://127.0.0.1:{Port}", new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificateContext = own is null ? null : SslStreamCertificateContext.Create(own, null, offline: true),
                RemoteCertificateValidationCallback = (_, server, _, _) => server is not null,
            },
        },
        DisposeHttpClient = true,
        MaxReceiveMessageSize = 32 << 20,
    });

    /// <summary>An encrypted stream on which HTTP/2 was agreed, for who speaks it without a library.</summary>
    public SslStream OpenHttp2(X509Certificate2 own)
    {
        var tls = new SslStream(new TcpClient("127.0.0.1", Port) { NoDelay = true }.GetStream());
        tls.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = "127.0.0.1",
            EnabledSslProtocols = SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            ClientCertificateContext = SslStreamCertificateContext.Create(own, null, offline: true),
            RemoteCertificateValidationCallback = (_, server, _, _) => server is not null,
        });
        return tls;
    }

    public async Task<X509Certificate2> AdministratorAsync(TokenSecret token)
    {
        using var channel = Connect(null);
        var request = CertificateSigningRequest.Create("alice");
        var answer = await new TrustService.TrustServiceClient(channel).IssueClientAsync(new IssueClientRequest { Csr = ByteString.CopyFrom(request.Der.Span), Token = token.Reveal() });
        return X509CertificateLoader.LoadCertificate(answer.Certificate.Span).CopyWithPrivateKey(request.Key);
    }

    public static BootstrapToken ForAdministrator(TokenSecret token)
    {
        var made = BootstrapToken.ForClient(token, "alice", ["os:admin"], TimeProvider.System.GetUtcNow().AddHours(2));
        return new BootstrapToken { Id = made.Id, Verifier = made.Verifier, Discovery = made.Discovery, Use = made.Use, Name = made.Name, Roles = made.Roles, Expires = made.Expires, Uses = 100 };
    }

    /// <summary>Seconds of processor time that the process has spent.</summary>
    public double ProcessorSeconds
    {
        get
        {
            // proc(5): utime and stime are fields 14 and 15, in ticks of 10 ms; the name in field 2 may hold blanks.
            var stat = File.ReadAllText($"/proc/{process.Id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
        }
    }

    /// <summary>The most memory that was ever resident, in MiB (proc_pid_status(5): VmHWM).</summary>
    public long PeakMegabytes =>
        long.Parse(File.ReadLines($"/proc/{process.Id}/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) >> 10;

    public void Dispose()
    {
        if (isGone) return;
        isGone = true;
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "Talos.sln"))) at = at.Parent;
        return at?.FullName ?? throw new InvalidOperationException("Talos.sln is in no folder above");
    }
}
