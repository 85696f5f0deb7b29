using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Talos.Api.Configuration;
using Talos.Checks;
using Talos.Linux.Files;
using Talos.Linux.Kernel;
using Talos.Linux.Processes;
using Talos.Linux.Supervision;
using Talos.Machined.Api;
using Talos.Machined.Boot;
using Talos.Machined.Compliance;
using Talos.Machined.Services;

namespace Talos.Machined;

/// <summary>
/// A node's services on any Linux machine, without touching it: no mounts, no network, no privileges. machined supervises osd and
/// trustd itself, on the loopback.
/// </summary>
static class Standalone
{
    const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    internal static async Task<int> RunAsync(StandaloneOptions options)
    {
        if (ReadConfiguration(options.Config, out var reason) is not { } configuration)
        {
            Console.Error.WriteLine(reason);
            return 1;
        }
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);

        var paths = new ServicePaths(
            options.State, Path.Combine(options.Run, "machined.sock"), options.Policy,
            new Endpoint("127.0.0.1", options.ListenBase), new Endpoint("127.0.0.1", options.ListenBase + 1));
        var logs = Path.Combine(options.Run, "log");
        foreach (var directory in new[] { options.State, Path.Combine(options.State, "osd"), Path.Combine(options.State, "trustd"), options.Run, logs })
            Directory.CreateDirectory(directory, Private);
        var files = ServiceFiles.Render(configuration, paths, [IPAddress.Loopback], TimeProvider.System.GetUtcNow());
        var ids = WriteFiles(options.Run, files);

        using var supervisor = new Supervisor(ids.Select(id => Specification(options, id)), new Reaper(), logs, TimeProvider.System);
        var node = new Node { ClockSource = "host" };
        node.Configured(configuration);
        var services = new LocalServices(supervisor, stop.Cancel);
        var handler = new MachineHandler(node, services, new LogDirectory(logs, TimeProvider.System), TimeProvider.System);
        var reading = new LiveReading(TimeProvider.System, LiveReadingFiles.None, IsSomebodyElses, walksTree: false);
        await using var server = MachineServer.Create(paths.MachinedSocket, [SocketPeer.OwnUser], handler, new ComplianceHandler(reading));
        await server.StartAsync(stop.Token);
        foreach (var id in ids)
            await StartAsync(services, id);
        node.Run();
        Journal.Write($"{configuration.Machine.HostName}: node API on {paths.OsdListen}" + (files.Trustd is null ? "" : $", certificate authority on {paths.TrustdListen}"));
        await reading.RunAsync(stop.Token);
        node.Stopping();
        await supervisor.StopAllAsync();
        await server.StopAsync(new CancellationToken(canceled: true));
        return 0;

        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }

    // The machine is not ours alone: whose programs mount and listen there is no drift of this node.
    static bool IsSomebodyElses(DriftKind kind, string subject) => kind is DriftKind.Port or DriftKind.Module or DriftKind.Mount;

    static MachineConfiguration? ReadConfiguration(string path, out string reason)
    {
        try
        {
            return ConfigurationSource.Parse(File.ReadAllBytes(path), path, out reason);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reason = $"`{path}` cannot be read: {e.Message}";
            return null;
        }
    }

    /// <returns>What is to run, in order.</returns>
    static List<string> WriteFiles(string directory, ServiceFiles files)
    {
        var ids = new List<string>();
        if (files.Trustd is not null)
        {
            Write(Path.Combine(directory, "trustd.yaml"), files.Trustd.ToYaml());
            ids.Add("trustd");
        }
        Write(Path.Combine(directory, "osd.yaml"), files.Osd.ToYaml());
        ids.Add("osd");
        return ids;
    }

    static void Write(string path, string document) =>
        FileOwner.WriteFile(path, Encoding.UTF8.GetBytes(document), SocketPeer.OwnUser, SocketPeer.OwnGroup, UnixFileMode.UserRead);

    static ServiceSpecification Specification(StandaloneOptions options, string id) => new()
    {
        Id = id,
        Start = new ProcessStart
        {
            Executable = Path.Combine(options.Binaries, id),
            Arguments = ["--config", Path.Combine(options.Run, id + ".yaml")],
            Environment = [.. Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().Select(pair => $"{pair.Key}={pair.Value}")],
        },
    };

    static async Task StartAsync(LocalServices services, string id)
    {
        try
        {
            await services.StartAsync(id, CancellationToken.None);
        }
        catch (ServiceControlException e)
        {
            // The supervisor tries again; its status tells.
            Journal.Write(e.Message);
        }
    }
}
