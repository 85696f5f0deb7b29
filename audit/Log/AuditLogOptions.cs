namespace Talos.Audit;

/// <summary>What a log needs to know when it is opened.</summary>
public sealed class AuditLogOptions
{
    /// <summary>Signs the checkpoints. Its key's name is the origin of the log. The log does not dispose of it.</summary>
    public required CheckpointSigner Signer { get; init; }

    /// <summary>Name of the node, written into every entry.</summary>
    public required string Node { get; init; }

    /// <summary>Id of this boot, written into every entry; by default the kernel's, or a random one where there is none.</summary>
    public Guid? BootId { get; init; }

    /// <summary>What is known of the node's own state, written into every entry.</summary>
    public Attestation Attestation { get; init; } = Attestation.Unavailable;

    /// <summary>Keys that signed this log's checkpoints before; a checkpoint by one of them is accepted at open.</summary>
    public IReadOnlyList<NoteVerifierKey> FormerKeys { get; init; } = [];

    /// <summary>Clocks and timers.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Longest time that an acknowledged entry stays outside a signed checkpoint.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest time that entries nobody waits for are gathered before they are written.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>The wall clock may move this far against the monotonic one before the log writes a clock jump.</summary>
    public TimeSpan ClockTolerance { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Size up to which each of the two journal files grows. At least 8 MiB.</summary>
    public int JournalBytes { get; init; } = 8 * 1024 * 1024;
}
