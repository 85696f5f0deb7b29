namespace Talos.Pki;

/// <summary>
/// Strict DER (X.690 §10–11): definite, minimal lengths; no tag numbers above 30; every octet accounted for.
/// It never copies; positions are offsets in the outermost document.
/// </summary>
ref partial struct DerReader(ReadOnlySpan<byte> data, int origin = 0)
{
    readonly ReadOnlySpan<byte> _data = data;
    readonly int _origin = origin;
    int _at = 0;

    public readonly bool AtEnd => _at == _data.Length;

    public readonly int Position => _origin + _at;

    /// <summary>The next identifier octet, or 0 (never a valid one here) at the end.</summary>
    public readonly byte PeekTag() => AtEnd ? (byte)0 : _data[_at];

    public readonly bool NextIs(byte tag) => PeekTag() == tag;

    public DerValue Read()
    {
        int start = _at;
        if (_data.Length - start < 2)
            throw Malformed(start, "a value is cut off");
        byte tag = _data[start];
        if (tag == 0)
            throw Malformed(start, "tag 0 is reserved");
        // LIMIT: X.509 defines no tag number above 30, so the high-tag-number form is refused.
        if ((tag & 0x1F) == 0x1F)
            throw Malformed(start, "tag numbers above 30 are not used in X.509");
        int length = ReadLength(start + 1, out int contentStart);
        if (length > _data.Length - contentStart)
            throw Malformed(start + 1, $"a length of {length} reaches past the end of the enclosing value");
        _at = contentStart + length;
        return new DerValue
        {
            Tag = tag,
            Start = _origin + start,
            ContentStart = _origin + contentStart,
            Content = _data.Slice(contentStart, length),
        };
    }

    public DerValue Read(byte tag)
    {
        if (AtEnd)
            throw Malformed(_at, $"expected {Describe(tag)}, found the end");
        if (_data[_at] != tag)
            throw Malformed(_at, $"expected {Describe(tag)}, found {Describe(_data[_at])}");
        return Read();
    }

    public DerReader ReadSequence() => Read(DerTag.Sequence).Reader();

    public void Skip() => Read();

    /// <summary>Every value ends where its content ends; anything left over is an error.</summary>
    public readonly void RequireEnd()
    {
        if (!AtEnd)
            throw Malformed(_at, $"{_data.Length - _at} unexpected octets after the last value");
    }

    // X.690 §10.1: the definite form in the fewest octets.
    readonly int ReadLength(int at, out int contentStart)
    {
        byte first = _data[at];
        if (first < 0x80)
        {
            contentStart = at + 1;
            return first;
        }

        int octets = first & 0x7F;
        if (octets == 0)
            throw Malformed(at, "the indefinite length form is not DER");
        // LIMIT: 4 length octets cover 2 GiB; every document here is bounded far below.
        if (octets > 4)
            throw Malformed(at, "a length takes more than four octets");
        if (_data.Length - at - 1 < octets)
            throw Malformed(at, "a length is cut off");
        uint length = 0;
        for (int i = 1; i <= octets; i++)
            length = (length << 8) | _data[at + i];
        if (length < 0x80 || (octets > 1 && length >> (8 * (octets - 1)) == 0))
            throw Malformed(at, "a length is not in its shortest form");
        if (length > int.MaxValue)
            throw Malformed(at, "a length exceeds two gigabytes");
        contentStart = at + 1 + octets;
        return (int)length;
    }

    readonly MalformedDerException Malformed(int at, string message) => new(_origin + at, message);

    static string Describe(byte tag) => tag switch
    {
        DerTag.Boolean => "a boolean",
        DerTag.Integer => "an integer",
        DerTag.BitString => "a bit string",
        DerTag.OctetString => "an octet string",
        DerTag.Null => "null",
        DerTag.ObjectIdentifier => "an object identifier",
        DerTag.Sequence => "a sequence",
        DerTag.Set => "a set",
        _ => $"tag 0x{tag:x2}",
    };
}
