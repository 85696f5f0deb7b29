using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Talos.Linux.Files;
using Talos.Machined.Api;
using Talos.Machined.Boot;
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
        await using var server = MachineServer.Create(socket, [RootUser, OsdUser], handler);
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
        await Task.Delay(Timeout.Infinite, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await server.StopAsync(new CancellationToken(canceled: true));
        return 0;
    }
}
