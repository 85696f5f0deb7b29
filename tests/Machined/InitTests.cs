using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Talos.Init;
using Talos.Linux.Confinement;
using Talos.Linux.Kernel;
using Talos.Linux.Processes;
using Talos.Linux.Supervision;
using Talos.Machined.Services;

namespace Talos.Machined.Tests;

/// <summary>init's socket and tables, with machined's own client at the other end.</summary>
public sealed class InitTests : IAsyncLifetime
{
    readonly string _directory = Directory.CreateTempSubdirectory("talos-init-").FullName;
    readonly CancellationTokenSource _stop = new();
    readonly TaskCompletionSource<MachineEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Supervisor _supervisor = null!;

    string SocketPath => Path.Combine(_directory, "init.sock");

    public ValueTask InitializeAsync()
    {
        _supervisor = new Supervisor(
            [new ServiceSpecification { Id = "osd", Start = new ProcessStart { Executable = "/bin/sleep", Arguments = ["1000"] } }],
            new Reaper(), _directory, TimeProvider.System);
        return ValueTask.CompletedTask;
    }

    ControlSocket Serve(uint allowedUser)
    {
        var control = new ControlSocket(SocketPath, _supervisor, end => _end.TrySetResult(end), allowedUser);
        _ = control.ServeAsync(_stop.Token);
        return control;
    }

    [Fact]
    public async Task Obeys_machined()
    {
        using var control = Serve(SocketPeer.OwnUser);
        var client = new InitClient(SocketPath);

        Assert.Equal(ServiceState.Waiting, Assert.Single(await client.ListAsync(CancellationToken.None)).State);
        var first = await client.StartAsync("osd", CancellationToken.None);
        Assert.Equal(first, await client.StartAsync("osd", CancellationToken.None));
        var second = await client.RestartAsync("osd", TimeSpan.FromSeconds(1), CancellationToken.None);
        Assert.NotEqual(first, second);
        var status = Assert.Single(await client.ListAsync(CancellationToken.None));
        Assert.Equal((second, ServiceState.Running, $"started process {second}"), (status.ProcessId, status.State, status.LastEvent));
        var failure = await Assert.ThrowsAsync<ServiceControlException>(() => client.StartAsync("sshd", CancellationToken.None));
        Assert.Equal("unknown service `sshd`", failure.Message);

        await client.EndAsync(MachineEnd.Reboot, CancellationToken.None);
        Assert.Equal(MachineEnd.Reboot, await _end.Task);
    }

    [Fact]
    public async Task Denies_other_users()
    {
        using var control = Serve(SocketPeer.OwnUser + 1);

        await Assert.ThrowsAsync<ServiceControlException>(() => new InitClient(SocketPath).EndAsync(MachineEnd.PowerOff, CancellationToken.None));

        Assert.False(_end.Task.IsCompleted);
    }

    [Fact]
    public async Task Survives_garbage_and_endless_lines()
    {
        using var control = Serve(SocketPeer.OwnUser);
        Assert.StartsWith("error expected `list`", await AskAsync("format c:\n"), StringComparison.Ordinal);
        Assert.Equal("", await AskAsync(new string('x', 4096)));
        Assert.EndsWith("ok\n", await AskAsync("list\nlist\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void Keeps_no_privilege_where_none_is_needed()
    {
        foreach (var service in ServiceTable.Services.Where(service => service.Id != "machined"))
        {
            Assert.True(service.Confinement is { User: > 0, Group: > 0, Capabilities: CapabilitySet.None, View: not null });
            Assert.Same(SeccompProfile.Service, service.Confinement.Filter);
            // One place to write, its own; everything else of the machine is read-only.
            Assert.Equal(["/state/" + service.Id], service.Confinement.View.Where(entry => entry.Access == ViewAccess.Write).Select(entry => entry.Path));
            Assert.Equal([service.Start.Executable], service.Confinement.View.Where(entry => entry.Access == ViewAccess.Execute).Select(entry => entry.Path));
        }
        // A ledger of a million certificates is sorted when its layout changes; a service's /tmp holds 16 MiB.
        Assert.Contains("SQLITE_TMPDIR=/state/trustd", ServiceTable.Find("trustd")!.Start.Environment);
        Assert.Equal(["machined"], ServiceTable.Services.Where(service => service.StartsWithInit).Select(service => service.Id));
        Assert.Equal(ServiceTable.Services.Count, ServiceTable.Services.DistinctBy(service => service.Confinement.User).Count());
    }

    [Fact]
    public void Gives_every_service_a_heap_limit_that_the_runtime_reads_and_its_group_has_room_for()
    {
        foreach (var service in ServiceTable.Services)
        {
            var settings = service.Start.Environment.Select(s => s.Split('=', 2)).Where(s => s[0].StartsWith("DOTNET_", StringComparison.Ordinal)).ToDictionary(s => s[0], s => s[1]);
            // A value that begins with `0x` has no effect in an executable that is compiled ahead of time: tests/AotSelfTest.
            Assert.All(settings, s => Assert.Matches("^[0-9a-f]+$", s.Value));
            var heap = long.Parse(settings["DOTNET_GCHeapHardLimit"], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            Assert.InRange(heap, 32 << 20, service.Confinement.Share!.MemoryBytesMaximum / 2);
        }
    }

    async Task<string> AskAsync(string text)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath));
        await socket.SendAsync(Encoding.UTF8.GetBytes(text));
        var answer = new List<byte>();
        var buffer = new byte[512];
        try
        {
            socket.Shutdown(SocketShutdown.Send);
            for (int length; (length = await socket.ReceiveAsync(buffer)) > 0;)
                answer.AddRange(buffer.AsSpan(0, length));
        }
        catch (SocketException)
        {
            // Closed with our text unread: no answer.
        }
        return Encoding.UTF8.GetString([.. answer]);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _supervisor.StopAllAsync();
        _supervisor.Dispose();
        _stop.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
