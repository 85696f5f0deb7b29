using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Talos.Checks;

/// <param name="Interval">How often the watched facts are read: sysctls, mounts, modules, modes, ports. A change is found within this time.</param>
/// <param name="FullScan">How often every check is evaluated again.</param>
/// <param name="HistoryLength">How many scans are remembered.</param>
public sealed record MonitorOptions(TimeSpan Interval, TimeSpan FullScan, int HistoryLength)
{
    public static MonitorOptions Default { get; } = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromMinutes(15), 200);
}

/// <summary>
/// Keeps a live reading of a node: the last report, those before it, and what drifted since the node was first looked at. The kernel
/// tells nobody when a sysctl changes, so the facts are read in short intervals; that costs about 2 ms each time. Safe for concurrent use.
/// </summary>
public sealed class ComplianceMonitor
{
    // LIMIT: a listener that falls behind by this many changes loses the oldest; the record has them all.
    const int MaxPending = 1_024;

    readonly IReadOnlyList<CheckCatalogue> _catalogues;
    readonly ProbeRoot _root;
    readonly TimeProvider _time;
    readonly MonitorOptions _options;
    readonly WatchedFacts _watched;
    readonly Lock _gate = new();
    readonly ConcurrentDictionary<Channel<Drift>, byte> _listeners = new();
    readonly Dictionary<(DriftKind Kind, string Subject), Drift> _open = [];
    readonly Queue<HistoryEntry> _history = new();
    FactSnapshot _baseline;
    FactSnapshot _last;
    ComplianceReport _report;

    /// <summary>Looks at the node once; what it sees now is what later changes are measured against.</summary>
    public ComplianceMonitor(IReadOnlyList<CheckCatalogue> catalogues, ProbeRoot root, TimeProvider time, MonitorOptions? options = null)
    {
        (_catalogues, _root, _time, _options) = (catalogues, root, time, options ?? MonitorOptions.Default);
        _watched = WatchedFacts.Of(catalogues.SelectMany(c => c.Checks).Where(c => (c.Targets & root.Target) != 0));
        _baseline = _last = FactSnapshot.Take(root, _watched, time);
        _report = ComplianceScan.Run(catalogues, root, time);
        Remember(_report);
    }

    /// <summary>The last full scan.</summary>
    public ComplianceReport Report
    {
        get
        {
            lock (_gate) return _report;
        }
    }

    /// <summary>Earlier scans, oldest first, the last one included.</summary>
    public IReadOnlyList<HistoryEntry> History
    {
        get
        {
            lock (_gate) return [.. _history];
        }
    }

    /// <summary>What is not as it was at the start. Empty on a node that nobody changed; for policy, `input.node.compliance.drift`.</summary>
    public IReadOnlyList<Drift> OpenDrift
    {
        get
        {
            lock (_gate) return [.. _open.Values.OrderBy(d => d.Time)];
        }
    }

    /// <summary>Evaluates every check now.</summary>
    public ComplianceReport Scan()
    {
        var report = ComplianceScan.Run(_catalogues, _root, _time);
        List<Drift> changes;
        lock (_gate)
        {
            changes = VerdictChanges(_report, report);
            _report = report;
            Remember(report);
        }
        Publish(changes);
        return report;
    }

    /// <summary>Reads the watched facts now and tells what changed since the last time.</summary>
    public IReadOnlyList<Drift> Poll()
    {
        var now = FactSnapshot.Take(_root, _watched, _time);
        List<Drift> changes = [];
        lock (_gate)
        {
            foreach (var key in _last.Values.Keys.Union(now.Values.Keys))
            {
                var (before, after) = (_last.Values.GetValueOrDefault(key), now.Values.GetValueOrDefault(key));
                if (before == after) continue;
                var returned = after == _baseline.Values.GetValueOrDefault(key);
                var drift = new Drift(_time.GetUtcNow(), key.Kind, key.Subject, before, after, returned, _watched.ChecksOf(key.Kind, key.Subject));
                changes.Add(drift);
                if (returned) _open.Remove(key);
                else _open[key] = drift;
            }
            _last = now;
        }
        Publish(changes);
        return changes;
    }

    /// <summary>Takes the node's present state as the one that changes are measured against: after a change of configuration that was wanted.</summary>
    public void Accept()
    {
        var now = FactSnapshot.Take(_root, _watched, _time);
        lock (_gate)
        {
            _baseline = _last = now;
            _open.Clear();
        }
    }

    /// <summary>Polls and scans until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(_options.Interval, _time);
        var scanned = _time.GetTimestamp();
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            if (Poll().Count == 0 && _time.GetElapsedTime(scanned) < _options.FullScan) continue;
            Scan();
            scanned = _time.GetTimestamp();
        }
    }

    /// <summary>Every change from now on, until the caller stops listening.</summary>
    public async IAsyncEnumerable<Drift> WatchAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var channel = Channel.CreateBounded<Drift>(new BoundedChannelOptions(MaxPending) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        _listeners.TryAdd(channel, 0);
        try
        {
            await foreach (var drift in channel.Reader.ReadAllAsync(cancellation)) yield return drift;
        }
        finally
        {
            _listeners.TryRemove(channel, out _);
        }
    }

    List<Drift> VerdictChanges(ComplianceReport before, ComplianceReport after)
    {
        var old = before.Results.ToDictionary(r => r.Check.Id, r => r.Verdict);
        return [.. after.Results.Where(r => old.TryGetValue(r.Check.Id, out var verdict) && verdict != r.Verdict).Select(r => new Drift(
            _time.GetUtcNow(), DriftKind.Verdict, r.Check.Id, ReportInput.Word(old[r.Check.Id]), ReportInput.Word(r.Verdict), false, [r.Check.Id]))];
    }

    void Remember(ComplianceReport report)
    {
        _history.Enqueue(new(report.Time, report.Count(Verdict.Pass), report.Count(Verdict.Fail), report.Count(Verdict.Unknown),
            report.Count(Verdict.NotApplicable), report.Count(Verdict.Manual)));
        while (_history.Count > _options.HistoryLength) _history.Dequeue();
    }

    void Publish(List<Drift> changes)
    {
        foreach (var listener in _listeners.Keys)
            foreach (var change in changes)
                listener.Writer.TryWrite(change);
    }
}
