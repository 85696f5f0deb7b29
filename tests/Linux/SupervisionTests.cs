using Microsoft.Extensions.Time.Testing;
using Talos.Linux.Processes;
using Talos.Linux.Supervision;

namespace Talos.Linux.Tests;

/// <summary>Real processes, a fake clock: nothing here waits for time to pass.</summary>
public sealed class SupervisionTests : IDisposable
{
    readonly DirectoryInfo _logs = Directory.CreateTempSubdirectory("talos-supervision-");
    readonly FakeTimeProvider _clock = new();
    readonly Queue<string> _lines = new();
    readonly SemaphoreSlim _line = new(0);
    Supervisor? _supervisor;

    [Fact]
    public async Task Survives_a_service_killed_from_outside()
    {
        var supervisor = Supervise("echo up; exec sleep 1000");
        var first = await supervisor.StartAsync("it");
        await LineAsync("up");

        Kill(first, Signal.Kill);
        await UntilAsync(ServiceState.BackOff);
        Assert.Equal("was ended by SIGKILL, next start in 0.25 s", Status.LastEvent);
        _clock.Advance(TimeSpan.FromMilliseconds(250));
        await LineAsync("up");

        Assert.Equal(ServiceState.Running, Status.State);
        Assert.Equal(1, Status.Restarts);
        Assert.NotEqual(first, Status.ProcessId);
    }

    [Fact]
    public async Task Waits_longer_after_each_failure()
    {
        var supervisor = Supervise("exit 3");
        await supervisor.StartAsync("it");
        foreach (var seconds in new[] { "0.25", "0.5", "1", "2", "4", "8", "16", "30", "30" })
        {
            await UntilAsync(status => status.LastEvent == $"exited with code 3, next start in {seconds} s");
            _clock.Advance(TimeSpan.FromSeconds(double.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture)));
        }
    }

    [Fact]
    public async Task Kills_a_service_that_ignores_the_request_to_end()
    {
        var supervisor = Supervise("trap '' TERM; echo deaf; while :; do sleep 1000 & wait; done");
        var pid = await supervisor.StartAsync("it");
        await LineAsync("deaf");

        var stopping = supervisor.StopAsync("it");
        await UntilAsync(ServiceState.Stopping);
        _clock.Advance(TimeSpan.FromSeconds(5));
        await stopping;

        Assert.Equal("was ended by SIGKILL", Status.LastEvent);
        Assert.Equal(ServiceState.Stopped, Status.State);
        Assert.Null(Kernel.ProcessTable.TryRead(pid));
    }

    [Fact]
    public async Task Restarts_with_a_new_process()
    {
        var supervisor = Supervise("exec sleep 1000");
        var first = await supervisor.StartAsync("it");
        var second = await supervisor.RestartAsync("it");

        Assert.NotEqual(first, second);
        Assert.Equal(0, Status.Restarts);
        Assert.Null(Kernel.ProcessTable.TryRead(first));
    }

    [Fact]
    public async Task Reports_an_executable_that_is_not_there()
    {
        var supervisor = new Supervisor(
            [new ServiceSpecification { Id = "it", Start = new ProcessStart { Executable = "/nowhere/it" } }], new Reaper(), _logs.FullName, _clock);
        _supervisor = supervisor;

        var failure = await Assert.ThrowsAsync<LinuxException>(() => supervisor.StartAsync("it"));

        Assert.Equal("start `/nowhere/it`: no such file or directory (errno 2)", failure.Message);
        await UntilAsync(ServiceState.BackOff);
    }

    [Fact]
    public async Task Keeps_a_log_of_bounded_size_with_the_newest_lines()
    {
        var supervisor = Supervise("i=0; while [ $i -lt 30000 ]; do echo \"line $i of a service that talks too much for its own good\"; i=$((i+1)); done; echo end; exec sleep 1000");
        await supervisor.StartAsync("it");
        await LineAsync("end");

        var current = Path.Combine(_logs.FullName, "it.log");
        Assert.InRange(new FileInfo(current).Length, 1, ServiceLog.FileBytesMaximum);
        Assert.InRange(new FileInfo(current + ".1").Length, 1, ServiceLog.FileBytesMaximum);
        Assert.EndsWith(" end\n", await File.ReadAllTextAsync(current), StringComparison.Ordinal);
        Assert.Equal(2, _logs.GetFiles().Length);
    }

    [Fact]
    public void Cuts_long_lines_and_forged_ones()
    {
        using var log = new ServiceLog(_logs.FullName, "it", _clock);
        log.Write("good\r\u001b[31mforged\n2020"u8);

        Assert.Equal("2000-01-01T00:00:00.000Z good  [31mforged 2020\n", File.ReadAllText(Path.Combine(_logs.FullName, "it.log")));
    }

    [Fact]
    public void Survives_output_after_its_log_was_closed()
    {
        var log = new ServiceLog(_logs.FullName, "it", _clock);
        log.Write("kept"u8);
        log.Dispose();
        log.Write("dropped"u8);

        Assert.Equal("2000-01-01T00:00:00.000Z kept\n", File.ReadAllText(Path.Combine(_logs.FullName, "it.log")));
    }

    ServiceStatus Status => _supervisor!.List()[0];

    Supervisor Supervise(string script) => _supervisor = new Supervisor(
        [
            new ServiceSpecification
            {
                Id = "it",
                Start = new ProcessStart { Executable = "/bin/sh", Arguments = ["-c", script], OwnSession = true },
            },
        ],
        new Reaper(), _logs.FullName, _clock, (_, line) =>
        {
            lock (_lines)
                _lines.Enqueue(line);
            _line.Release();
        });

    async Task LineAsync(string expected)
    {
        while (true)
        {
            Assert.True(await _line.WaitAsync(TimeSpan.FromSeconds(60)), $"no line `{expected}`");
            lock (_lines)
            {
                if (_lines.Dequeue() == expected)
                    return;
            }
        }
    }

    Task UntilAsync(ServiceState state) => UntilAsync(status => status.State == state);

    async Task UntilAsync(Func<ServiceStatus, bool> reached)
    {
        while (!reached(Status))
            await Task.Yield();
    }

    static void Kill(int pid, Signal signal) => Assert.Equal(0, Native.Libc.kill(pid, (int)signal));

    public void Dispose()
    {
        // Real processes must not outlive the test; the fake clock's time is up for all of them.
        if (_supervisor is not null)
        {
            var stopping = _supervisor.StopAllAsync();
            while (!stopping.IsCompleted)
                _clock.Advance(TimeSpan.FromSeconds(1));
            _supervisor.Dispose();
        }
        _line.Dispose();
        _logs.Delete(recursive: true);
    }
}
