using Talos.Linux.Processes;

namespace Talos.Linux.Supervision;

/// <summary>A service as its supervisor needs to know it.</summary>
public sealed record ServiceSpecification
{
    /// <summary>Lower-case name, used in file names.</summary>
    public required string Id { get; init; }

    public required ProcessStart Start { get; init; }

    /// <summary>How long the process may take to end after SIGTERM before SIGKILL.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>Where a service is. The zero value is one that nobody asked to run.</summary>
public enum ServiceState
{
    Waiting = 0,
    Running = 1,
    BackOff = 2,
    Stopping = 3,
    Stopped = 4,
}

/// <summary>A service at one moment.</summary>
/// <param name="ProcessId">0 when no process runs.</param>
/// <param name="Restarts">How often it was started again after it ended by itself.</param>
/// <param name="LastEvent">One sentence: <c>started process 231</c>.</param>
public sealed record ServiceStatus(string Id, ServiceState State, int ProcessId, int Restarts, DateTimeOffset LastChange, string LastEvent);
