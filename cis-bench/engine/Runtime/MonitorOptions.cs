namespace Talos.Checks;

/// <param name="Interval">How often sysctls and mounts are read; a change is found within this time. Modules, modes and ports are read every five seconds.</param>
/// <param name="FullScan">How often every check is evaluated again.</param>
/// <param name="HistoryLength">How many scans are remembered.</param>
public sealed record MonitorOptions(TimeSpan Interval, TimeSpan FullScan, int HistoryLength)
{
    public static MonitorOptions Default { get; } = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromMinutes(15), 200);

    /// <summary>Facts that come and go by design, by kind and subject: they are not watched.</summary>
    public Func<DriftKind, string, bool> IsExpected { get; init; } = (_, _) => false;

    /// <summary>
    /// Facts whose subject may appear and vanish by design, by kind and subject; only another value than the first one seen is a change.
    /// </summary>
    public Func<DriftKind, string, bool> MayComeAndGo { get; init; } = (_, _) => false;

    /// <summary>The checks that are evaluated; null takes every one.</summary>
    public Func<Check, bool>? Selected { get; init; }

    /// <summary>Findings that somebody answers for.</summary>
    public Waivers Waivers { get; init; } = Waivers.None;

    /// <summary>What an earlier monitor of the same boot measured against; null takes the node as it is.</summary>
    public NodeBaseline? Baseline { get; init; }

    /// <summary>Scans of earlier monitors, oldest first.</summary>
    public IReadOnlyList<HistoryEntry> Earlier { get; init; } = [];
}

/// <summary>A watched fact as it was.</summary>
public sealed record WatchedFact(DriftKind Kind, string Subject, string Value);

/// <summary>The watched facts of a node as they were when it had started.</summary>
public sealed record NodeBaseline(DateTimeOffset Since, IReadOnlyList<WatchedFact> Facts);

/// <summary>Where a node stands.</summary>
/// <param name="Monitor">Names the monitor that counts the changes.</param>
/// <param name="Sequence">The number of the last change.</param>
/// <param name="Since">Since when the node is compared with itself.</param>
/// <param name="Open">What is not as it was then, oldest first. Empty on a node that nobody changed.</param>
/// <param name="Scanned">When every check was evaluated last.</param>
/// <param name="Sums">What the catalogues said then.</param>
public sealed record Standing(
    string Monitor, ulong Sequence, DateTimeOffset Since, IReadOnlyList<Drift> Open, DateTimeOffset Scanned, IReadOnlyList<CatalogueSum> Sums);

/// <summary>What a listener is told.</summary>
/// <param name="Standing">After the change.</param>
/// <param name="Change">Null when the node was scanned, or at the start.</param>
public sealed record MonitorEvent(Standing Standing, Drift? Change);
