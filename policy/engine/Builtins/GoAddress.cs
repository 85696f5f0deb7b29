using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Talos.Policy;

/// <summary>Addresses in text as Go's net/netip reads and writes them; the platform's parser takes more and its writer mixes notations.</summary>
static class GoAddress
{
    /// <summary>4 or 16 bytes, or null.</summary>
    public static byte[]? Parse(string text) => text.Contains(':', StringComparison.Ordinal) ? V6(text) : V4(text);

    static byte[]? V4(string text)
    {
        string[] parts = text.Split('.');
        if (parts.Length != 4) return null;
        var bytes = new byte[4];
        for (int i = 0; i < 4; i++)
        {
            string p = parts[i];
            if (p.Length is 0 or > 3 || !p.All(char.IsAsciiDigit) || (p.Length > 1 && p[0] == '0') || !byte.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out bytes[i])) return null;
        }
        return bytes;
    }

    // RFC 4291 §2.2
    static byte[]? V6(string text)
    {
        int gap = text.IndexOf("::", StringComparison.Ordinal);
        if (gap >= 0 && text.IndexOf("::", gap + 1, StringComparison.Ordinal) >= 0) return null;
        if (gap < 0) return Groups(text, true) is { Length: 16 } whole ? whole : null;
        if (Groups(text[..gap], false) is not { } head || Groups(text[(gap + 2)..], true) is not { } tail || head.Length + tail.Length > 14) return null;
        return [.. head, .. new byte[16 - head.Length - tail.Length], .. tail];
    }

    static byte[]? Groups(string text, bool mayEndInV4)
    {
        if (text.Length == 0) return [];
        string[] parts = text.Split(':');
        var bytes = new List<byte>();
        for (int i = 0; i < parts.Length; i++)
        {
            if (mayEndInV4 && i == parts.Length - 1 && parts[i].Contains('.', StringComparison.Ordinal))
            {
                if (V4(parts[i]) is not { } v4) return null;
                bytes.AddRange(v4);
            }
            else if (parts[i].Length is > 0 and <= 4 && ushort.TryParse(parts[i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort group))
            {
                bytes.Add((byte)(group >> 8));
                bytes.Add((byte)group);
            }
            else return null;
        }
        return [.. bytes];
    }

    /// <summary>A 128-bit number; IPv4 addresses are those below <c>::ffff:0:0/96</c>.</summary>
    public static UInt128 Number(byte[] address) => address.Length == 16 ? BinaryPrimitives.ReadUInt128BigEndian(address) : V4Base + BinaryPrimitives.ReadUInt32BigEndian(address);

    public static readonly UInt128 V4Base = (UInt128)0xFFFF << 32;

    public static bool IsV4(UInt128 address) => address >> 32 == 0xFFFF;

    // RFC 5952 §4
    public static string Format(UInt128 address)
    {
        if (IsV4(address)) return string.Join('.', Enumerable.Range(0, 4).Select(i => ((uint)address >> (24 - 8 * i) & 0xFF).ToString(CultureInfo.InvariantCulture)));
        ushort[] groups = [.. Enumerable.Range(0, 8).Select(i => (ushort)(address >> (112 - 16 * i)))];
        (int start, int length) = (0, 0);
        for (int i = 0; i < 8; i++)
        {
            int run = 0;
            while (i + run < 8 && groups[i + run] == 0) run++;
            if (run > length) (start, length) = (i, run);
            i += run;
        }
        var text = new StringBuilder();
        for (int i = 0; i < 8; i++)
        {
            if (length > 1 && i == start)
            {
                text.Append("::");
                i += length - 1;
                continue;
            }
            if (text.Length > 0 && text[^1] != ':') text.Append(':');
            text.Append(groups[i].ToString("x", CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }
}
