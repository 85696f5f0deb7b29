using System.Text;

namespace Talos.Audit;

// Writes fields in their canonical form (entry.proto) into a buffer of bounded size. The protobuf library goes over each message twice, first for its
// length; here the length of a message is put in front when its body is there.
ref struct EntryWriter(Span<byte> buffer)
{
    const int LengthDelimited = 2;

    readonly Span<byte> _buffer = buffer;

    internal int Length { get; private set; }

    // What was written, or should have been, did not fit.
    internal bool IsFull { get; private set; }

    internal void Number(int field, ulong value)
    {
        if (value == 0) return;
        PresentNumber(field, value);
    }

    internal void PresentNumber(int field, ulong value)
    {
        Varint((ulong)field << 3);
        Varint(value);
    }

    internal void Text(int field, string text)
    {
        if (text.Length != 0) PresentText(field, text);
    }

    internal void PresentText(int field, string text)
    {
        int start = Begin(field);
        if (!IsFull && Encoding.UTF8.TryGetBytes(text, _buffer[Length..], out int written)) Length += written;
        else IsFull = true;
        End(start);
    }

    internal void Bytes(int field, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        int start = Begin(field);
        Raw(bytes);
        End(start);
    }

    // Tag and room for a length of one byte; ends with `End`.
    internal int Begin(int field)
    {
        Varint(((ulong)field << 3) | LengthDelimited);
        if (Length == _buffer.Length) IsFull = true;
        if (!IsFull) Length++;
        return Length;
    }

    internal void End(int start)
    {
        if (IsFull) return;
        int body = Length - start;
        if (body < 0x80)
        {
            _buffer[start - 1] = (byte)body;
            return;
        }
        int more = body < 0x4000 ? 1 : 2;
        if (Length + more > _buffer.Length)
        {
            IsFull = true;
            return;
        }
        _buffer.Slice(start, body).CopyTo(_buffer[(start + more)..]);
        Length = start - 1;
        Varint((ulong)body);
        Length += body;
    }

    internal void Raw(ReadOnlySpan<byte> bytes)
    {
        if (IsFull || !bytes.TryCopyTo(_buffer[Length..])) IsFull = true;
        else Length += bytes.Length;
    }

    // protobuf encoding, "Base 128 Varints".
    void Varint(ulong value)
    {
        for (; !IsFull; value >>= 7)
        {
            if (Length == _buffer.Length)
            {
                IsFull = true;
                return;
            }
            if (value < 0x80)
            {
                _buffer[Length++] = (byte)value;
                return;
            }
            _buffer[Length++] = (byte)(value | 0x80);
        }
    }
}
