namespace Talos.Checks.Probes;

enum ReadingState
{
    /// <summary>Whether the thing is there, or what it says, could not be found out.</summary>
    Unreadable = 0,

    /// <summary>It is certain that the thing is not there.</summary>
    Absent,

    Present,
}

/// <summary>A value and the place where it was read.</summary>
readonly record struct Fact(string Value, string Source);

/// <summary>What a probe read. A list-shaped probe that found nothing is present and empty.</summary>
sealed class Reading
{
    Reading(ReadingState state, IReadOnlyList<Fact> facts, string source, string reason)
    {
        State = state;
        Facts = facts;
        Source = source;
        Reason = reason;
    }

    public ReadingState State { get; }

    public IReadOnlyList<Fact> Facts { get; }

    /// <summary>Where it was looked for.</summary>
    public string Source { get; }

    /// <summary>Why it could not be read; empty otherwise.</summary>
    public string Reason { get; }

    public static Reading Of(string value, string source) => new(ReadingState.Present, [new Fact(value, source)], source, "");

    public static Reading Of(IReadOnlyList<Fact> facts, string source) => new(ReadingState.Present, facts, source, "");

    public static Reading Absent(string source) => new(ReadingState.Absent, [], source, "");

    public static Reading Unreadable(string source, string reason) => new(ReadingState.Unreadable, [], source, reason);
}
