using System.Text;

namespace Talos.Pki;

/// <summary>One attribute of a distinguished name: <see cref="Text"/> for people, <see cref="Canonical"/> for comparison.</summary>
sealed record NameAttribute(string Type, byte Tag, string Text, string Canonical)
{
    static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static NameAttribute Parse(ref DerReader reader)
    {
        string type = reader.ReadObjectIdentifier();
        DerValue value = reader.Read();
        reader.RequireEnd();
        string? text = Decode(value);
        // A NUL has only ever been used to make two readers see two names.
        if (text?.Contains('\0') == true)
            throw new MalformedDerException(value.Start, "a name holds a NUL");
        if (text is null)
        {
            string hex = "#" + Convert.ToHexStringLower(value.Content);
            return new NameAttribute(type, value.Tag, hex, $"{type}:{value.Tag:x2}{hex}");
        }

        return new NameAttribute(type, value.Tag, text, $"{type}={Fold(text)}");
    }

    public static string Label(string type) => type switch
    {
        ObjectIdentifiers.CommonName => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        ObjectIdentifiers.Organization => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        ObjectIdentifiers.DomainComponent => "DC",
        ObjectIdentifiers.EmailAddress => "emailAddress",
        _ => type,
    };

    // RFC 5280 §7.1 (with RFC 4518 §2.6.1 for spaces): case folded, outer spaces dropped, inner runs made one.
    static string Fold(string text)
    {
        var folded = new StringBuilder(text.Length);
        bool space = false;
        foreach (char c in text)
        {
            if (char.IsWhiteSpace(c))
            {
                space = folded.Length > 0;
                continue;
            }

            if (space)
                folded.Append(' ');
            space = false;
            folded.Append(char.ToLowerInvariant(c));
        }

        return folded.ToString();
    }

    static string? Decode(DerValue value)
    {
        ReadOnlySpan<byte> c = value.Content;
        switch (value.Tag)
        {
            case DerTag.Utf8String:
                try
                {
                    return s_strictUtf8.GetString(c);
                }
                catch (DecoderFallbackException)
                {
                    throw new MalformedDerException(value.Start, "a name holds octets that are not UTF-8");
                }

            case DerTag.PrintableString:
                foreach (byte b in c)
                    if (!IsPrintableStringOctet(b))
                        throw new MalformedDerException(value.Start, "a printable string holds a character outside its alphabet");
                return Encoding.ASCII.GetString(c);
            case DerTag.Ia5String or DerTag.NumericString or DerTag.VisibleString:
                if (c.ContainsAnyInRange<byte>(0x80, 0xFF))
                    throw new MalformedDerException(value.Start, "an ASCII string holds an octet above 0x7f");
                return Encoding.ASCII.GetString(c);
            case DerTag.TeletexString:
                // NOTE: T.61 is read as Latin-1, as every other implementation does.
                return Encoding.Latin1.GetString(c);
            case DerTag.BmpString:
                return c.Length % 2 == 0
                    ? Encoding.BigEndianUnicode.GetString(c)
                    : throw new MalformedDerException(value.Start, "a BMP string has an odd number of octets");
            default:
                return null;
        }
    }

    // X.680 §41.4; `*`, `@` and `_` are left out of it there, and seen in practice.
    static bool IsPrintableStringOctet(byte b) =>
        b is (>= (byte)'a' and <= (byte)'z') or (>= (byte)'A' and <= (byte)'Z') or (>= (byte)'0' and <= (byte)'9')
        || " '()+,-./:=?*@_&"u8.Contains(b);
}
