namespace Talos.Audit;

/// <summary>An entry that has its place in the record and may not be on disk yet. Only the log makes one.</summary>
public sealed class PendingEntry
{
    bool _isAwaited;

    internal PendingEntry(Place place) => Place = place;

    internal Place Place { get; }

    /// <summary>Index that the entry has once it is on disk; an entry whose commit fails has none.</summary>
    public ulong Index => Place.Index;

    /// <summary>The entry is on disk.</summary>
    public bool IsDurable => Place.Batch.Committed.IsCompletedSuccessfully;

    // True the first time. Under the log's lock.
    internal bool MarkAwaited() => !_isAwaited && (_isAwaited = true);
}

// A position below zero: the batch is full, and the entry is not in it.
readonly record struct Place(AppendBatch Batch, int Position)
{
    internal ulong Index => Batch.First + (ulong)Position;

    // Of a batch that is on disk.
    internal AuditReceipt Receipt() => new(Index, Batch.LeafHashes.AsMemory(Position * TreeHash.Size, TreeHash.Size));
}
