namespace Talos.Pki;

ref partial struct DerReader
{
    public bool ReadBoolean()
    {
        DerValue value = Read(DerTag.Boolean);
        if (value.Content.Length != 1 || value.Content[0] is not (0x00 or 0xFF))
            throw new MalformedDerException(value.Start, "a boolean is neither 0x00 nor 0xff"); // X.690 §11.1
        return value.Content[0] != 0;
    }

    /// <summary>The content octets of a minimal two's-complement INTEGER.</summary>
    public DerValue ReadInteger(byte tag = DerTag.Integer)
    {
        DerValue value = Read(tag);
        ReadOnlySpan<byte> c = value.Content;
        if (c.IsEmpty)
            throw new MalformedDerException(value.Start, "an integer has no octets");
        // X.690 §8.3.2
        if (c.Length > 1 && ((c[0] == 0 && c[1] < 0x80) || (c[0] == 0xFF && c[1] >= 0x80)))
            throw new MalformedDerException(value.Start, "an integer is not in its shortest form");
        return value;
    }

    /// <summary>A non-negative INTEGER that fits 31 bits; <see cref="int.MaxValue"/> stands for everything larger.</summary>
    public int ReadSmallInteger(byte tag = DerTag.Integer)
    {
        DerValue value = ReadInteger(tag);
        if ((value.Content[0] & 0x80) != 0)
            throw new MalformedDerException(value.Start, "an integer that must not be negative is");
        if (value.Content.Length > 4)
            return int.MaxValue;
        uint result = 0;
        foreach (byte b in value.Content)
            result = (result << 8) | b;
        return result > int.MaxValue ? int.MaxValue : (int)result;
    }

    public string ReadObjectIdentifier(byte tag = DerTag.ObjectIdentifier)
    {
        DerValue value = Read(tag);
        return ObjectIdentifiers.ToText(value.Content)
            ?? throw new MalformedDerException(value.Start, "an object identifier is malformed or longer than 64 octets");
    }

    /// <summary>A BIT STRING of whole octets, as keys and signatures are.</summary>
    public DerValue ReadOctetBits()
    {
        DerValue value = Read(DerTag.BitString);
        if (value.Content.IsEmpty || value.Content[0] != 0)
            throw new MalformedDerException(value.Start, "a bit string that must hold whole octets does not");
        return new DerValue
        {
            Tag = value.Tag,
            Start = value.Start,
            ContentStart = value.ContentStart + 1,
            Content = value.Content[1..],
        };
    }

    /// <summary>A BIT STRING of any number of bits (X.690 §8.6, §11.2.1).</summary>
    public DerValue ReadBits(byte tag = DerTag.BitString)
    {
        DerValue value = Read(tag);
        ReadOnlySpan<byte> c = value.Content;
        if (c.IsEmpty || c[0] > 7 || (c.Length == 1 && c[0] != 0) || (c[^1] & ((1 << c[0]) - 1)) != 0)
            throw new MalformedDerException(value.Start, "a bit string is malformed");
        return value;
    }

    /// <summary>A BIT STRING with named bits (X.690 §11.2.2: no trailing zero bits); bit 0 is the lowest bit of the result.</summary>
    public uint ReadNamedBits(byte tag = DerTag.BitString)
    {
        int start = Position;
        uint bits = ReadNamedBits(tag, out bool isShortest);
        return isShortest ? bits : throw new MalformedDerException(start, "a bit string with named bits has trailing zero bits");
    }

    /// <summary>The same with trailing zero bits, for what was signed by someone who left them there.</summary>
    public uint ReadNamedBits(byte tag, out bool isShortest)
    {
        DerValue value = Read(tag);
        ReadOnlySpan<byte> c = value.Content;
        if (c.IsEmpty || c[0] > 7 || (c.Length == 1 && c[0] != 0) || c.Length > 5)
            throw new MalformedDerException(value.Start, "a bit string is malformed");
        isShortest = true;
        if (c.Length == 1)
            return 0;
        byte last = c[^1];
        if ((last & ((1 << c[0]) - 1)) != 0)
            throw new MalformedDerException(value.Start, "a bit string has set padding");
        isShortest = (last & (1 << c[0])) != 0;
        uint bits = 0;
        for (int i = 1; i < c.Length; i++)
            for (int b = 0; b < 8; b++)
                if ((c[i] & (0x80 >> b)) != 0)
                    bits |= 1u << (((i - 1) * 8) + b);
        return bits;
    }

    // RFC 5280 §4.1.2.5: UTCTime to 2049, GeneralizedTime from 2050; both with seconds, in Zulu, without fractions.
    public DateTimeOffset ReadTime()
    {
        DerValue value = NextIs(DerTag.UtcTime) ? Read(DerTag.UtcTime) : Read(DerTag.GeneralizedTime);
        return ParseTime(value);
    }

    public DateTimeOffset ReadGeneralizedTime(byte tag = DerTag.GeneralizedTime)
    {
        DerValue value = Read(tag);
        return ParseTime(value, generalized: true);
    }

    static DateTimeOffset ParseTime(DerValue value, bool generalized = false)
    {
        generalized |= value.Tag == DerTag.GeneralizedTime;
        ReadOnlySpan<byte> c = value.Content;
        int digits = generalized ? 14 : 12;
        if (c.Length != digits + 1 || c[^1] != (byte)'Z')
            throw new MalformedDerException(value.Start, "a time is not of the form `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`");
        int at = 0;
        int year = generalized ? (Two(c, value, ref at) * 100) + Two(c, value, ref at) : Two(c, value, ref at);
        if (!generalized)
            year += year < 50 ? 2000 : 1900;
        int month = Two(c, value, ref at), day = Two(c, value, ref at);
        int hour = Two(c, value, ref at), minute = Two(c, value, ref at), second = Two(c, value, ref at);
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
            throw new MalformedDerException(value.Start, "a time names no moment of the calendar");
        return new DateTimeOffset(year, month, day, hour, minute, second, TimeSpan.Zero);
    }

    static int Two(ReadOnlySpan<byte> c, DerValue value, ref int at)
    {
        int high = c[at] - '0', low = c[at + 1] - '0';
        if ((uint)high > 9 || (uint)low > 9)
            throw new MalformedDerException(value.ContentStart + at, "a time has a character that is no digit");
        at += 2;
        return (high * 10) + low;
    }
}
