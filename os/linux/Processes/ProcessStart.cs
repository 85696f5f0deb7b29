namespace Talos.Linux.Processes;

/// <summary>What to run. Nothing is inherited but what is named here: no environment, no descriptors.</summary>
public sealed record ProcessStart
{
    /// <summary>Absolute path.</summary>
    public required string Executable { get; init; }

    /// <summary>Without the name of the executable itself.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary><c>NAME=value</c> each.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>True: the process leads a session and process group of its own, out of reach of the terminal's signals.</summary>
    public bool OwnSession { get; init; }
}
