using System.Buffers;

namespace Talos.Pki;

/// <summary>DNS names as certificates carry them (RFC 5280 §4.2.1.6, RFC 1034 §3.5, RFC 9525 §6.3).</summary>
static class DnsName
{
    static readonly SearchValues<char> s_hexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    /// <summary>A host name of ASCII letters, digits, hyphens and (as seen in practice) underscores; no empty labels, no trailing dot.</summary>
    public static bool IsValid(ReadOnlySpan<char> name, bool wildcard = false)
    {
        if (wildcard && name.StartsWith("*."))
        {
            name = name[2..];
            // RFC 9525 §6.3: a wildcard is a whole left-most label; one directly under a top-level domain is refused.
            if (!name.Contains('.'))
                return false;
        }

        if (name.IsEmpty || name.Length > 253)
            return false;
        ReadOnlySpan<char> last = default;
        foreach (Range range in name.Split('.'))
        {
            ReadOnlySpan<char> label = name[range];
            if (label.IsEmpty || label.Length > 63 || label[0] == '-' || label[^1] == '-')
                return false;
            foreach (char c in label)
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
                    return false;
            last = label;
        }

        return !IsNumber(last);
    }

    // A last label that is a number, also a hexadecimal one, reads as an address (WHATWG URL §3.5, "ends in a number").
    static bool IsNumber(ReadOnlySpan<char> label) =>
        !label.ContainsAnyExceptInRange('0', '9')
        || (label.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && label[2..].IndexOfAnyExcept(s_hexDigits) < 0);

    /// <summary>RFC 9525 §6.3: equal without case, or a wildcard standing for exactly one left-most label.</summary>
    public static bool Matches(ReadOnlySpan<char> presented, ReadOnlySpan<char> expected)
    {
        if (!IsValid(presented, wildcard: true) || !IsValid(expected))
            return false;
        if (!presented.StartsWith("*."))
            return presented.Equals(expected, StringComparison.OrdinalIgnoreCase);
        int dot = expected.IndexOf('.');
        return dot > 0 && expected[dot..].Equals(presented[1..], StringComparison.OrdinalIgnoreCase);
    }
}
