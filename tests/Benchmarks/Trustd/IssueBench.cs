using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Google.Protobuf;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Pki;
using Process = System.Diagnostics.Process;

namespace Talos.Benchmarks;

/// <summary>
/// Certificates a second from a trustd: mutual TLS, authorized, on ledger and record before the answer; beside it Debian's cfssl, which does it over
/// plain HTTP, asks nobody and keeps nothing. Callers run on the same cores and spend some of their time.
/// </summary>
static class IssueBench
{
    const int Callers = 32;

    // As of clients with several callers each, whom HTTP/2 lets share a connection.
    const int FewConnections = 4;

    public static async Task<int> Run(int seconds)
    {
        var folder = Directory.CreateTempSubdirectory("talos-bench-").FullName;
        try
        {
            var requests = new byte[4096][];
            Parallel.For(0, requests.Length, i =>
            {
                using var request = CertificateSigningRequest.Create("bob");
                requests[i] = request.Der.ToArray();
            });
            Console.WriteLine($"{Callers} callers, each on a connection of its own, {Environment.ProcessorCount} cores, {seconds} s each, P-256");
            await TrustdAsync(folder, requests, seconds);
            await CfsslAsync(folder, requests, seconds);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task TrustdAsync(string folder, byte[][] csrs, int seconds)
    {
        var token = TokenSecret.Generate();
        using var trustd = await TrustdProgram.StartAsync(folder, [TrustdProgram.ForAdministrator(token)], compileAhead: true, asOnNode: true);
        using var own = await trustd.AdministratorAsync(token);
        byte[][] requests =
        [
            .. csrs.Select(csr => new IssueClientRequest { Csr = UnsafeByteOperations.UnsafeWrap(csr), Name = "bob", Roles = { "os:reader" } }.ToByteArray()),
        ];
        const string method = "/talos.trust.v1.TrustService/IssueClient";
        await MeasureAsync("trustd", Callers);
        await MeasureAsync($"trustd, {FewConnections} connections", FewConnections);

        async Task MeasureAsync(string name, int count)
        {
            LoadConnection[] connections =
            [
                .. Enumerable.Range(0, count).Select(_ => new Http2Load(trustd.OpenHttp2(own), Callers / count, $"127.0.0.1:{trustd.Port}", method)),
            ];
            await DriveAsync(connections, requests, 2);
            var (server, client) = (trustd.ProcessorSeconds, Environment.CpuUsage.TotalTime);
            var load = await DriveAsync(connections, requests, seconds);
            foreach (var connection in connections) connection.Dispose();
            Report(name, load, (trustd.ProcessorSeconds - server) * 1e6 / load.Count, (Environment.CpuUsage.TotalTime - client).TotalMicroseconds / load.Count);
        }
    }

    static async Task CfsslAsync(string folder, byte[][] csrs, int seconds)
    {
        if (!File.Exists("/usr/bin/cfssl"))
        {
            Console.WriteLine("  cfssl: SKIPPED, not installed; Debian's package is golang-cfssl");
            return;
        }
        var (key, certificate) = (Path.Combine(folder, "cfssl.key"), Path.Combine(folder, "cfssl.crt"));
        await Process.Start(new ProcessStartInfo("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=cfssl", "-keyout", key, "-out", certificate])
        {
            RedirectStandardError = true,
        })!.WaitForExitAsync();
        var port = TrustdProgram.FreePort();
        using var cfssl = Process.Start(new ProcessStartInfo("cfssl", ["serve", "-loglevel=5", $"-port={port}", $"-ca={certificate}", $"-ca-key={key}"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        try
        {
            byte[][] requests = [.. csrs.Select(CfsslLoad.Request)];
            await ListensAsync(port);
            LoadConnection[] connections =
            [
                .. Enumerable.Range(0, Callers).Select(_ => new CfsslLoad(new TcpClient("127.0.0.1", port) { NoDelay = true }.GetStream())),
            ];
            await DriveAsync(connections, requests, 2);
            var client = Environment.CpuUsage.TotalTime;
            var (server, load) = (cfssl.TotalProcessorTime, await DriveAsync(connections, requests, seconds));
            Report(
                "cfssl: no TLS, no rules, nothing kept", load, (cfssl.TotalProcessorTime - server).TotalMicroseconds / load.Count,
                (Environment.CpuUsage.TotalTime - client).TotalMicroseconds / load.Count);
            foreach (var connection in connections) connection.Dispose();
        }
        finally
        {
            cfssl.Kill();
            await cfssl.WaitForExitAsync();
        }
    }

    static async Task ListensAsync(int port)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var probe = new TcpClient("127.0.0.1", port);
                return;
            }
            catch (SocketException) when (attempt < 50)
            {
                await Task.Delay(100);
            }
        }
    }

    static async Task<Load> DriveAsync(LoadConnection[] connections, byte[][] requests, int seconds)
    {
        var next = -1;
        var started = Stopwatch.GetTimestamp();
        var until = started + (seconds * Stopwatch.Frequency);
        var times = await Task.WhenAll(connections.Select(c => c.RunAsync(until, () => requests[(uint)Interlocked.Increment(ref next) % requests.Length])));
        var wall = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double[] all = [.. times.SelectMany(t => t).Order()];
        return new Load(all.Length, all[all.Length / 2], all[(int)(all.Length * 0.99)], wall);
    }

    static void Report(string name, Load load, double server, double client) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"  {name,-40} {load.Count / load.Wall,7:F0}/s   p50 {load.P50:F1} ms   p99 {load.P99:F1} ms   CPU each: server {server:F0} µs, callers {client:F0} µs"));

    readonly record struct Load(int Count, double P50, double P99, double Wall);
}
