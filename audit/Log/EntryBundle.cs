using System.Buffers.Binary;

namespace Talos.Audit;

// tlog-tiles, "Log entries": entries, each behind its length as 16 big-endian bits.
static class EntryBundle
{
    // Cuts the next entry off the front; false when what is left is not one.
    internal static bool TryNext(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> entry)
    {
        entry = default;
        if (rest.Length < 2) return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (rest.Length < 2 + length) return false;
        entry = rest.Slice(2, length);
        rest = rest[(2 + length)..];
        return true;
    }

    // True when the bytes are exactly `count` entries; fills in where each begins and ends.
    internal static bool TrySplit(ReadOnlySpan<byte> bundle, int count, Span<Range> ranges)
    {
        ReadOnlySpan<byte> rest = bundle;
        for (int i = 0; i < count; i++)
        {
            if (!TryNext(ref rest, out ReadOnlySpan<byte> entry)) return false;
            int end = bundle.Length - rest.Length;
            ranges[i] = (end - entry.Length)..end;
        }
        return rest.IsEmpty;
    }
}
