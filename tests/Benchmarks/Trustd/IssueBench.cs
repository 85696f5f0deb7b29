using System.Diagnostics;
using System.Globalization;
using System.Text;
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

    public static async Task<int> Run(int seconds)
    {
        var folder = Directory.CreateTempSubdirectory("talos-bench-").FullName;
        try
        {
            // More keys than trustd remembers, so that each is new to it.
            var requests = new byte[12_000][];
            Parallel.For(0, requests.Length, i =>
            {
                using var request = CertificateSigningRequest.Create("bob");
                requests[i] = request.Der.ToArray();
            });
            Console.WriteLine($"{Callers} callers, {Environment.ProcessorCount} cores, {seconds} s each, P-256");
            await TrustdAsync(folder, requests, seconds);
            await CfsslAsync(folder, requests, seconds);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task TrustdAsync(string folder, byte[][] requests, int seconds)
    {
        var token = TokenSecret.Generate();
        using var trustd = await TrustdProgram.StartAsync(folder, [TrustdProgram.ForAdministrator(token)], compileAhead: true);
        using var own = await trustd.AdministratorAsync(token);
        using var channel = trustd.Connect(own);
        var client = new TrustService.TrustServiceClient(channel);
        Func<byte[], Task> ask = csr => client.IssueClientAsync(new IssueClientRequest { Csr = UnsafeByteOperations.UnsafeWrap(csr), Name = "bob", Roles = { "os:reader" } }).ResponseAsync;
        await DriveAsync(requests, 2, ask);
        var before = trustd.ProcessorSeconds;
        var (count, p50, p99, wall) = await DriveAsync(requests, seconds, ask);
        Report("trustd, new keys", count, p50, p99, wall, (trustd.ProcessorSeconds - before) * 1e6 / count);
        before = trustd.ProcessorSeconds;
        (count, p50, p99, wall) = await DriveAsync(requests[..1000], seconds, ask);
        Report("trustd, keys seen before", count, p50, p99, wall, (trustd.ProcessorSeconds - before) * 1e6 / count);
    }

    static async Task CfsslAsync(string folder, byte[][] requests, int seconds)
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
            using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Callers }) { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
            Func<byte[], Task> ask = async csr =>
            {
                using var body = new StringContent($$"""{"certificate_request":"{{Pem.Write(Pem.CertificateRequest, csr).ReplaceLineEndings("\\n")}}"}""", Encoding.UTF8, "application/json");
                using var answer = await http.PostAsync("/api/v1/cfssl/sign", body);
                answer.EnsureSuccessStatusCode();
            };
            for (var attempt = 0; ; attempt++)
            {
                try
                {
                    await ask(requests[0]);
                    break;
                }
                catch (HttpRequestException) when (attempt < 50)
                {
                    await Task.Delay(100);
                }
            }
            await DriveAsync(requests, 2, ask);
            var (count, p50, p99, wall) = await DriveAsync(requests, seconds, ask);
            Report("cfssl: no TLS, no rules, nothing kept", count, p50, p99, wall, 0);
        }
        finally
        {
            cfssl.Kill();
            await cfssl.WaitForExitAsync();
        }
    }

    static async Task<(int Count, double P50, double P99, double Wall)> DriveAsync(byte[][] requests, int seconds, Func<byte[], Task> ask)
    {
        var next = -1;
        var started = Stopwatch.GetTimestamp();
        var times = await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            List<double> own = [];
            while (Stopwatch.GetElapsedTime(started).TotalSeconds < seconds)
            {
                var begun = Stopwatch.GetTimestamp();
                await ask(requests[Interlocked.Increment(ref next) % requests.Length]);
                own.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            }
            return own;
        })));
        var wall = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double[] all = [.. times.SelectMany(t => t).Order()];
        return (all.Length, all[all.Length / 2], all[(int)(all.Length * 0.99)], wall);
    }

    static void Report(string name, int count, double p50, double p99, double wall, double processor) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"  {name,-40} {count / wall,7:F0}/s   p50 {p50:F1} ms   p99 {p99:F1} ms{(processor > 0 ? $"   {processor:F0} µs CPU each in the server" : "")}"));
}
