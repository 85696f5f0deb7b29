using System.Net;
using System.Text;

namespace Talos.Pki;

/// <summary>Writes DER front to back; a scope's length is put in when the scope closes.</summary>
sealed class DerWriter(int capacity = 1024)
{
    byte[] _buffer = new byte[capacity];
    int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public byte[] ToArray() => Written.ToArray();

    public int Length => _length;

    public Scope Sequence() => Open(DerTag.Sequence);

    public Scope Set() => Open(DerTag.Set);

    public Scope Open(byte tag)
    {
        Ensure(2);
        _buffer[_length++] = tag;
        _buffer[_length++] = 0;
        return new Scope(this, _length);
    }

    /// <summary>An OCTET STRING or a BIT STRING of whole octets around what is written inside.</summary>
    public Scope OctetString() => Open(DerTag.OctetString);

    public Scope BitString()
    {
        Scope scope = Open(DerTag.BitString);
        Ensure(1);
        _buffer[_length++] = 0;
        return scope;
    }

    public void Raw(ReadOnlySpan<byte> encoded)
    {
        Ensure(encoded.Length);
        encoded.CopyTo(_buffer.AsSpan(_length));
        _length += encoded.Length;
    }

    public void Value(byte tag, ReadOnlySpan<byte> content)
    {
        using (Open(tag))
            Raw(content);
    }

    public void Boolean(bool value) => Value(DerTag.Boolean, [value ? (byte)0xFF : (byte)0]);

    public void Null() => Value(DerTag.Null, []);

    public void Integer(int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        Span<byte> octets = stackalloc byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(octets, value);
        UnsignedInteger(octets);
    }

    public void UnsignedInteger(ReadOnlySpan<byte> magnitude, byte tag = DerTag.Integer)
    {
        while (magnitude.Length > 1 && magnitude[0] == 0)
            magnitude = magnitude[1..];
        using (Open(tag))
        {
            if (magnitude.IsEmpty || magnitude[0] >= 0x80)
                Raw([0]);
            Raw(magnitude);
        }
    }

    public void ObjectIdentifier(string dotted) => Value(DerTag.ObjectIdentifier, ObjectIdentifiers.Encode(dotted));

    public void Utf8(string text) => Text(DerTag.Utf8String, text);

    public void Text(byte tag, string text)
    {
        int count = Encoding.UTF8.GetByteCount(text);
        using (Open(tag))
        {
            Ensure(count);
            _length += Encoding.UTF8.GetBytes(text, _buffer.AsSpan(_length));
        }
    }

    public void Address(byte tag, IPAddress address) => Value(tag, address.GetAddressBytes());

    /// <summary>A BIT STRING with named bits in its shortest form (X.690 §11.2.2); bit 0 of <paramref name="bits"/> is the first bit.</summary>
    public void NamedBits(uint bits, byte tag = DerTag.BitString)
    {
        if (bits == 0)
        {
            Value(tag, [0]);
            return;
        }

        int highest = 31 - System.Numerics.BitOperations.LeadingZeroCount(bits);
        Span<byte> content = stackalloc byte[2 + (highest / 8)];
        content.Clear();
        content[0] = (byte)(7 - (highest % 8));
        for (int b = 0; b <= highest; b++)
            if ((bits & (1u << b)) != 0)
                content[1 + (b / 8)] |= (byte)(0x80 >> (b % 8));
        Value(tag, content);
    }

    // RFC 5280 §4.1.2.5
    public void Time(DateTimeOffset time)
    {
        DateTime utc = time.UtcDateTime;
        if (utc.Year is >= 1950 and < 2050)
            Text(DerTag.UtcTime, utc.ToString("yyMMddHHmmss'Z'", System.Globalization.CultureInfo.InvariantCulture));
        else
            GeneralizedTime(time);
    }

    public void GeneralizedTime(DateTimeOffset time) => Text(
        DerTag.GeneralizedTime, time.UtcDateTime.ToString("yyyyMMddHHmmss'Z'", System.Globalization.CultureInfo.InvariantCulture));

    void Close(int contentStart)
    {
        int length = _length - contentStart;
        if (length < 0x80)
        {
            _buffer[contentStart - 1] = (byte)length;
            return;
        }

        int octets = length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
        Ensure(octets);
        Buffer.BlockCopy(_buffer, contentStart, _buffer, contentStart + octets, length);
        _buffer[contentStart - 1] = (byte)(0x80 | octets);
        for (int i = octets - 1, shift = 0; i >= 0; i--, shift += 8)
            _buffer[contentStart + i] = (byte)(length >> shift);
        _length += octets;
    }

    void Ensure(int more)
    {
        if (_buffer.Length - _length < more)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + more));
    }

    internal readonly ref struct Scope(DerWriter writer, int contentStart)
    {
        public void Dispose() => writer.Close(contentStart);
    }
}
