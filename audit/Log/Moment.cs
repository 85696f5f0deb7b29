using Google.Protobuf;

namespace Talos.Audit;

// What both clocks say when an entry gets its place, and how entry.proto writes it down: fields 4 and 5, left out when zero.
readonly record struct Moment(long Wall, ulong Monotonic)
{
    internal const int MaxBytes = 2 * (1 + 10);

    internal long Offset => Wall - (long)Monotonic;

    internal int Bytes => BytesOf((ulong)Wall) + BytesOf(Monotonic);

    static int BytesOf(ulong value) => value == 0 ? 0 : 1 + CodedOutputStream.ComputeUInt64Size(value);

    internal int WriteTo(Span<byte> destination)
    {
        EntryWriter writer = new(destination);
        writer.Number(EntrySchema.Wall, (ulong)Wall);
        writer.Number(EntrySchema.Monotonic, Monotonic);
        return writer.Length;
    }
}
