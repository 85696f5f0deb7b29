using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Talos.Api.Machine.V1;
using Process = System.Diagnostics.Process;

namespace Talos.Benchmarks;

/// <summary>CPU time that a server process spends on an empty call over mutual TLS: as it is, and without policy and record.</summary>
static class ServerBench
{
    const int Warm = 3000, Callers = 32;

    public static async Task<int> Run(string[] arguments)
    {
        var calls = arguments is [var text] ? int.Parse(text, CultureInfo.InvariantCulture) : 20_000;
        var folder = Directory.CreateTempSubdirectory("talos-bench-").FullName;
        try
        {
            ServerBenchHost.MakeIdentities(folder);
            Console.WriteLine($"{calls} calls each, {Environment.ProcessorCount} cores; CPU time of the server process alone, from /proc/PID/stat");
            var bare = await Measure(folder, "bare", calls, Version);
            await Measure(folder, "full", calls, Version, bare);
            await Measure(folder, "full", calls, Reboot, bare);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static readonly (string Name, Func<MachineService.MachineServiceClient, Task> Call) Version =
        ("Version, recorded without waiting", async c => await c.VersionAsync(new VersionRequest()));

    static readonly (string Name, Func<MachineService.MachineServiceClient, Task> Call) Reboot =
        ("Reboot, on disk before the handler", async c => await c.RebootAsync(new RebootRequest()));

    static async Task<double> Measure(string folder, string mode, int calls, (string Name, Func<MachineService.MachineServiceClient, Task> Call) method, double bare = 0)
    {
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["server-host", folder, mode])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            // The node's executables are compiled ahead of time: no compilation while measuring.
            Environment = { ["DOTNET_TieredCompilation"] = "0", ["DOTNET_ReadyToRun"] = "0" },
        })!;
        try
        {
            var endpoint = await server.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("the server did not start");
            using var channel = Connect(folder, endpoint);
            var client = new MachineService.MachineServiceClient(channel);
            await Drive(client, method.Call, Warm);
            var (user, system) = CpuMicroseconds(server.Id);
            var started = Stopwatch.GetTimestamp();
            await Drive(client, method.Call, calls);
            var wall = Stopwatch.GetElapsedTime(started);
            var after = CpuMicroseconds(server.Id);
            var (userEach, systemEach) = ((after.User - user) / calls, (after.System - system) / calls);
            var each = userEach + systemEach;
            var name = mode == "bare" ? "TLS, HTTP/2 and gRPC alone" : method.Name;
            var ratio = bare > 0 ? $", {each / bare:F2} times the bare call" : "";
            Console.WriteLine($"  {name,-40} {each,6:F1} µs CPU a call ({userEach:F1} user, {systemEach:F1} system){ratio}; {calls / wall.TotalSeconds:F0} calls/s from {Callers} callers");
            return each;
        }
        finally
        {
            server.StandardInput.Close();
            await server.WaitForExitAsync();
        }
    }

    static Task Drive(MachineService.MachineServiceClient client, Func<MachineService.MachineServiceClient, Task> call, int calls) =>
        Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < calls / Callers; i++) await call(client);
        })));

    static GrpcChannel Connect(string folder, string endpoint)
    {
        var own = X509Certificate2.CreateFromPemFile(Path.Combine(folder, "client.pem"));
        return GrpcChannel.ForAddress($"https://{endpoint}", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                SslOptions = new SslClientAuthenticationOptions
                {
                    EnabledSslProtocols = SslProtocols.Tls13,
                    ClientCertificateContext = SslStreamCertificateContext.Create(own, null, offline: true),
                    RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
                },
            },
        });
    }

    // proc(5): utime and stime are fields 14 and 15, in ticks of 10 ms; the name in field 2 may hold blanks.
    static (double User, double System) CpuMicroseconds(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (Ticks(fields[11]), Ticks(fields[12]));

        static double Ticks(string text) => long.Parse(text, CultureInfo.InvariantCulture) * 10_000.0;
    }
}
