using Google.Protobuf;

namespace Talos.Audit;

// What both clocks say when an entry gets its place, and how entry.proto writes it down: fields 4 and 5, left out when zero.
readonly record struct Moment(long Wall, ulong Monotonic)
{
    const byte WallTag = (4 << 3) | 0, MonotonicTag = (5 << 3) | 0;

    internal const int MaxBytes = 2 * (1 + 10);

    internal long Offset => Wall - (long)Monotonic;

    internal int Bytes => BytesOf((ulong)Wall) + BytesOf(Monotonic);

    static int BytesOf(ulong value) => value == 0 ? 0 : 1 + CodedOutputStream.ComputeUInt64Size(value);

    internal int WriteTo(Span<byte> destination)
    {
        int length = Write(destination, WallTag, (ulong)Wall);
        return length + Write(destination[length..], MonotonicTag, Monotonic);
    }

    // protobuf encoding, "Base 128 Varints".
    static int Write(Span<byte> destination, byte tag, ulong value)
    {
        if (value == 0) return 0;
        destination[0] = tag;
        int length = 1;
        for (; value >= 0x80; value >>= 7) destination[length++] = (byte)(value | 0x80);
        destination[length++] = (byte)value;
        return length;
    }
}
