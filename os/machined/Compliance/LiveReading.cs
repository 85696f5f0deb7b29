using Talos.Checks;
using Talos.CisBench;
using Talos.Kspp;
using Talos.Linux;
using Talos.Linux.Kernel;

namespace Talos.Machined.Compliance;

/// <summary>Where the reading keeps what outlives machined; null keeps it in memory.</summary>
/// <param name="BaselineFile">For this boot: a machined that was restarted goes on comparing with the node as it had started.</param>
/// <param name="HistoryFile">For ever: the scans of earlier boots.</param>
sealed record LiveReadingFiles(string? BaselineFile, string? HistoryFile)
{
    internal static LiveReadingFiles None { get; } = new(null, null);

    internal static LiveReadingFiles Node { get; } = new("/run/talos/compliance.json", "/state/machined/compliance-history");
}

/// <summary>The node's live reading of itself: starts when the node has, and runs until machined ends.</summary>
/// <param name="isExpected">Facts that come and go by design.</param>
/// <param name="walksTree">Whether every file of the machine is looked at now and then.</param>
sealed class LiveReading(TimeProvider time, LiveReadingFiles files, Func<DriftKind, string, bool> isExpected, bool walksTree)
{
    // Part of the verified root; the same waivers under which the image passed its gate.
    const string WaiverFile = "/etc/talos/waivers.yaml", SignerFile = "/etc/talos/waiver-signers.pem";

    // Catalogues and a first look take the processor for a while, which a node that is starting needs for its services. osd asks as soon as it answers.
    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    readonly TaskCompletionSource<ComplianceMonitor> _monitor = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Lazy<Waivers> _waivers = new(ReadWaivers);

    /// <summary>Ends when the node has been looked at for the first time; the first who asks makes that begin.</summary>
    internal Task<ComplianceMonitor> AskAsync()
    {
        _asked.TrySetResult();
        return _monitor.Task;
    }

    /// <summary>Null until the node has been looked at for the first time.</summary>
    internal ComplianceMonitor? Monitor => _monitor.Task.IsCompletedSuccessfully ? _monitor.Task.Result : null;

    internal TimeProvider Time => time;

    /// <summary>Findings that somebody answers for; the image carries them.</summary>
    internal Waivers Waivers => _waivers.Value;

    /// <summary>Every catalogue that applies to a node.</summary>
    internal static CheckCatalogue[] Usual => [KsppCatalogue.Load(), CisCatalogues.Node, CisCatalogues.Linux];

    /// <summary>Whether a check is evaluated when nobody asks for its catalogue by name.</summary>
    internal bool IsUsual(Check check) => walksTree || !check.WalksTree;

    internal async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await _asked.Task.WaitAsync(LongestWait, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stop.ThrowIfCancellationRequested();
            using var monitor = await Task.Run(Begin, stop);
            _monitor.SetResult(monitor);
            using var watch = Watch(monitor);
            await Task.WhenAll(monitor.RunAsync(stop), KeepAsync(monitor, stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Whoever waits for the first look is told by its own token.
            _monitor.TrySetCanceled(stop);
        }
    }

    ComplianceMonitor Begin()
    {
        var baseline = LiveReadingStore.ReadBaseline(files.BaselineFile);
        var monitor = new ComplianceMonitor(Usual, ProbeRoot.Node(), time, MonitorOptions.Default with
        {
            IsExpected = isExpected,
            MayComeAndGo = IsOfService,
            Selected = IsUsual,
            Waivers = Waivers,
            Baseline = baseline,
            Earlier = LiveReadingStore.ReadHistory(files.HistoryFile),
        });
        // Reading the catalogues left more behind than the reading itself ever will.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (baseline is null) LiveReadingStore.WriteBaseline(files.BaselineFile, monitor.Baseline);
        return monitor;
    }

    // Keys and the like, which services make and replace; their modes must stay what they were.
    static bool IsOfService(DriftKind kind, string subject) => kind == DriftKind.Mode && subject.StartsWith("/state/", StringComparison.Ordinal);

    /// <summary>Scanning finds what the kernel does not tell; without its help it finds the rest too, a little later.</summary>
    static ChangeWatch? Watch(ComplianceMonitor monitor)
    {
        try
        {
            return new ChangeWatch(Directories(monitor.WatchedPaths), monitor.Nudge);
        }
        catch (LinuxException e)
        {
            Journal.Write($"compliance: the kernel does not tell of changes, they are scanned for: {e.Message}");
            return null;
        }
    }

    // The directory of each path up to its first pattern. The kernel's own file systems tell nothing.
    static IEnumerable<string> Directories(IEnumerable<string> paths) => paths
        .Select(path => path[..path.AsSpan(0, path.IndexOf('*') is var star and >= 0 ? star : path.Length).LastIndexOf('/')])
        .Where(directory => directory.Length > 0 && !directory.StartsWith("/proc", StringComparison.Ordinal) && !directory.StartsWith("/sys", StringComparison.Ordinal))
        .Distinct(StringComparer.Ordinal);

    async Task KeepAsync(ComplianceMonitor monitor, CancellationToken stop)
    {
        DateTimeOffset kept = default;
        await foreach (var news in monitor.WatchAsync(seen: null, stop))
        {
            if (news.Standing.Scanned == kept) continue;
            kept = news.Standing.Scanned;
            LiveReadingStore.WriteHistory(files.HistoryFile, monitor.History);
        }
    }

    static Waivers ReadWaivers()
    {
        if (!File.Exists(WaiverFile)) return Waivers.None;
        try
        {
            var parsed = Waivers.Load(WaiverFile, SignerFile);
            if (parsed.Value is { } waivers) return waivers;
            Journal.Write($"compliance: no finding is waived: {parsed.Errors[0]}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Journal.Write($"compliance: no finding is waived: {e.Message}");
        }
        return Waivers.None;
    }
}
