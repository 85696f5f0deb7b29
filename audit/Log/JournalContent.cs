namespace Talos.Audit;

// The unbroken run of frames at the start of one journal file.
sealed class JournalHalf
{
    readonly byte[] _data;

    JournalHalf(int half, byte[] data)
    {
        Half = half;
        _data = data;
    }

    internal int Half { get; }

    internal bool HasFrames => End != 0;

    internal ulong First { get; private set; }

    internal ulong Nonce { get; private set; }

    // Index behind the last entry.
    internal ulong End { get; private set; }

    internal int EndOffset { get; private set; }

    // The bytes of a frame that was being written when power failed.
    internal int TornBytes { get; private set; }

    internal static JournalHalf Read(int half, byte[] data)
    {
        JournalHalf result = new(half, data);
        int offset = 0;
        while (JournalFrame.TryHeader(data.AsSpan(offset), out JournalFrame.Header header))
        {
            if (result.HasFrames && (header.FirstIndex != result.End || header.Nonce != result.Nonce)) break;
            if (!JournalFrame.IsWhole(data.AsSpan(offset), header))
            {
                result.TornBytes = Math.Min(header.PayloadBytes, data.Length - offset);
                break;
            }
            if (!result.HasFrames) (result.First, result.Nonce) = (header.FirstIndex, header.Nonce);
            result.End = header.FirstIndex + (ulong)header.Count;
            offset += JournalFrame.Padded(JournalFrame.HeaderBytes + header.PayloadBytes);
            if (offset >= data.Length) break;
        }
        result.EndOffset = Math.Min(offset, data.Length);
        return result;
    }

    // A whole frame of the same turn behind the run was once acknowledged: what lies between was lost or altered.
    internal ulong? FrameBeyond()
    {
        if (!HasFrames) return null;
        for (int offset = EndOffset; offset + JournalFrame.HeaderBytes <= _data.Length; offset += JournalFrame.Alignment)
        {
            ReadOnlySpan<byte> data = _data.AsSpan(offset);
            if (JournalFrame.TryHeader(data, out JournalFrame.Header header) && header.Nonce == Nonce
                && JournalFrame.IsWhole(data, header))
                return header.FirstIndex;
        }
        return null;
    }

    // Calls `entry` for each entry from index `from` on.
    internal void Replay(ulong from, Action<ulong, ReadOnlyMemory<byte>> entry)
    {
        ulong index = First;
        for (int offset = 0; offset < EndOffset;)
        {
            JournalFrame.TryHeader(_data.AsSpan(offset), out JournalFrame.Header header);
            int start = offset + JournalFrame.HeaderBytes;
            ReadOnlySpan<byte> rest = _data.AsSpan(start, header.PayloadBytes);
            for (int i = 0; i < header.Count; i++, index++)
            {
                int at = start + header.PayloadBytes - rest.Length + 2;
                if (!EntryBundle.TryNext(ref rest, out ReadOnlySpan<byte> bytes))
                    throw new AuditLogException(AuditLogReason.Damaged, $"the journal has no entry where entry {index} should be");
                if (index >= from) entry(index, _data.AsMemory(at, bytes.Length));
            }
            offset += JournalFrame.Padded(JournalFrame.HeaderBytes + header.PayloadBytes);
        }
    }
}

// Both files together.
sealed class JournalContent
{
    readonly List<JournalHalf> _halves = [];

    // Index of the first entry in the journal: a multiple of 256. Everything before it is in bundles on disk.
    internal ulong First { get; private set; }

    internal ulong End { get; private set; }

    internal int TornBytes { get; private set; }

    internal int ActiveHalf { get; private set; }

    internal long ActiveOffset { get; private set; }

    internal ulong ActiveNonce { get; private set; }

    internal bool IsEmpty => _halves.Count == 0;

    internal static JournalContent Join(JournalHalf[] halves)
    {
        JournalContent content = new();
        content._halves.AddRange(halves.Where(static h => h.HasFrames).OrderBy(static h => h.End));
        if (content._halves.Count == 2)
        {
            (JournalHalf older, JournalHalf newer) = (content._halves[0], content._halves[1]);
            if (newer.First > older.End)
                throw new AuditLogException(AuditLogReason.Damaged, $"the journal lacks entries {older.End} to {newer.First - 1}");
            if (newer.First <= older.First) content._halves.RemoveAt(0);
        }
        if (content._halves.Count != 0)
        {
            JournalHalf last = content._halves[^1];
            content.First = content._halves[0].First;
            content.End = last.End;
            content.ActiveHalf = last.Half;
            content.ActiveOffset = last.EndOffset;
            content.ActiveNonce = last.Nonce;
            if (content._halves.Any(static h => h.First % TilePath.Width != 0))
                throw new AuditLogException(AuditLogReason.Damaged, "a journal file does not start at the beginning of a bundle");
        }
        // Only the file that was being written can be torn: the active one, or the other when the first frame of its turn was cut.
        content.TornBytes = halves.Where(h => !h.HasFrames || h.Half == content.ActiveHalf)
            .Select(static h => h.TornBytes).DefaultIfEmpty().Max();
        foreach (JournalHalf half in halves)
            if (half.FrameBeyond() is { } beyond)
                throw new AuditLogException(
                    AuditLogReason.Damaged, $"the journal is damaged behind entry {half.End}: entries from {beyond} on follow a gap");
        return content;
    }

    internal void Replay(Action<ulong, ReadOnlyMemory<byte>> entry)
    {
        ulong next = First;
        foreach (JournalHalf half in _halves)
        {
            half.Replay(next, entry);
            next = half.End;
        }
    }
}
