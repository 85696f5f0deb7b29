using System.Globalization;
using System.Text;

namespace Talos.Audit;

public sealed partial class AuditLog
{
    void Recover()
    {
        RecoverRetention();
        AuditCheckpoint? checkpoint = ReadCheckpoint();
        JournalContent journal = _journal.Recover();
        ulong covered = checkpoint?.Size ?? 0;

        ulong start = journal.IsEmpty ? covered - (covered % TilePath.Width) : journal.First;
        _edge = EdgeTiles.Load(start, (level, index, width) => EdgeHashes(level, index, width, covered));
        if (journal.IsEmpty) ReplayPartialBundle(covered);
        else journal.Replay((index, entry) => Integrate(entry.Span, TreeHash.Leaf(entry.Span)));
        _settleBeforeRotation = true;

        if (checkpoint is not null) RequireRoot(checkpoint);
        Volatile.Write(ref _checkpoint, checkpoint);
        bool unclean = covered != _edge.Size || journal.TornBytes != 0 || (journal.IsEmpty && covered != 0);
        ulong recovered = _edge.Size;

        Entry? last = LastEntry();
        bool sameBoot = last is not null && last.BootId.Span.SequenceEqual(_bootId);
        IsFirstOfBoot = !sameBoot;
        if (sameBoot) (_clockOffset, _lastMonotonic) = (last!.WallTimeUnixNanos - (long)last.MonotonicNanos, last.MonotonicNanos);
        _open = new AppendBatch(null, _edge.Size);
        _writer.Start();
        long now = UnixNanos(_time.GetUtcNow());
        if (last is not null && !sameBoot && last.WallTimeUnixNanos > now) Record(ClockJump(last.WallTimeUnixNanos, now));
        if (unclean) Record(Repair(covered, recovered, journal.TornBytes));
        try
        {
            PublishNow();
        }
        catch (AuditLogException e) when (e.Reason == AuditLogReason.DiskFull && checkpoint is not null)
        {
            // A full disk must not hide the record: it can be read, and CheckpointError says why nothing newer is signed.
        }
    }

    void Record(Entry entry)
    {
        try
        {
            AppendAsync(entry).AsTask().GetAwaiter().GetResult();
        }
        catch (AuditLogException e) when (e.Reason == AuditLogReason.DiskFull)
        {
            // Written as soon as anything is.
            lock (_gate) _owed.Add(entry);
        }
    }

    AuditCheckpoint? ReadCheckpoint()
    {
        byte[]? note = _store.TryRead(TilePath.Checkpoint);
        if (note is null) return null;
        string text = Encoding.UTF8.GetString(note);
        string error = "";
        foreach (NoteVerifierKey key in (IEnumerable<NoteVerifierKey>)[Key, .. _options.FormerKeys])
        {
            if (AuditCheckpoint.TryVerify(text, key, out AuditCheckpoint? checkpoint, out string problem)) return checkpoint;
            if (error.Length == 0) error = problem;
        }
        AuditLogReason reason = AuditCheckpoint.TryParse(text, out _, out _) ? AuditLogReason.ForeignLog : AuditLogReason.Damaged;
        throw new AuditLogException(reason, $"the checkpoint of the audit log does not verify: {error}");
    }

    // The hashes of a partial tile: from the checkpoint's own file where that has them, else from the full tiles below.
    byte[] EdgeHashes(int level, ulong index, int width, ulong covered)
    {
        int saved = PartialWidth(covered, level);
        if (saved >= width && covered >> (TilePath.Height * (level + 1)) == index
            && _store.TryReadHashes(level, index, saved) is { } partial)
            return partial[..(width * TreeHash.Size)];
        if (_store.TryReadHashes(level, index) is { } full) return full[..(width * TreeHash.Size)];
        if (level == 0)
            throw new AuditLogException(AuditLogReason.Damaged, $"the tree lacks the hashes from entry {index * TilePath.Width} on");

        byte[] hashes = new byte[width * TreeHash.Size];
        for (int i = 0; i < width; i++)
        {
            ulong child = (index * TilePath.Width) + (ulong)i;
            byte[] tile = FullTile(level - 1, child)
                ?? throw new AuditLogException(AuditLogReason.Damaged, $"the tree lacks `{TilePath.Hashes(level - 1, child)}`");
            TreeHash.Perfect(tile).CopyTo(hashes, i * TreeHash.Size);
        }
        return hashes;
    }

    // The journal is gone, which no crash does; the checkpoint's own files still tell what it covered.
    void ReplayPartialBundle(ulong covered)
    {
        int width = PartialWidth(covered, 0);
        if (width == 0) return;
        Span<Range> ranges = stackalloc Range[TilePath.Width];
        byte[]? bundle = _store.TryRead(TilePath.Entries(covered / TilePath.Width, width));
        if (bundle is null || !EntryBundle.TrySplit(bundle, width, ranges))
            throw new AuditLogException(AuditLogReason.Damaged, $"the entries from {covered - (ulong)width} to {covered - 1} are missing");
        for (int i = 0; i < width; i++) Integrate(bundle.AsSpan(ranges[i]), TreeHash.Leaf(bundle.AsSpan(ranges[i])));
    }

    void RequireRoot(AuditCheckpoint checkpoint)
    {
        if (checkpoint.Size > _edge.Size)
            throw new AuditLogException(
                AuditLogReason.Damaged,
                $"the checkpoint covers {checkpoint.Size} entries, but only {_edge.Size} are there: entries were removed");
        if (!MerkleTree.Root(checkpoint.Size, ReadNode).AsSpan().SequenceEqual(checkpoint.Root))
            throw new AuditLogException(
                AuditLogReason.Damaged,
                $"the entries below {checkpoint.Size} are not those that the checkpoint covers: entries were altered");
    }

    Entry? LastEntry()
    {
        if (_edge.Size == 0) return null;
        foreach (AuditRecord record in Read(_edge.Size - 1, 1)) return record.Entry;
        return null;
    }

    static Entry Repair(ulong covered, ulong recovered, int tornBytes)
    {
        Entry entry = new() { Kind = EntryKind.Repair, Message = "the log was not closed cleanly; what was acknowledged is here" };
        entry.Details.Add("checkpointed", covered.ToString(CultureInfo.InvariantCulture));
        entry.Details.Add("recovered", recovered.ToString(CultureInfo.InvariantCulture));
        entry.Details.Add("torn_bytes", tornBytes.ToString(CultureInfo.InvariantCulture));
        return entry;
    }
}
