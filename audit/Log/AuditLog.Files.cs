using System.Text;

namespace Talos.Audit;

/// <summary>One file of a log in the form of tlog-tiles.</summary>
/// <param name="Path">Below the log's folder, `tile/0/000`.</param>
/// <param name="Data">The whole content.</param>
public sealed record AuditFile(string Path, ReadOnlyMemory<byte> Data);

public sealed partial class AuditLog
{
    /// <summary>
    /// Everything that verifies the log as it is now, also after retention removed its beginning: entry bundles, tiles, the witnessed
    /// checkpoint, the retention statement, and the checkpoint last. Read while the log goes on; one file is in memory at a time. Throws
    /// <see cref="AuditLogReason.NoSuchEntry"/> when retention takes entries away meanwhile.
    /// </summary>
    public IEnumerable<AuditFile> Files()
    {
        byte[]? witnessed = _store.TryRead(VerificationRun.WitnessedCheckpoint);
        ulong first = FirstIndex;
        byte[]? retention = _store.TryRead(RetentionStatement.FileName);
        // Last, so that it covers what the others speak of.
        AuditCheckpoint checkpoint = PublishNow();

        for (ulong bundle = first / TilePath.Width; bundle < checkpoint.Size / TilePath.Width; bundle++)
            yield return new AuditFile(TilePath.Entries(bundle), ReadBundle(bundle).Bundle);
        if (PartialWidth(checkpoint.Size, 0) is int open and not 0)
            yield return new AuditFile(
                TilePath.Entries(checkpoint.Size / TilePath.Width, open), FirstOf(checkpoint.Size / TilePath.Width, open));
        for (int level = 0; checkpoint.Size >> (TilePath.Height * level) != 0; level++)
        {
            int shift = TilePath.Height * (level + 1);
            for (ulong tile = first >> shift; tile < checkpoint.Size >> shift; tile++)
                yield return new AuditFile(TilePath.Hashes(level, tile), HashesOf(level, tile, TilePath.Width));
            if (PartialWidth(checkpoint.Size, level) is int width and not 0)
                yield return new AuditFile(
                    TilePath.Hashes(level, checkpoint.Size >> shift, width), HashesOf(level, checkpoint.Size >> shift, width));
        }
        if (witnessed is not null) yield return new AuditFile(VerificationRun.WitnessedCheckpoint, witnessed);
        if (retention is not null) yield return new AuditFile(RetentionStatement.FileName, retention);
        yield return new AuditFile(TilePath.Checkpoint, Encoding.UTF8.GetBytes(checkpoint.Note));
    }

    // The bundle as it was when it had `width` entries.
    ReadOnlyMemory<byte> FirstOf(ulong bundle, int width)
    {
        byte[] data = ReadBundle(bundle).Bundle;
        ReadOnlySpan<byte> rest = data;
        for (int i = 0; i < width; i++)
            if (!EntryBundle.TryNext(ref rest, out _))
                throw new AuditLogException(
                    AuditLogReason.Damaged, $"the bundle of entry {bundle * TilePath.Width} has fewer than {width} entries");
        return data.AsMemory(0, data.Length - rest.Length);
    }

    ReadOnlyMemory<byte> HashesOf(int level, ulong index, int width)
    {
        lock (_state)
        {
            if (index == _edge.Size >> (TilePath.Height * (level + 1))) return _edge.Hashes(level)[..(width * TreeHash.Size)].ToArray();
        }
        byte[] tile = FullTile(level, index)
            ?? throw new AuditLogException(AuditLogReason.NoSuchEntry, $"the tree lacks `{TilePath.Hashes(level, index)}`");
        return tile.AsMemory(0, width * TreeHash.Size);
    }
}
