using System.Globalization;
using System.Text;

namespace Talos.Pki;

/// <summary>One attribute of a distinguished name: <see cref="Text"/> for people, <see cref="Canonical"/> for comparison.</summary>
sealed class NameAttribute
{
    static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    static readonly UTF32Encoding s_strictUtf32 = new(bigEndian: true, byteOrderMark: false, throwOnInvalidCharacters: true);

    readonly bool _isText;
    string? _folded;
    string? _canonical;

    NameAttribute(string type, byte tag, string text, bool isText) => (Type, Tag, Text, _isText) = (type, tag, text, isText);

    public string Type { get; }

    public byte Tag { get; }

    /// <summary>The octets in hexadecimal, after `#`, where the value is no text.</summary>
    public string Text { get; }

    // When somebody asks: most names are only ever compared by their octets.
    public string Canonical => _canonical ??= _isText ? $"{Type}={Folded}" : $"{Type}:{Tag:x2}{Text}";

    string Folded => _folded ??= Fold(Text);

    public static NameAttribute Parse(ref DerReader reader)
    {
        string type = reader.ReadObjectIdentifier();
        DerValue value = reader.Read();
        reader.RequireEnd();
        string? text = Decode(value);
        // A NUL has only ever been used to make two readers see two names.
        if (text?.Contains('\0') == true)
            throw new MalformedDerException(value.Start, "a name holds a NUL");
        return new NameAttribute(type, value.Tag, text ?? "#" + Convert.ToHexStringLower(value.Content), isText: text is not null);
    }

    /// <summary>
    /// Nobody could write <see cref="Canonical"/> in another way: it holds only letters that normalization (RFC 4518 §2.3) leaves alone and that compose with
    /// nothing in such a text. The platform has no tables of normalization in its invariant mode, so of other texts only equality is known, never difference.
    /// </summary>
    public bool IsSettled => _isText && IsSettledText(Folded);

    // Blocks of Unicode less what decomposes, has another case in two letters, or composes.
    static bool IsSettledText(string folded)
    {
        foreach (char c in folded)
            if (c >= 0x80 && !IsSettledLatin(c) && c is not (
                (>= '\u03AC' and <= '\u03CE' and not '\u03B0') or (>= '\u0430' and <= '\u045F') // Greek, Cyrillic
                or (>= '\u3041' and <= '\u3096') or (>= '\u30A1' and <= '\u30FA') // kana
                or (>= '\u4E00' and <= '\u9FA5') or (>= '\uAC00' and <= '\uD7A3'))) // Chinese characters, Hangul
                return false;
        return true;
    }

    static bool IsSettledLatin(char c) => c is (>= '\u00E0' and <= '\u012F' and not '\u00F7') or (>= '\u0134' and <= '\u013E')
        or (>= '\u0141' and <= '\u0148') or (>= '\u014A' and <= '\u017E');

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

    // RFC 5280 §7.1 by RFC 4518 §2: what is not seen is dropped, letters lose their case, outer spaces are dropped, inner runs made one.
    static string Fold(string text)
    {
        if (!Ascii.IsValid(text))
            text = FoldBeyondAscii(text);
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

    // RFC 4518 §2.2. By way of upper case, letters with two lower cases (final sigma) become one.
    static string FoldBeyondAscii(string text)
    {
        var seen = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            if (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Format or UnicodeCategory.Control)
                && rune.Value is not (0x034F or 0x1806 or 0xFFFC or (>= 0x180B and <= 0x180D) or (>= 0xFE00 and <= 0xFE0F)))
                seen.Append(rune);
            else if (Rune.IsWhiteSpace(rune))
                seen.Append(' ');
        return seen.ToString().ToUpperInvariant().ToLowerInvariant();
    }

    internal static string DecodeUtf8(DerValue value)
    {
        try
        {
            return s_strictUtf8.GetString(value.Content);
        }
        catch (DecoderFallbackException)
        {
            throw new MalformedDerException(value.Start, "a name holds octets that are not UTF-8");
        }
    }

    static string? Decode(DerValue value)
    {
        ReadOnlySpan<byte> c = value.Content;
        switch (value.Tag)
        {
            case DerTag.Utf8String:
                return DecodeUtf8(value);
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
            case DerTag.UniversalString:
                try
                {
                    return s_strictUtf32.GetString(c);
                }
                catch (DecoderFallbackException)
                {
                    throw new MalformedDerException(value.Start, "a universal string holds octets that are not UTF-32");
                }

            default:
                return null;
        }
    }

    // X.680 §41.4; `*`, `@` and `_` are left out of it there, and seen in practice.
    static bool IsPrintableStringOctet(byte b) =>
        b is (>= (byte)'a' and <= (byte)'z') or (>= (byte)'A' and <= (byte)'Z') or (>= (byte)'0' and <= (byte)'9')
        || " '()+,-./:=?*@_&"u8.Contains(b);
}
