namespace Talos.Cluster;

/// <summary>A cluster cannot be started, stopped or read; one sentence and what to do.</summary>
public sealed class ClusterException(string message, string? hint = null) : Exception(message)
{
    /// <summary>What to do, if anything.</summary>
    public string? Hint { get; } = hint;
}
