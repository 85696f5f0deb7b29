using System.Threading.Channels;

namespace Talos.Checks;

/// <summary>
/// Keeps a live reading of a node: the last report, those before it, and what drifted since the node had started. The kernel tells nobody when
/// a sysctl changes, so the facts are read in short intervals. Whoever learns of a change otherwise calls
/// <see cref="Nudge"/>. Safe for concurrent use.
/// </summary>
public sealed class ComplianceMonitor : IDisposable
{
    // LIMIT: changes that one reading tells one by one; more at once are summed up, so that a storm of mounts cannot fill the record.
    const int MaxChangesAtOnce = 200;

    // LIMIT: changes kept for listeners that come late or come back; a listener that falls behind by as many sees a gap in their numbers.
    const int MaxKept = 1_024;

    // How long listeners hear nothing at most: one that hears nothing for longer knows that nobody looks any more.
    static readonly TimeSpan s_heartbeat = TimeSpan.FromSeconds(5);

    // How often ports and modules are read, and again modes, of which the kernel tells: none of them has to be found within a second.
    static readonly TimeSpan s_thorough = TimeSpan.FromSeconds(5);

    // Between two readings that were asked for, so that a storm of nudges takes no processor of its own.
    static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    readonly IReadOnlyList<CheckCatalogue> _catalogues;
    readonly ProbeRoot _root;
    readonly TimeProvider _time;
    readonly MonitorOptions _options;
    readonly WatchedFacts _watched;
    readonly RawFacts _raw;
    readonly SemaphoreSlim _due = new(0, 1);
    readonly Lock _gate = new();
    readonly List<Channel<MonitorEvent>> _listeners = [];
    readonly Dictionary<(DriftKind Kind, string Subject), Drift> _open = [];
    readonly Queue<HistoryEntry> _history;
    readonly Queue<Drift> _changes = new();
    readonly string _id = Guid.NewGuid().ToString("N");
    NodeBaseline _baseline;
    Dictionary<(DriftKind Kind, string Subject), string> _expected;
    IReadOnlyDictionary<(DriftKind Kind, string Subject), string> _last;
    ComplianceReport _report;
    ulong _sequence;
    volatile bool _isNudged;

    /// <summary>Looks at the node once. What it sees now is what later changes are measured against, unless an earlier baseline is given.</summary>
    public ComplianceMonitor(IReadOnlyList<CheckCatalogue> catalogues, ProbeRoot root, TimeProvider time, MonitorOptions? options = null)
    {
        (_catalogues, _root, _time, _options) = (catalogues, root, time, options ?? MonitorOptions.Default);
        _watched = WatchedFacts.Of(catalogues.SelectMany(c => c.Checks).Where(c => (c.Targets & root.Target) != 0));
        _raw = new(root, _watched);
        _baseline = _options.Baseline ?? new(time.GetUtcNow(), Facts(Snapshot()));
        // The first reading then finds what changed while nobody looked.
        _expected = _baseline.Facts.ToDictionary(f => (f.Kind, f.Subject), f => f.Value);
        _last = new Dictionary<(DriftKind, string), string>(_expected);
        _history = new(_options.Earlier.TakeLast(_options.HistoryLength));
        _report = ComplianceScan.Run(catalogues, root, time, new(Selected: _options.Selected));
        Remember("start");
    }

    /// <summary>The paths whose modes and owners are watched, as catalogues name them: with `*` within components.</summary>
    public IEnumerable<string> WatchedPaths => _watched.Paths.Keys;

    /// <summary>What changes are measured against.</summary>
    public NodeBaseline Baseline
    {
        get
        {
            lock (_gate) return _baseline;
        }
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

    /// <summary>The changes found, oldest first, as far as they are kept.</summary>
    public IReadOnlyList<Drift> Changes
    {
        get
        {
            lock (_gate) return [.. _changes];
        }
    }

    /// <summary>Where the node stands now.</summary>
    public Standing Standing
    {
        get
        {
            lock (_gate) return Stand();
        }
    }

    /// <summary>Evaluates every check now.</summary>
    /// <param name="cause">Why, for the history. A scan on `request` that found what the one before did is not kept.</param>
    public ComplianceReport Scan(string cause = "request") =>
        Take(ComplianceScan.Run(_catalogues, _root, _time, new(Selected: _options.Selected)), cause);

    // After a change of a watched fact: no such fact is a file's content or place, so what was found in the tree holds until the next full scan.
    void ScanFacts(string cause)
    {
        var facts = ComplianceScan.Run(_catalogues, _root, _time, new(Selected: c => !c.WalksTree && _options.Selected?.Invoke(c) != false));
        var now = facts.Results.ToDictionary(r => r.Check);
        Take(new(facts.Target, facts.Kind, facts.Time, facts.Duration, facts.Kernel, facts.Catalogues,
            [.. Report.Results.Select(r => now.GetValueOrDefault(r.Check, r))]), cause);
    }

    ComplianceReport Take(ComplianceReport report, string cause)
    {
        lock (_gate)
        {
            var changes = VerdictChanges(_report, report);
            _report = report;
            if (cause != "request" || changes.Count > 0) Remember(cause);
            Publish(changes);
            if (changes.Count == 0) Tell(null);
        }
        return report;
    }

    /// <summary>Reads the watched facts now and tells what changed since the last time.</summary>
    public IReadOnlyList<Drift> Poll() => Compare(Snapshot());

    /// <summary>The same where a sysctl or mount is not as it was when this was asked last; nothing otherwise. Costs next to nothing.</summary>
    public IReadOnlyList<Drift> PollQuickly() => _raw.HaveChanged() ? Poll() : [];

    List<Drift> Compare(Dictionary<(DriftKind Kind, string Subject), string> now)
    {
        lock (_gate)
        {
            List<Drift> changes = [];
            foreach (var key in _last.Keys.Union(now.Keys))
            {
                var (before, after) = (_last.GetValueOrDefault(key), now.GetValueOrDefault(key));
                if (before == after) continue;
                if (_options.MayComeAndGo(key.Kind, key.Subject))
                {
                    if (after is null) continue;
                    before ??= _open.TryGetValue(key, out var open) ? open.After : _expected.TryAdd(key, after) ? after : _expected[key];
                    if (before == after) continue;
                }
                var returned = after == _expected.GetValueOrDefault(key);
                var drift = new Drift(_time.GetUtcNow(), key.Kind, key.Subject, before, after, returned, _watched.ChecksOf(key.Kind, key.Subject));
                changes.Add(drift);
                if (returned) _open.Remove(key);
                else _open[key] = drift;
            }
            _last = now;
            if (changes.Count > MaxChangesAtOnce)
            {
                var more = new Drift(_time.GetUtcNow(), DriftKind.Unknown, $"{changes.Count - MaxChangesAtOnce} more facts", null, null, false, []);
                changes = [.. changes.Take(MaxChangesAtOnce), more];
            }
            return Publish(changes);
        }
    }

    /// <summary>Has the facts read at once: something is known to have changed.</summary>
    public void Nudge()
    {
        _isNudged = true;
        Wake();
    }

    void Wake()
    {
        try
        {
            _due.Release();
        }
        catch (SemaphoreFullException)
        {
            // A reading is due already.
        }
    }

    /// <summary>Nothing may run on it any more.</summary>
    public void Dispose()
    {
        _raw.Dispose();
        _due.Dispose();
    }

    /// <summary>Takes the node's present state as the one that changes are measured against: after a change of configuration that was wanted.</summary>
    public void Accept()
    {
        var now = Snapshot();
        lock (_gate)
        {
            _baseline = new(_time.GetUtcNow(), Facts(now));
            (_last, _expected) = (now, new(now));
            _open.Clear();
            Tell(null);
        }
    }

    /// <summary>Polls and scans until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        await using var tick = _time.CreateTimer(_ => Wake(), null, _options.Interval, _options.Interval);
        var scanned = _time.GetTimestamp();
        var (told, looked) = (scanned, scanned);
        while (true)
        {
            await _due.WaitAsync(cancellation);
            var isQuick = !_isNudged && _time.GetElapsedTime(looked) < s_thorough;
            if (!isQuick) (_isNudged, looked) = (false, _time.GetTimestamp());
            var changes = isQuick ? PollQuickly() : Poll();
            if (changes.Count > 0 || _time.GetElapsedTime(told) >= s_heartbeat)
            {
                if (changes.Count == 0) lock (_gate) Tell(null);
                told = _time.GetTimestamp();
            }
            if (_time.GetElapsedTime(scanned) >= _options.FullScan)
            {
                Scan("interval");
                scanned = _time.GetTimestamp();
            }
            else if (changes.Count > 0)
            {
                ScanFacts(changes.Count == 1 ? changes[0].Sentence : $"{changes[0].Sentence}; and {changes.Count - 1} more");
            }
            await Task.Delay(s_pause, _time, cancellation);
        }
    }

    /// <summary>Where the node stands, then the kept changes that the caller has not seen, then each change and each scan from now on; at least one event in five seconds.</summary>
    /// <param name="seen">The last change the caller knows; changes after it that are still kept come first. Null for new ones only.</param>
    public async IAsyncEnumerable<MonitorEvent> WatchAsync(
        ulong? seen, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        // LIMIT: see MaxKept. The oldest go first: what is new is worth more.
        var channel = Channel.CreateBounded<MonitorEvent>(new BoundedChannelOptions(MaxKept) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        List<MonitorEvent> first;
        lock (_gate)
        {
            var standing = Stand();
            first = [new(standing, null), .. _changes.Where(c => c.Sequence > (seen ?? ulong.MaxValue)).Select(c => new MonitorEvent(standing, c))];
            _listeners.Add(channel);
        }
        try
        {
            foreach (var known in first) yield return known;
            await foreach (var news in channel.Reader.ReadAllAsync(cancellation)) yield return news;
        }
        finally
        {
            lock (_gate) _listeners.Remove(channel);
        }
    }

    Dictionary<(DriftKind Kind, string Subject), string> Snapshot() => FactSnapshot.Take(_root, _watched, _time, _options.IsExpected);

    static IReadOnlyList<WatchedFact> Facts(Dictionary<(DriftKind Kind, string Subject), string> values) =>
        [.. values.Select(v => new WatchedFact(v.Key.Kind, v.Key.Subject, v.Value))];

    List<Drift> VerdictChanges(ComplianceReport before, ComplianceReport after)
    {
        var old = before.Results.ToDictionary(r => r.Check.Id, r => r.Verdict);
        return [.. after.Results.Where(r => old.TryGetValue(r.Check.Id, out var verdict) && verdict != r.Verdict).Select(r => new Drift(
            _time.GetUtcNow(), DriftKind.Verdict, r.Check.Id, ReportInput.Word(old[r.Check.Id]), ReportInput.Word(r.Verdict), false, [r.Check.Id]))];
    }

    void Remember(string cause)
    {
        _history.Enqueue(new(_report.Time, cause, CatalogueSum.OfAll(_report, _options.Waivers, Today)));
        while (_history.Count > _options.HistoryLength) _history.Dequeue();
    }

    Standing Stand() => new(
        _id, _sequence, _baseline.Since, [.. _open.Values.OrderBy(d => d.Sequence)], _report.Time, CatalogueSum.Of(_report, _options.Waivers, Today));

    List<Drift> Publish(List<Drift> changes)
    {
        var numbered = new List<Drift>(changes.Count);
        foreach (var change in changes)
        {
            var drift = change with { Sequence = ++_sequence };
            numbered.Add(drift);
            _changes.Enqueue(drift);
            if (_changes.Count > MaxKept) _changes.Dequeue();
            if (_open.TryGetValue((drift.Kind, drift.Subject), out var open) && ReferenceEquals(open, change)) _open[(drift.Kind, drift.Subject)] = drift;
        }
        foreach (var drift in numbered) Tell(drift);
        return numbered;
    }

    void Tell(Drift? change)
    {
        if (_listeners.Count == 0) return;
        var news = new MonitorEvent(Stand(), change);
        foreach (var listener in _listeners) listener.Writer.TryWrite(news);
    }

    DateOnly Today => DateOnly.FromDateTime(_time.GetUtcNow().UtcDateTime);
}
