namespace Talos.Osctl;

/// <summary>What a script learns from the exit code; docs/design/osctl.md has the same table.</summary>
static class ExitCode
{
    public const int Done = 0;

    /// <summary>Nothing was asked of any node: wrong usage, a file that cannot be read, no context.</summary>
    public const int NotAsked = 1;

    /// <summary>At least one node failed; the answers of the others were printed.</summary>
    public const int NodeFailed = 2;

    /// <summary>Every node that failed did so because policy denies the call.</summary>
    public const int Denied = 3;

    /// <summary>What was checked is not in order: a record that does not verify, a configuration with mistakes.</summary>
    public const int NotInOrder = 4;

    /// <summary>Nothing is known to be wrong, but something that had to be checked could not be read.</summary>
    public const int CouldNotTell = 5;

    /// <summary>128 + SIGINT, as shells expect.</summary>
    public const int Interrupted = 130;
}
