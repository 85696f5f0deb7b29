namespace Talos.Osctl;

/// <summary>Something a person can mend: one sentence (lower case, no full stop), a hint, and the exit code.</summary>
sealed class OsctlException(string message, string? hint = null, int exitCode = ExitCode.NotAsked) : Exception(message)
{
    public string? Hint { get; } = hint;

    public int ExitCode { get; } = exitCode;
}
