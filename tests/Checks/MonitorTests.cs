using Microsoft.Extensions.Time.Testing;
using Talos.Checks;
using Xunit;

namespace Talos.Checks.Tests;

/// <summary>A node changes while it is watched.</summary>
public sealed class MonitorTests : IDisposable
{
    const string Mounts = "20 1 254:0 / / ro,relatime - squashfs /dev/dm-0 ro\n";
    const string Sockets = "  sl  local_address rem_address   st\n   0: 00000000:C350 00000000:0000 0A 0\n";

    readonly ImageFixture _node = new();
    readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));

    public MonitorTests()
    {
        _node.Write("/proc/self/mountinfo", Mounts);
        _node.Write("/proc/net/tcp", Sockets);
        _node.Write("/proc/net/udp", "  sl\n");
        _node.Write("/proc/modules", "");
        _node.Write("/proc/sys/kernel/sysrq", "0\n");
    }

    public void Dispose() => _node.Dispose();

    [Fact]
    public void Accepts_a_node_that_nobody_changes()
    {
        var monitor = Monitor();
        Assert.Empty(monitor.Poll());
        Assert.Empty(monitor.OpenDrift);
        Assert.Single(monitor.History);
    }

    [Fact]
    public void Rejects_a_changed_sysctl_and_notes_its_return()
    {
        var monitor = Monitor();
        _node.Write("/proc/sys/kernel/sysrq", "1\n");
        var drift = Assert.Single(monitor.Poll());
        Assert.Equal((DriftKind.Sysctl, "kernel.sysrq", "0", "1", false), (drift.Kind, drift.Subject, drift.Before, drift.After, drift.Returned));
        Assert.Equal(["own.sysrq"], drift.Checks);
        Assert.Equal("sysctl `kernel.sysrq` changed from `0` to `1`", drift.Sentence);
        Assert.Single(monitor.OpenDrift);
        Assert.Equal(Verdict.Fail, monitor.Scan().Results.Single(r => r.Check.Id == "own.sysrq").Verdict);
        _node.Write("/proc/sys/kernel/sysrq", "0\n");
        Assert.True(Assert.Single(monitor.Poll()).Returned);
        Assert.Empty(monitor.OpenDrift);
    }

    [Fact]
    public void Rejects_every_kind_of_change()
    {
        var monitor = Monitor();
        _node.Write("/proc/self/mountinfo", Mounts.Replace("ro,relatime", "rw,relatime") + "30 20 0:30 / /mnt rw - tmpfs tmpfs rw\n40 20 0:31 / /var/lib/kubelet/pods/a rw - tmpfs tmpfs rw\n");
        _node.Write("/proc/net/tcp", Sockets + "   1: 00000000:0016 00000000:0000 0A 0\n");
        _node.Write("/proc/modules", "evil 1 0 - Live 0x0\n");
        _node.Mode("/etc/passwd", 0x1b6);
        var changes = monitor.Poll().Select(d => (d.Kind, d.Subject)).ToHashSet();
        Assert.Equal([(DriftKind.Mount, "/"), (DriftKind.Mount, "/mnt"), (DriftKind.Port, "tcp 0.0.0.0:22"), (DriftKind.Module, "evil"), (DriftKind.Mode, "/etc/passwd")], changes);
    }

    [Fact]
    public void Accepts_a_wanted_change_as_the_new_state()
    {
        var monitor = Monitor();
        _node.Write("/proc/sys/kernel/sysrq", "1\n");
        Assert.Single(monitor.Poll());
        monitor.Accept();
        Assert.Empty(monitor.OpenDrift);
        _node.Write("/proc/sys/kernel/sysrq", "0\n");
        Assert.False(Assert.Single(monitor.Poll()).Returned);
    }

    [Fact]
    public async Task Accepts_listeners_that_hear_of_drift_within_a_second()
    {
        var monitor = Monitor();
        using var stop = new CancellationTokenSource();
        await using var heard = monitor.WatchAsync(stop.Token).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        var next = heard.MoveNextAsync();
        var running = monitor.RunAsync(stop.Token);
        _node.Write("/proc/sys/kernel/sysrq", "1\n");
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await next);
        Assert.Equal("kernel.sysrq", heard.Current.Subject);
        Assert.True(await heard.MoveNextAsync());
        Assert.Equal((DriftKind.Verdict, "own.sysrq", "PASS", "FAIL"), (heard.Current.Kind, heard.Current.Subject, heard.Current.Before, heard.Current.After));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    ComplianceMonitor Monitor()
    {
        var catalogue = CheckCatalogue.Parse("""
            catalogue: own
            title: t
            version: "1"
            source: s
            sections:
              - id: s
                title: S
                cite: c
                rationale: r
                remediation: r
                checks:
                  - { id: own.sysrq, title: t, rule: sysctl kernel.sysrq is 0 }
                  - { id: own.passwd, title: t, rule: mode /etc/passwd at-most 0644 }
            """, "own.yaml").Require();
        return new([catalogue], ProbeRoot.Node(_node.Root, new(_node.KernelFiles.Kconfig)), _clock);
    }
}
