namespace Talos.Audit;

public sealed partial class AuditLog
{
    /// <summary>
    /// Proves that the entry is under a checkpoint: the newest that witnesses signed when that covers the entry, else the newest, else a
    /// new one. Throws <see cref="AuditLogReason.NoSuchEntry"/>.
    /// </summary>
    public AuditProof ProveInclusion(ulong index)
    {
        AuditCheckpoint checkpoint = WitnessedCheckpoints.LastOrDefault(
            c => index < c.Size && c.Signed.Check(Key, out _) == NoteVerdict.Signed)
            ?? (index < Checkpoint.Size ? Checkpoint : PublishNow());
        if (index >= checkpoint.Size) throw new AuditLogException(AuditLogReason.NoSuchEntry, $"there is no entry {index}");
        AuditRecord record = Read(index, 1).First();
        return new AuditProof(index, MerkleTree.InclusionPath(index, checkpoint.Size, ReadNode), checkpoint.Note, record.Raw);
    }

    /// <summary>
    /// Hashes that show that the log of <paramref name="size1"/> entries is a prefix of that of <paramref name="size2"/> (RFC 6962
    /// §2.1.2).
    /// Throws <see cref="ArgumentOutOfRangeException"/> unless 0 &lt; size1 ≤ size2 ≤ <see cref="Size"/>.
    /// </summary>
    public IReadOnlyList<byte[]> ProveConsistency(ulong size1, ulong size2)
    {
        ArgumentOutOfRangeException.ThrowIfZero(size1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size1, size2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size2, Size);
        return MerkleTree.ConsistencyPath(size1, size2, ReadNode);
    }

    byte[] ReadNode(int level, ulong index)
    {
        int tileLevel = level / TilePath.Height, shift = level % TilePath.Height;
        ulong first = index << shift, tile = first / TilePath.Width;
        int offset = (int)(first % TilePath.Width) * TreeHash.Size;
        lock (_state)
        {
            if (tile == _edge.Size >> (TilePath.Height * (tileLevel + 1)))
                return TreeHash.Perfect(_edge.Hashes(tileLevel).Slice(offset, TreeHash.Size << shift));
        }
        byte[] hashes = FullTile(tileLevel, tile)
            ?? throw new AuditLogException(AuditLogReason.NoSuchEntry, $"the tree lacks `{TilePath.Hashes(tileLevel, tile)}`");
        return TreeHash.Perfect(hashes.AsSpan(offset, TreeHash.Size << shift));
    }

    // A full tile; made again from what lies below it when its file was lost in a crash.
    byte[]? FullTile(int level, ulong index)
    {
        if (_store.TryReadHashes(level, index) is { } tile) return tile;
        byte[] hashes = new byte[TilePath.Width * TreeHash.Size];
        if (level == 0)
        {
            Span<Range> ranges = stackalloc Range[TilePath.Width];
            byte[]? bundle = _store.TryRead(TilePath.Entries(index));
            if (bundle is null || !EntryBundle.TrySplit(bundle, TilePath.Width, ranges)) return null;
            for (int i = 0; i < TilePath.Width; i++) TreeHash.Leaf(bundle.AsSpan(ranges[i]), hashes.AsSpan(i * TreeHash.Size));
            return hashes;
        }
        for (int i = 0; i < TilePath.Width; i++)
        {
            if (FullTile(level - 1, (index * TilePath.Width) + (ulong)i) is not { } child) return null;
            TreeHash.Perfect(child).CopyTo(hashes, i * TreeHash.Size);
        }
        return hashes;
    }
}
