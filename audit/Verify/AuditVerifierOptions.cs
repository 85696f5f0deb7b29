namespace Talos.Audit;

/// <summary>Whom a verification trusts and what it knows already.</summary>
public sealed class AuditVerifierOptions
{
    /// <summary>The log's keys; one of them must have signed the checkpoint.</summary>
    public required IReadOnlyList<NoteVerifierKey> LogKeys { get; init; }

    /// <summary>Witnesses that must each have signed a checkpoint of this log.</summary>
    public IReadOnlyList<NoteVerifierKey> Witnesses { get; init; } = [];

    /// <summary>Checkpoints of this log that were seen before, at a witness or at an earlier verification: signed notes.</summary>
    public IReadOnlyList<string> KnownCheckpoints { get; init; } = [];

    /// <summary>The wall clock may move this far against the monotonic one without an entry that says so.</summary>
    public TimeSpan ClockTolerance { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Threads that hash; by default one for each processor.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}
