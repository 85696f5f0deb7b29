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
        using var monitor = Monitor();
        Assert.Empty(monitor.Poll());
        Assert.Empty(monitor.Standing.Open);
        Assert.Single(monitor.History);
    }

    [Fact]
    public void Rejects_a_changed_sysctl_and_notes_its_return()
    {
        using var monitor = Monitor();
        _node.Write("/proc/sys/kernel/sysrq", "1\n");
        var drift = Assert.Single(monitor.Poll());
        Assert.Equal((DriftKind.Sysctl, "kernel.sysrq", "0", "1", false), (drift.Kind, drift.Subject, drift.Before, drift.After, drift.Returned));
        Assert.Equal(["own.sysrq"], drift.Checks);
        Assert.Equal("sysctl `kernel.sysrq` changed from `0` to `1`", drift.Sentence);
        Assert.Single(monitor.Standing.Open);
        Assert.Equal(Verdict.Fail, monitor.Scan().Results.Single(r => r.Check.Id == "own.sysrq").Verdict);
        _node.Write("/proc/sys/kernel/sysrq", "0\n");
        Assert.True(Assert.Single(monitor.Poll()).Returned);
        Assert.Empty(monitor.Standing.Open);
    }

    [Fact]
    public void Rejects_every_kind_of_change()
    {
        using var monitor = Monitor();
        _node.Write("/proc/self/mountinfo", Mounts.Replace("ro,relatime", "rw,relatime") + "30 20 0:30 / /mnt rw - tmpfs tmpfs rw\n40 20 0:31 / /var/lib/kubelet/pods/a rw - tmpfs tmpfs rw\n");
        _node.Write("/proc/net/tcp", Sockets + "   1: 00000000:0016 00000000:0000 0A 0\n");
        _node.Write("/proc/modules", "evil 1 0 - Live 0x0\n");
        _node.Mode("/etc/passwd", 0x1b6);
        var changes = monitor.Poll().Select(d => (d.Kind, d.Subject)).ToHashSet();
        Assert.Equal([(DriftKind.Mount, "/"), (DriftKind.Mount, "/mnt"), (DriftKind.Port, "tcp 0.0.0.0:22"), (DriftKind.Module, "evil"), (DriftKind.Mode, "/etc/passwd")], changes);
    }

    [Fact]
    public void Accepts_a_quick_look_at_sysctls_and_mounts()
    {
        using var monitor = Monitor();
        Assert.Empty(monitor.PollQuickly());
        _node.Mode("/etc/passwd", 0x1b6);
        Assert.Empty(monitor.PollQuickly());
        _node.Write("/proc/sys/kernel/sysrq", "1\n");
        Assert.Equal([DriftKind.Sysctl, DriftKind.Mode], monitor.PollQuickly().Select(d => d.Kind).Order());
        Assert.Empty(monitor.PollQuickly());
        _node.Write("/proc/self/mountinfo", Mounts.Replace("ro,relatime", "rw,relatime"));
        Assert.Equal(DriftKind.Mount, Assert.Single(monitor.PollQuickly()).Kind);
        // Longer than what the kernel gives at once.
        _node.Write("/proc/self/mountinfo", Mounts + string.Concat(Enumerable.Range(0, 200).Select(i => $"{i + 30} 20 0:30 / /var/lib/kubelet/pods/{i} rw - tmpfs tmpfs rw\n")) + "300 20 0:31 / /mnt rw - tmpfs tmpfs rw\n");
        Assert.Contains(monitor.PollQuickly(), d => d.Subject == "/mnt");
        Assert.Empty(monitor.PollQuickly());
    }

    [Fact]
    public void Rejects_only_another_value_of_what_may_come_and_go()
    {
        using var monitor = Monitor(MonitorOptions.Default with { MayComeAndGo = (kind, subject) => kind == DriftKind.Mode && subject.StartsWith("/state/", StringComparison.Ordinal) });
        _node.Write("/state/osd.key", "x", 0x180);
        Assert.Empty(monitor.Poll());
        File.Delete(_node.Host("/state/osd.key"));
        Assert.Empty(monitor.Poll());
        _node.Write("/state/osd.key", "x", 0x1a4);
        Assert.Equal(("0600 0:0", "0644 0:0"), Assert.Single(monitor.Poll()) is var drift ? (drift.Before, drift.After) : default);
        File.Delete(_node.Host("/state/osd.key"));
        Assert.Empty(monitor.Poll());
        Assert.Single(monitor.Standing.Open);
        _node.Write("/state/osd.key", "x", 0x180);
        Assert.True(Assert.Single(monitor.Poll()).Returned);
        Assert.Empty(monitor.Standing.Open);
    }

    [Fact]
    public void Accepts_a_wanted_change_as_the_new_state()
    {
        using var monitor = Monitor();
        _node.Write("/proc/sys/kernel/sysrq", "1\n");
        Assert.Single(monitor.Poll());
        monitor.Accept();
        Assert.Empty(monitor.Standing.Open);
        _node.Write("/proc/sys/kernel/sysrq", "0\n");
        Assert.False(Assert.Single(monitor.Poll()).Returned);
    }

    [Fact]
    public async Task Accepts_listeners_that_hear_of_drift_within_a_second()
    {
        using var monitor = Monitor();
        using var stop = new CancellationTokenSource();
        await using var heard = monitor.WatchAsync(null, stop.Token).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await heard.MoveNextAsync());
        Assert.Null(heard.Current.Change);
        Assert.Empty(heard.Current.Standing.Open);
        var running = monitor.RunAsync(stop.Token);
        _node.Write("/proc/sys/kernel/sysrq", "1\n");
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await heard.MoveNextAsync());
        Assert.Equal(("kernel.sysrq", 1UL), (heard.Current.Change!.Subject, heard.Current.Change.Sequence));
        Assert.Equal("kernel.sysrq", Assert.Single(heard.Current.Standing.Open).Subject);
        Assert.True(await heard.MoveNextAsync());
        var verdict = heard.Current.Change!;
        Assert.Equal((DriftKind.Verdict, "own.sysrq", "PASS", "FAIL", 2UL), (verdict.Kind, verdict.Subject, verdict.Before, verdict.After, verdict.Sequence));
        Assert.Equal(1, Assert.Single(heard.Current.Standing.Sums).Failed);
        Assert.Equal(["start", "sysctl `kernel.sysrq` changed from `0` to `1`"], monitor.History.Select(h => h.Cause));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Accepts_a_nudge_without_waiting_for_the_interval()
    {
        using var monitor = Monitor();
        using var stop = new CancellationTokenSource();
        await using var heard = monitor.WatchAsync(null, stop.Token).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await heard.MoveNextAsync();
        var running = monitor.RunAsync(stop.Token);
        _node.Write("/proc/self/mountinfo", Mounts.Replace("ro,relatime", "rw,relatime"));
        monitor.Nudge();
        monitor.Nudge();
        Assert.True(await heard.MoveNextAsync());
        Assert.Equal((DriftKind.Mount, "/"), (heard.Current.Change!.Kind, heard.Current.Change.Subject));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Accepts_listeners_that_hear_of_a_quiet_node_too()
    {
        using var monitor = Monitor();
        using var stop = new CancellationTokenSource();
        await using var heard = monitor.WatchAsync(null, stop.Token).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await heard.MoveNextAsync();
        var running = monitor.RunAsync(stop.Token);
        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.True(await heard.MoveNextAsync());
        Assert.Null(heard.Current.Change);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Accepts_listeners_that_come_late_and_have_seen_some()
    {
        using var monitor = Monitor();
        foreach (var value in (string[])["1", "2", "3"])
        {
            _node.Write("/proc/sys/kernel/sysrq", value + "\n");
            monitor.Poll();
        }
        Assert.Equal(["2", "3"], await First(2, monitor.WatchAsync(seen: 1, TestContext.Current.CancellationToken)));
        Assert.Equal(["1", "2", "3"], await First(3, monitor.WatchAsync(seen: 0, TestContext.Current.CancellationToken)));

        static async Task<List<string?>> First(int count, IAsyncEnumerable<MonitorEvent> events)
        {
            var values = new List<string?>();
            await foreach (var news in events)
            {
                if (news.Change is { } change) values.Add(change.After);
                if (values.Count == count) break;
            }
            return values;
        }
    }

    [Fact]
    public void Rejects_what_changed_while_no_monitor_looked()
    {
        using var first = Monitor();
        _node.Write("/proc/sys/kernel/sysrq", "1\n");
        using var second = Monitor(MonitorOptions.Default with { Baseline = first.Baseline, Earlier = first.History });
        Assert.Equal(("kernel.sysrq", "0", "1"), Assert.Single(second.Poll()) is var drift ? (drift.Subject, drift.Before, drift.After) : default);
        Assert.Equal(["start", "start"], second.History.Select(h => h.Cause));
    }

    [Fact]
    public void Accepts_facts_that_come_and_go_by_design()
    {
        using var monitor = Monitor(MonitorOptions.Default with { IsExpected = (kind, subject) => kind == DriftKind.Port && subject == "tcp 0.0.0.0:50001" });
        _node.Write("/proc/net/tcp", Sockets + "   1: 00000000:C351 00000000:0000 0A 0\n   2: 00000000:0016 00000000:0000 0A 0\n");
        Assert.Equal("tcp 0.0.0.0:22", Assert.Single(monitor.Poll()).Subject);
    }

    [Fact]
    public void Survives_a_storm_of_mounts()
    {
        using var monitor = Monitor();
        _node.Write("/proc/self/mountinfo", Mounts + string.Concat(Enumerable.Range(0, 1_000).Select(i => $"{i + 30} 20 0:30 / /mnt/{i} rw - tmpfs tmpfs rw\n")));
        var changes = monitor.Poll();
        Assert.Equal((201, "800 more facts changed"), (changes.Count, changes[^1].Sentence));
        Assert.Equal(1_000, monitor.Standing.Open.Count);
    }

    [Fact]
    public void Rejects_facts_that_can_no_longer_be_read()
    {
        using var monitor = Monitor();
        _node.Write("/proc/self/mountinfo", "what is this\n");
        Assert.Contains(monitor.Poll(), d => d is { Kind: DriftKind.Mount, Before: null } && d.After!.StartsWith("(not readable", StringComparison.Ordinal));
    }

    [Fact]
    public void Accepts_a_request_that_finds_nothing_new_without_a_place_in_the_history()
    {
        using var monitor = Monitor();
        monitor.Scan();
        Assert.Single(monitor.History);
        _node.Write("/proc/sys/kernel/sysrq", "1\n");
        monitor.Scan();
        Assert.Equal(["start", "request"], monitor.History.Select(h => h.Cause));
    }

    ComplianceMonitor Monitor(MonitorOptions? options = null)
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
                  - { id: own.keys, title: t, when: file /state/*.key present, rule: mode /state/*.key at-most 0600 }
            """, "own.yaml").Require();
        return new([catalogue], ProbeRoot.Node(_node.Root, new(_node.KernelFiles.Kconfig)), _clock, options);
    }
}
