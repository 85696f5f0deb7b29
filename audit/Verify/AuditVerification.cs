namespace Talos.Audit;

/// <summary>What is wrong with a record.</summary>
public enum AuditDefect
{
    /// <summary>No defect has a name yet; never reported.</summary>
    None,

    /// <summary>There is no checkpoint, or it is not a note.</summary>
    CheckpointUnreadable,

    /// <summary>The checkpoint is not signed by a trusted key of this log.</summary>
    CheckpointForeign,

    /// <summary>The signature of a trusted key does not belong to the checkpoint.</summary>
    CheckpointForged,

    /// <summary>Entries that the checkpoint covers are not there.</summary>
    EntryMissing,

    /// <summary>An entry is not the one that was recorded under its index.</summary>
    EntryAltered,

    /// <summary>An entry stands under the index of another.</summary>
    EntryMoved,

    /// <summary>An entry stands here a second time.</summary>
    EntryDuplicated,

    /// <summary>An entry belongs to another log.</summary>
    EntryForeign,

    /// <summary>An entry is not in canonical form.</summary>
    EntryMalformed,

    /// <summary>A file of tree hashes is missing or does not follow from the entries, which are intact.</summary>
    TileAltered,

    /// <summary>The entries agree with the stored tree, but not with the signed root.</summary>
    RootMismatch,

    /// <summary>The log is shorter than a checkpoint that was seen before.</summary>
    RolledBack,

    /// <summary>The log contradicts a checkpoint that was seen before: it shows two pasts.</summary>
    Forked,

    /// <summary>A witness that was asked for did not sign.</summary>
    WitnessMissing,

    /// <summary>The signature of a witness does not belong to the checkpoint.</summary>
    WitnessForged,

    /// <summary>The monotonic clock went back within one boot.</summary>
    ClockReversed,

    /// <summary>The wall clock jumped, and the log does not say so.</summary>
    ClockJumpUnrecorded,

    /// <summary>A closing entry names an entry that opened no such call, or one that was closed before.</summary>
    CallMismatch,

    /// <summary>The statement of what retention removed does not verify.</summary>
    RetentionForged,

    /// <summary>The journal of a log that was not closed contradicts itself.</summary>
    JournalDamaged,
}

/// <summary>The outcome of verifying a record.</summary>
public enum AuditVerdict
{
    /// <summary>Nothing is known.</summary>
    Unverified,

    /// <summary>At least one defect was found.</summary>
    Failed,

    /// <summary>Every entry is the one that was recorded, in its place, under a trusted signature.</summary>
    Verified,
}

/// <summary>One defect: at which entry, what is wrong, and what to do.</summary>
/// <param name="Defect">What kind of defect.</param>
/// <param name="Index">The first entry concerned; null when it concerns the log as a whole.</param>
/// <param name="Message">One lower-case sentence.</param>
/// <param name="Hint">What to do about it; may be empty.</param>
public sealed record AuditFinding(AuditDefect Defect, ulong? Index, string Message, string Hint = "");

/// <summary>A witness and what of it was found.</summary>
/// <param name="Name">Name of the witness.</param>
/// <param name="Size">Size of the largest checkpoint that it signed; null when none.</param>
/// <param name="Time">When it says that it signed.</param>
public sealed record AuditWitnessing(string Name, ulong? Size, DateTimeOffset? Time);

/// <summary>The result of verifying a record, with its evidence. Only <see cref="AuditVerifier"/> makes one.</summary>
public sealed class AuditVerification
{
    internal AuditVerification()
    {
    }

    /// <summary><see cref="AuditVerdict.Verified"/> when there is no finding and a trusted checkpoint covers every entry.</summary>
    public AuditVerdict Verdict { get; internal init; }

    /// <summary>The checkpoint that was verified; null when there is none that can be trusted.</summary>
    public AuditCheckpoint? Checkpoint { get; internal init; }

    /// <summary>Index of the first entry that is still there; entries before it were removed under the retention policy.</summary>
    public ulong FirstIndex { get; internal init; }

    /// <summary>Number of entries that the checkpoint covers, removed ones included.</summary>
    public ulong Size { get; internal init; }

    /// <summary>Entries in the journal of a log that was not closed, which no checkpoint covers yet.</summary>
    public ulong Uncovered { get; internal init; }

    /// <summary>The defects, those of the earliest entry first. LIMIT: at most 100 are kept; see <see cref="FindingCount"/>.</summary>
    public IReadOnlyList<AuditFinding> Findings { get; internal init; } = [];

    /// <summary>Number of all defects.</summary>
    public long FindingCount { get; internal init; }

    /// <summary>Index of the first entry that is not what was recorded; null when there is none or it cannot be told.</summary>
    public ulong? FirstBadIndex { get; internal init; }

    /// <summary>Calls whose closing entry is missing: they were running, or the node went down under them. At most 1,000.</summary>
    public IReadOnlyList<ulong> OpenCalls { get; internal init; } = [];

    /// <summary>Indexes of the entries that record a repair of the log, a clock jump or lost best-effort entries. At most 1,000.</summary>
    public IReadOnlyList<ulong> Incidents { get; internal init; } = [];

    /// <summary>The witnesses that were asked for.</summary>
    public IReadOnlyList<AuditWitnessing> Witnesses { get; internal init; } = [];
}
