using System.Buffers.Binary;
using System.Text.Unicode;

namespace Talos.Audit;

// What verification needs to know of an entry without parsing it into objects.
struct EntryFacts
{
    internal EntryKind Kind;
    internal bool Closes;
    internal ulong OpenedIndex;
    internal long WallNanos;
    internal ulong MonotonicNanos;
    internal UInt128 Boot;
    internal uint Schema;
    internal int MethodHash;
}

// The one encoding of an entry that verifies (entry.proto, "Canonical form").
static class CanonicalEntry
{
    // The error names the first byte that is not as it has to be; null when all are.
    internal static string? Check(ReadOnlySpan<byte> raw) => Check(raw, out _);

    internal static string? Check(ReadOnlySpan<byte> raw, out EntryFacts facts)
    {
        facts = default;
        if (CheckMessage(raw, 0, EntrySchema.Entry, ref facts, top: true) is { } defect) return defect;
        if (facts.Schema != EntrySchema.Version) return $"has schema {facts.Schema}, this reader knows {EntrySchema.Version}";
        if (facts.Kind == EntryKind.Unspecified) return "has no kind";
        if (facts.Boot == 0) return "has no boot id";
        if (facts.WallNanos == 0) return "has no time";
        if (facts.Closes && facts.Kind != EntryKind.CallClosed) return $"names an opening entry, which a {facts.Kind} entry cannot";
        if (!facts.Closes && facts.Kind == EntryKind.CallClosed) return "closes a call without naming its opening entry";
        return null;
    }

    static string? CheckMessage(ReadOnlySpan<byte> data, int offset, FieldShape[] shape, ref EntryFacts facts, bool top)
    {
        int position = 0, previous = 0;
        ReadOnlySpan<byte> previousKey = default;
        while (position < data.Length)
        {
            int start = position;
            if (!TryVarint(data, ref position, out ulong tag)) return At("a malformed varint", offset + start);
            ulong number = tag >> 3;
            if (number == 0 || number >= (ulong)shape.Length) return At($"unknown field {number}", offset + start);
            FieldShape field = shape[(int)number];
            if ((int)number < previous) return At($"field {number} out of order", offset + start);
            if ((int)number == previous && !field.Repeated) return At($"field {number} twice", offset + start);
            previous = (int)number;

            int wire = (int)(tag & 7);
            bool varint = field.Form is < FieldForm.Text;
            if (wire != (varint ? 0 : 2)) return At($"field {number} with wire type {wire}", offset + start);
            if (!TryVarint(data, ref position, out ulong value)) return At("a malformed varint", offset + start);
            if (varint)
            {
                if (value == 0 && field.Form != FieldForm.PresentInteger64)
                    return At($"field {number} with its default value", offset + start);
                if (!InRange(field, value)) return At($"field {number} with value {value} out of range", offset + start);
                if (top) Note(ref facts, (int)number, value);
                continue;
            }

            if (value > (ulong)(data.Length - position)) return At($"field {number} longer than its message", offset + start);
            int bodyOffset = offset + position;
            ReadOnlySpan<byte> body = data.Slice(position, (int)value);
            position += body.Length;
            switch (field.Form)
            {
                case FieldForm.Text:
                    if (body.IsEmpty && !field.Repeated) return At($"field {number} with its default value", offset + start);
                    if (!Utf8.IsValid(body)) return At($"field {number} is not UTF-8", offset + start);
                    if (top && number == EntrySchema.Method) facts.MethodHash = HashOf(body);
                    break;
                case FieldForm.Bytes:
                    if (body.Length != field.Limit)
                        return At($"field {number} with {body.Length} bytes, not {field.Limit}", offset + start);
                    if (top && number == EntrySchema.Boot) facts.Boot = BinaryPrimitives.ReadUInt128BigEndian(body);
                    break;
                case FieldForm.Message:
                    if (CheckMessage(body, bodyOffset, field.Message!, ref facts, top: false) is { } inner) return inner;
                    break;
                case FieldForm.Map:
                    if (CheckMessage(body, bodyOffset, field.Message!, ref facts, top: false) is { } entry) return entry;
                    ReadOnlySpan<byte> key = KeyOf(body);
                    if (key.IsEmpty) return At($"field {number} with an empty key", offset + start);
                    if (previousKey.SequenceCompareTo(key) >= 0) return At($"field {number} with keys out of order", offset + start);
                    previousKey = key;
                    break;
                case FieldForm.None or FieldForm.UnsignedInteger32 or FieldForm.UnsignedInteger64 or FieldForm.PresentInteger64:
                case FieldForm.Time or FieldForm.Boolean or FieldForm.Enumeration:
                default:
                    throw new InvalidOperationException("a field without a form");
            }
        }
        return null;
    }

    static bool InRange(FieldShape field, ulong value) => field.Form switch
    {
        FieldForm.UnsignedInteger32 => value <= uint.MaxValue,
        FieldForm.Time => value <= long.MaxValue,
        FieldForm.Boolean => value == 1,
        FieldForm.Enumeration => value <= (ulong)field.Limit,
        _ => true,
    };

    static void Note(ref EntryFacts facts, int number, ulong value)
    {
        switch (number)
        {
            case EntrySchema.Schema: facts.Schema = (uint)value; break;
            case EntrySchema.Kind: facts.Kind = (EntryKind)value; break;
            case EntrySchema.Opened:
                facts.Closes = true;
                facts.OpenedIndex = value;
                break;
            case EntrySchema.Wall: facts.WallNanos = (long)value; break;
            case EntrySchema.Monotonic: facts.MonotonicNanos = value; break;
            default: break;
        }
    }

    // The message was checked, so that its first field is the key when it has one at all.
    static ReadOnlySpan<byte> KeyOf(ReadOnlySpan<byte> pair)
    {
        int position = 0;
        if (!TryVarint(pair, ref position, out ulong tag) || tag >> 3 != 1) return default;
        return TryVarint(pair, ref position, out ulong length) ? pair.Slice(position, (int)length) : default;
    }

    static int HashOf(ReadOnlySpan<byte> text)
    {
        HashCode hash = default;
        hash.AddBytes(text);
        return hash.ToHashCode();
    }

    // protobuf encoding, "Base 128 Varints", in the shortest form alone.
    static bool TryVarint(ReadOnlySpan<byte> data, ref int position, out ulong value)
    {
        value = 0;
        for (int shift = 0; shift < 64 && position < data.Length; shift += 7)
        {
            byte next = data[position++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next >= 0x80) continue;
            return (next != 0 || shift == 0) && (shift != 63 || next == 1);
        }
        return false;
    }

    static string At(string what, int position) => $"has {what} at byte {position}";
}
