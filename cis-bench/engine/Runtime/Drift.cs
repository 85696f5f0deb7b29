namespace Talos.Checks;

public enum DriftKind
{
    /// <summary>More changes at once than are told one by one.</summary>
    Unknown = 0,
    Sysctl,
    Mount,
    Module,
    Mode,
    Port,

    /// <summary>A check's verdict changed.</summary>
    Verdict,
}

/// <summary>A fact of a running node that is not as it was when the node was first looked at, or is so again.</summary>
/// <param name="Before">The value seen last; null when the thing was not there.</param>
/// <param name="After">The value now; null when the thing is gone.</param>
/// <param name="Returned">The fact is again as it was at the start.</param>
/// <param name="Checks">The checks that ask for this fact, by id.</param>
public sealed record Drift(
    DateTimeOffset Time, DriftKind Kind, string Subject, string? Before, string? After, bool Returned, IReadOnlyList<string> Checks)
{
    /// <summary>Counts the changes of one monitor from 1.</summary>
    public ulong Sequence { get; init; }

    /// <summary>The change in one sentence, as it is entered in the record.</summary>
    public string Sentence => (Before, After) switch
    {
        (null, null) => $"{Subject} changed",
        (null, var after) => $"{Word} `{Subject}` appeared: `{after}`",
        (var before, null) => $"{Word} `{Subject}` is gone, it was `{before}`",
        var (before, after) => $"{Word} `{Subject}` changed from `{before}` to `{after}`",
    };

    string Word => Kind switch
    {
        DriftKind.Sysctl => "sysctl",
        DriftKind.Mount => "mount",
        DriftKind.Module => "kernel module",
        DriftKind.Mode => "mode of",
        DriftKind.Port => "listening port",
        DriftKind.Verdict => "verdict of",
        _ => "fact",
    };
}
