using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Talos.Api.Machine.V1;
using Talos.Linux.Kernel;
using Talos.Linux.Processes;
using Talos.Linux.Supervision;
using Talos.Machined.Api;
using Talos.Machined.Compliance;
using Talos.Machined.Services;

namespace Talos.Machined.Tests;

/// <summary>Every method over the real socket, with this machine's real data.</summary>
public sealed class MachineServerTests : IAsyncLifetime
{
    readonly string _directory = Directory.CreateTempSubdirectory("talos-machined-").FullName;
    readonly Node _node = new() { HostName = "cp-1" };
    readonly TaskCompletionSource _poweredOff = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Supervisor _supervisor = null!;
    WebApplication _server = null!;
    MachinedSocket _socket = null!;

    MachineService.MachineServiceClient Client => _socket.Client;

    public async ValueTask InitializeAsync()
    {
        _supervisor = new Supervisor(
            [new ServiceSpecification { Id = "trustd", Start = new ProcessStart { Executable = "/bin/sh", Arguments = ["-c", "echo up; exec sleep 1000"] } }],
            new Reaper(), _directory, TimeProvider.System);
        await _supervisor.StartAsync("trustd");
        _server = Server("machined.sock", SocketPeer.OwnUser);
        await _server.StartAsync();
        _socket = new MachinedSocket(Path.Combine(_directory, "machined.sock"));
    }

    WebApplication Server(string name, params uint[] users)
    {
        var services = new LocalServices(_supervisor, _poweredOff.SetResult);
        var handler = new MachineHandler(_node, services, new LogDirectory(_directory, TimeProvider.System), TimeProvider.System);
        return MachineServer.Create(Path.Combine(_directory, name), users, handler, new ComplianceHandler(new LiveReading(TimeProvider.System, LiveReadingFiles.None, (_, _) => false, walksTree: false)));
    }

    [Fact]
    public async Task Denies_other_users()
    {
        await using var server = Server("other.sock", SocketPeer.OwnUser + 1);
        await server.StartAsync();
        using var socket = new MachinedSocket(Path.Combine(_directory, "other.sock"));

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await socket.Client.VersionAsync(new VersionRequest()));

        Assert.NotEqual(StatusCode.PermissionDenied, failure.StatusCode);
        Assert.Null(failure.Trailers.GetValue("grpc-status"));
    }

    [Fact]
    public async Task Says_what_runs_and_why_it_is_in_maintenance()
    {
        _node.Maintain("machine.yaml:7:5: unknown field `hostnme`");

        var version = await Client.VersionAsync(new VersionRequest());

        Assert.Equal("cp-1", version.Hostname);
        Assert.Equal(MachineStage.Maintenance, version.Stage);
        Assert.Equal("machine.yaml:7:5: unknown field `hostnme`", version.MaintenanceReason);
        Assert.Matches(@"^v\d+\.\d+\.\d+$", version.Tag);
        Assert.Matches("^[0-9a-f-]{36}$", version.BootId);
        Assert.Contains(File.ReadAllText("/proc/sys/kernel/version").Trim(), version.Kernel, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restarts_a_service()
    {
        var before = Assert.Single((await Client.ServiceListAsync(new ServiceListRequest())).Services);
        var pid = (await Client.ServiceRestartAsync(new ServiceRestartRequest { Id = "trustd" })).Pid;
        var after = Assert.Single((await Client.ServiceListAsync(new ServiceListRequest())).Services);

        Assert.Equal(Talos.Api.Machine.V1.ServiceState.Running, after.State);
        Assert.Equal((pid, $"started process {pid}"), (after.Pid, after.LastEvent));
        Assert.NotEqual(before.Pid, pid);
        Assert.Contains((await Client.ProcessesAsync(new ProcessesRequest())).Processes, process => process.Pid == pid && process.ResidentMemory > 0);
        var stats = await Client.StatsAsync(new StatsRequest());
        Assert.Equal(["machined", "trustd"], stats.Services.Select(service => service.Id));
        Assert.Equal((ulong)stats.Services.Sum(service => (long)service.Memory), stats.TotalMemory);
    }

    [Fact]
    public async Task Rejects_services_that_are_not_there()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await Client.ServiceRestartAsync(new ServiceRestartRequest { Id = "sshd" }));
        Assert.Equal((StatusCode.FailedPrecondition, "unknown service `sshd`"), (failure.StatusCode, failure.Status.Detail));
        failure = await Assert.ThrowsAsync<RpcException>(async () => await Drain(Client.Logs(new LogsRequest { Id = "sshd" }).ResponseStream, chunk => chunk.Data.ToStringUtf8()));
        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
    }

    [Fact]
    public async Task Follows_logs_until_the_reader_leaves()
    {
        using var call = Client.Logs(new LogsRequest { Id = "trustd", Follow = true });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.EndsWith(" up\n", call.ResponseStream.Current.Data.ToStringUtf8(), StringComparison.Ordinal);

        await Client.ServiceRestartAsync(new ServiceRestartRequest { Id = "trustd" });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.EndsWith(" up\n", call.ResponseStream.Current.Data.ToStringUtf8(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reads_the_kernel_log()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/dev/kmsg"), "needs root and /dev/kmsg");
        var all = await Drain(Client.Dmesg(new DmesgRequest()).ResponseStream, chunk => chunk.Data.ToStringUtf8());
        var last = await Drain(Client.Dmesg(new DmesgRequest { TailLines = 2 }).ResponseStream, chunk => chunk.Data.ToStringUtf8());

        Assert.Matches(@"^\[ *\d+\.\d{6}\] ", all);
        Assert.Equal(2, last.Count(c => c == '\n'));
    }

    [Fact]
    public async Task Reads_what_is_readable_and_nothing_else()
    {
        var text = await Drain(Client.Read(new ReadRequest { Path = "/proc/version" }).ResponseStream, chunk => chunk.Data.ToStringUtf8());
        Assert.Equal(File.ReadAllText("/proc/version"), text);

        foreach (var (path, code) in new[]
        {
            ("/proc/1/environ", StatusCode.PermissionDenied),
            ("/root/.bashrc", StatusCode.PermissionDenied),
            ("/etc/nothing", StatusCode.NotFound),
            ("/etc/passwd/x", StatusCode.NotFound),
            ("/proc/mounts", StatusCode.FailedPrecondition),
            ("/etc", StatusCode.FailedPrecondition),
        })
        {
            var failure = await Assert.ThrowsAsync<RpcException>(async () => await Drain(Client.Read(new ReadRequest { Path = path }).ResponseStream, _ => ""));
            Assert.Equal((path, code), (path, failure.StatusCode));
        }
    }

    [Fact]
    public async Task Lists_directories()
    {
        Directory.CreateDirectory(Path.Combine(_directory, "tree/inner"));
        File.WriteAllText(Path.Combine(_directory, "tree/inner/file"), "1234");
        File.CreateSymbolicLink(Path.Combine(_directory, "tree/link"), "inner");
        var path = _directory + "/tree";

        var flat = await Entries(new ListRequest { Path = path });
        var deep = await Entries(new ListRequest { Path = path + "/", Recursive = true });

        Assert.Equal([path + "/inner", path + "/link"], flat.Select(entry => entry.Name));
        Assert.Equal([path + "/inner", path + "/inner/file", path + "/link"], deep.Select(entry => entry.Name));
        Assert.Equal((4UL, 0x8000u), (deep[1].Size, deep[1].Mode & 0xF000));
        Assert.Equal("inner", deep[2].Link);
        var failure = await Assert.ThrowsAsync<RpcException>(() => Entries(new ListRequest { Path = path + "/link" }));
        Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
    }

    [Fact]
    public async Task Answers_what_the_kernel_knows()
    {
        var mounts = (await Client.MountsAsync(new MountsRequest())).Mounts;
        Assert.Contains(mounts, mount => mount is { Target: "/proc", Filesystem: "proc" });
        Assert.Contains((await Client.DiskUsageAsync(new DiskUsageRequest())).Filesystems, disk => disk.MountedOn == "/" && disk.Size > disk.Available);
        var memory = await Client.MemoryAsync(new MemoryRequest());
        Assert.True(memory.Total > memory.Available && memory.Available > 0);
        var time = await Client.TimeAsync(new TimeRequest());
        Assert.True(time.Uptime.ToTimeSpan() > TimeSpan.Zero);
        Assert.Equal("rtc", time.Source);
        var lo = (await Client.NetworkInterfacesAsync(new NetworkInterfacesRequest())).Interfaces.Single(item => item.Name == "lo");
        Assert.True(lo.Up);
        Assert.Contains("127.0.0.1/8", lo.Addresses);
    }

    [Fact]
    public async Task Answers_before_it_ends_the_machine()
    {
        await Client.ShutdownAsync(new ShutdownRequest());

        Assert.Equal(MachineStage.Stopping, (await Client.VersionAsync(new VersionRequest())).Stage);
        await _poweredOff.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    async Task<List<FileEntry>> Entries(ListRequest request)
    {
        var entries = new List<FileEntry>();
        await foreach (var entry in Client.List(request).ResponseStream.ReadAllAsync())
            entries.Add(entry);
        return entries;
    }

    static async Task<string> Drain<T>(IAsyncStreamReader<T> stream, Func<T, string> text)
    {
        var all = new StringBuilder();
        await foreach (var item in stream.ReadAllAsync())
            all.Append(text(item));
        return all.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _server.DisposeAsync();
        await _supervisor.StopAllAsync();
        _supervisor.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
