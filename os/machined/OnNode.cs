using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Talos.Checks;
using Talos.Linux.Files;
using Talos.Machined.Api;
using Talos.Machined.Boot;
using Talos.Machined.Compliance;
using Talos.Machined.Services;

namespace Talos.Machined;

/// <summary>machined under init.</summary>
static class OnNode
{
    const uint RootUser = 0, OsdUser = 50;
    const string LogDirectoryPath = "/run/log/talos";

    internal static async Task<int> RunAsync()
    {
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        });
        var node = new Node();
        var services = new InitClient();
        // Side by side: a machine needs no answers to boot, and an answer may be that it is booting.
        var booting = Task.Run(() => new NodeBoot(node, services, TimeProvider.System).RunAsync(stop.Token));
        var socket = ServicePaths.Node.MachinedSocket;
        var handler = new MachineHandler(node, services, new LogDirectory(LogDirectoryPath, TimeProvider.System), TimeProvider.System);
        var reading = new LiveReading(TimeProvider.System, LiveReadingFiles.Node, IsOwnPort, walksTree: true);
        await using var server = MachineServer.Create(socket, [RootUser, OsdUser], handler, new ComplianceHandler(reading));
        await server.StartAsync(stop.Token);
        FileOwner.Set(socket, RootUser, OsdUser);
        File.SetUnixFileMode(socket, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
        try
        {
            await booting;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The machine ends before it was up.
        }
        // From here on the node is as it should be; what is not so later has drifted.
        await reading.RunAsync(stop.Token);
        await server.StopAsync(new CancellationToken(canceled: true));
        return 0;
    }

    // They open when a service has its certificate and close with it; whether it runs is told by its state.
    static bool IsOwnPort(DriftKind kind, string subject) =>
        kind == DriftKind.Port && (subject == $"tcp {ServicePaths.Node.OsdListen}" || subject == $"tcp {ServicePaths.Node.TrustdListen}");
}
