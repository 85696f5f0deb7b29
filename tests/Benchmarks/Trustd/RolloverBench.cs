using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Talos.Api.Configuration;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Pki;
using Process = System.Diagnostics.Process;

namespace Talos.Benchmarks;

/// <summary>
/// A thousand nodes, each with a key, a certificate and its streams to one trustd, go through a change of the CA. All the while a person who knows
/// only the old CA makes handshakes with trustd, and nodes judge each other's certificates. Runs in a network namespace of its own, with an
/// address for every 25 nodes, since trustd limits what one address may hold.
/// </summary>
static class RolloverBench
{
    const int NodesPerAddress = 20;

    // RFC 9113 §3.4: the magic octets, then a SETTINGS frame, which may be empty.
    static readonly byte[] Preface = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0];

    public static int Run(int nodes)
    {
        // 40 addresses of the loopback that are sources of their own.
        var addresses = (nodes + NodesPerAddress - 1) / NodesPerAddress;
        var setup = $"ip link set lo up && for i in $(seq 1 {addresses}); do ip addr add 10.99.0.$i/32 dev lo; done && exec \"$0\" trustd-rollover {nodes}";
        using var process = Process.Start(new ProcessStartInfo("unshare", ["-n", "sh", "-c", setup, Environment.ProcessPath!])
        {
            // A thousand nodes live in one process here; what a node's executable is held to by itself is for one.
            Environment = { ["DOTNET_GCHeapHardLimit"] = "20000000" },
        })!;
        process.WaitForExit();
        return process.ExitCode;
    }

    public static async Task<int> RunInside(int count)
    {
        var folder = Directory.CreateTempSubdirectory("talos-bench-").FullName;
        try
        {
            var (administrator, join) = (TokenSecret.Generate(), TokenSecret.Generate());
            var addresses = Enumerable.Range(1, (count + NodesPerAddress - 1) / NodesPerAddress).Select(i => $"10.99.0.{i}").ToArray();
            var soon = TimeProvider.System.GetUtcNow().AddHours(2);
            using var trustd = await TrustdProgram.StartAsync(
                folder, [TrustdProgram.ForAdministrator(administrator), BootstrapToken.ForNode(join, ["node-*"], [], soon, uses: (uint)count)], [.. addresses, "127.0.0.1"], "0.0.0.0", asOnNode: true);
            using var own = await trustd.AdministratorAsync(administrator);
            using var channel = trustd.Connect(own);
            var client = new TrustService.TrustServiceClient(channel);
            var onlyOld = TrustStore.Parse(System.Text.Encoding.UTF8.GetBytes((await client.CABundleAsync(new CABundleRequest())).BundlePem)).Require();

            using var stop = new CancellationTokenSource();
            var log = new Complaints();
            var fleet = Enumerable.Range(0, count).Select(i => Node(folder, $"node-{i}", new Talos.Api.Configuration.Endpoint(addresses[i / NodesPerAddress], trustd.Port), join, log)).ToArray();
            var running = fleet.Select(n => n.RunAsync(stop.Token)).ToArray();
            await Task.WhenAll(fleet.Select(n => n.Identity.Ready));
            Console.WriteLine($"{count} nodes with certificates; {Environment.ProcessorCount} cores for all of them and trustd");
            log.Clear();

            using var probing = new CancellationTokenSource();
            var person = PersonAsync(trustd, onlyOld, probing.Token);
            var peers = PeersAsync(fleet, probing.Token);
            var since = TimeProvider.System.GetUtcNow();
            var began = Stopwatch.GetTimestamp();
            foreach (var step in new[] { AuthorityStep.Prepare, AuthorityStep.Distribute, AuthorityStep.Activate })
            {
                await UntilAsync(client, s => s.Safe);
                await client.AuthorityRotateAsync(new AuthorityRotateRequest { Step = step });
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {step.ToString().ToLowerInvariant(),-12} at {Stopwatch.GetElapsedTime(began).TotalSeconds,5:F1} s"));
            }
            var status = await UntilAsync(client, s => s.Holders.All(h => h.Renewed || h.Identity.Contains("/user/", StringComparison.Ordinal)));
            var wall = Stopwatch.GetElapsedTime(began).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  renewed      at {wall,5:F1} s: {status.Holders.Count(h => h.Renewed)} holders under the new CA"));
            await probing.CancelAsync();
            var (handshakes, failed) = await person;
            var (judged, refused) = await peers;
            // What the end of the nodes breaks off is no handshake that failed.
            var until = TimeProvider.System.GetUtcNow();
            await stop.CancelAsync();
            await Task.WhenAll(running);
            var (most, share) = (trustd.PeakMegabytes, TrustdProgram.OnNode.Confinement.Share!.MemoryBytesMaximum >> 20);
            Console.WriteLine($"  resident at most: trustd {most} MiB, of {share} MiB that a node lets it have; this process, which is all the nodes, {Environment.WorkingSet >> 20} MiB");
            trustd.Dispose();
            var recorded = FailedHandshakes(folder, since, until);
            Console.WriteLine($"  handshakes of a person who knows only the old CA: {handshakes}, {failed} failed");
            Console.WriteLine($"  nodes judging each other: {judged}, {refused} refused");
            Console.WriteLine($"  handshakes that trustd recorded as failed: {recorded.Length}{(recorded.Length == 0 ? "" : $" ({recorded[0]})")}; complaints of nodes: {log.Count}{log.First}");
            return failed + refused + recorded.Length + log.Count == 0 && most <= share ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What a node's osd holds open to trustd: its trust and its revocations, over one connection, and another one to renew.</summary>
    sealed record SimulatedNode(NodeIdentity Identity, TrustFollower Follower, TrustdRevocations Revocations)
    {
        public Task RunAsync(CancellationToken cancellation) =>
            Task.WhenAll(Identity.RunAsync(cancellation), Follower.RunAsync(cancellation), Revocations.RunAsync(cancellation));
    }

    static SimulatedNode Node(string folder, string name, Talos.Api.Configuration.Endpoint endpoint, TokenSecret join, ILogger log)
    {
        var identity = NodeIdentity.Open(
            new NodeIdentityOptions { Folder = Path.Combine(folder, name), Cluster = "bench", Name = name, Kind = PeerKind.Node, Names = [name] },
            new TrustdSource("bench", [endpoint], join, roots: null, TimeProvider.System), log);
        var connections = new TrustdConnections("bench", TimeProvider.System);
        return new SimulatedNode(
            identity, new TrustFollower(connections, [endpoint], identity, TimeProvider.System, log),
            TrustdRevocations.Open(connections, [endpoint], identity.Slot, new RevocationView(), TimeProvider.System, log, renewed: () => identity.Renewed));
    }

    /// <summary>One new connection after the other, believed only if it leads to the old CA.</summary>
    static async Task<(int Made, int Failed)> PersonAsync(TrustdProgram trustd, TrustStore onlyOld, CancellationToken cancellation)
    {
        var (made, failed) = (0, 0);
        while (!cancellation.IsCancellationRequested)
        {
            using var socket = new System.Net.Sockets.TcpClient();
            await socket.ConnectAsync("127.0.0.1", trustd.Port, CancellationToken.None);
            using var tls = new SslStream(socket.GetStream());
            try
            {
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
                {
                    TargetHost = "127.0.0.1",
                    EnabledSslProtocols = SslProtocols.Tls13,
                    ApplicationProtocols = [SslApplicationProtocol.Http2],
                    RemoteCertificateValidationCallback = (_, leaf, chain, _) => PathValidator.Validate(
                        leaf!.GetRawCertData(), chain!.ChainPolicy.ExtraStore.Select(c => (ReadOnlyMemory<byte>)c.RawDataMemory), onlyOld,
                        new ValidationOptions { Time = TimeProvider.System.GetUtcNow(), Purpose = ValidationPurpose.Server, ExpectedCluster = "bench" }).Path is not null,
                }, CancellationToken.None);
                // RFC 8446 §2: a client has done its part before the server has; whoever hangs up then is on its record as one who broke off a
                // handshake. The server's first frame, for the client's preface (RFC 9113 §3.4), says that it is done too.
                await tls.WriteAsync(Preface, CancellationToken.None);
                if (await tls.ReadAsync(new byte[1], CancellationToken.None) == 0) failed++;
            }
            catch (Exception e) when (e is AuthenticationException or IOException)
            {
                failed++;
            }
            made++;
            await Task.Delay(20, CancellationToken.None);
        }
        return (made, failed);
    }

    static async Task<(int Judged, int Refused)> PeersAsync(SimulatedNode[] fleet, CancellationToken cancellation)
    {
        var (judged, refused) = (0, 0);
        var random = new Random(1);
        while (!cancellation.IsCancellationRequested)
        {
            for (var i = 0; i < 50; i++, judged++)
            {
                var (one, other) = (fleet[random.Next(fleet.Length)].Identity.Slot.Current!, fleet[random.Next(fleet.Length)].Identity.Slot.Current!);
                var result = PathValidator.Validate(
                    one.Certificate.RawDataMemory, [], other.Roots!, new ValidationOptions { Time = TimeProvider.System.GetUtcNow(), Purpose = ValidationPurpose.Client, ExpectedCluster = "bench" });
                if (result.Path is null) refused++;
            }
            await Task.Delay(100, CancellationToken.None);
        }
        return (judged, refused);
    }

    static async Task<AuthorityStatusResponse> UntilAsync(TrustService.TrustServiceClient client, Func<AuthorityStatusResponse, bool> condition)
    {
        while (true)
        {
            var status = await client.AuthorityStatusAsync(new AuthorityStatusRequest());
            if (condition(status)) return status;
            await Task.Delay(200);
        }
    }

    static string[] FailedHandshakes(string folder, DateTimeOffset since, DateTimeOffset until)
    {
        var state = Path.Combine(folder, "state");
        using var signer = Ed25519CheckpointSigner.LoadOrCreate(Path.Combine(state, "audit.key"), "bench/cp-1/trustd");
        using var record = AuditLog.Open(Path.Combine(state, "audit"), new AuditLogOptions { Signer = signer, Node = "cp-1" });
        var (first, last) = (since.ToUnixTimeMilliseconds() * 1_000_000, until.ToUnixTimeMilliseconds() * 1_000_000);
        return [.. record.Read(0, long.MaxValue).Where(r => r.Entry.Kind == EntryKind.HandshakeFailed && r.Entry.WallTimeUnixNanos >= first && r.Entry.WallTimeUnixNanos <= last)
            .Select(r => $"{r.Entry.Caller.SourceAddress}: {r.Entry.Message}")];
    }

    sealed class Complaints : ILogger
    {
        readonly ConcurrentQueue<string> all = [];

        public int Count => all.Count;

        public string First => all.TryPeek(out var first) ? $", the first: {first}" : "";

        public void Clear() => all.Clear();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) all.Enqueue(formatter(state, exception));
        }
    }
}
