using System.Globalization;
using System.Numerics;

namespace Talos.Policy;

/// <summary>Numbers with SI and binary prefixes, computed exactly.</summary>
static class UnitBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("units.parse", v => Parse(Operand.Text(v, 1))),
        Builtin.Of("units.parse_bytes", v => ParseBytes(Operand.Text(v, 1))),
    ];

    // OPA says the name of these functions twice.
    static BuiltinException Fail(string what, string problem) => new($"units.parse{(what == "amount" ? "" : "_bytes")}: {problem}");

    static (string Number, string Unit) Divide(string text, string what)
    {
        text = text.Replace("\"", "", StringComparison.Ordinal);
        if (text.Contains(' ', StringComparison.Ordinal)) throw Fail(what, "spaces not allowed in resource strings");
        if (text.Length == 0) throw Fail(what, $"no {what} provided");
        int i = 0;
        for (; i < text.Length; i++)
        {
            char c = text[i];
            if (char.IsAsciiDigit(c) || c == '.') continue;
            if (c is 'e' or 'E')
            {
                // An exponent needs digits behind it; a lone E is the unit exa.
                int digits = i + 1 < text.Length && text[i + 1] is '+' or '-' ? i + 2 : i + 1;
                if (digits < text.Length && char.IsAsciiDigit(text[digits]))
                {
                    i = digits;
                    continue;
                }
            }
            if (i == 0 && c is '+' or '-') continue;
            break;
        }
        if (i == 0) throw Fail(what, $"no {what} provided");
        return (text[..i], text[i..]);
    }

    // Mantissa × 10^exponent as a fraction.
    static (BigInteger Numerator, BigInteger Denominator) Fraction(string number, string what)
    {
        NumberValue? parsed = number.Count(c => c == '.') > 1 ? null
            : NumberValue.Parse(number) ?? NumberValue.Parse(number.TrimStart('+')) ?? NumberValue.Parse("0" + number) ?? NumberValue.Parse(number + "0");
        if (parsed is null) throw Fail(what, $"could not parse {what} to a number");
        string text = parsed.Text;
        int e = text.AsSpan().IndexOfAny('e', 'E'), exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string mantissa = e < 0 ? text : text[..e];
        int dot = mantissa.IndexOf('.', StringComparison.Ordinal);
        if (dot >= 0) exponent -= mantissa.Length - dot - 1;
        var digits = BigInteger.Parse(mantissa.Replace(".", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return exponent >= 0 ? (digits * BigInteger.Pow(10, exponent), 1) : (digits, BigInteger.Pow(10, -exponent));
    }

    static NumberValue Parse(string text)
    {
        (string number, string unit) = Divide(text, "amount");
        (BigInteger n, BigInteger d) = Fraction(number, "amount");
        // Only m (milli) and M (mega) differ by case.
        string key = unit.Length > 1 || unit is not ("m" or "M") ? unit.ToLowerInvariant() : unit;
        BigInteger multiplier = 1;
        switch (key)
        {
            case "": break;
            case "m": d *= 1000; break;
            case "k": multiplier = 1000; break;
            case "M": multiplier = BigInteger.Pow(10, 6); break;
            case "g": multiplier = BigInteger.Pow(10, 9); break;
            case "t": multiplier = BigInteger.Pow(10, 12); break;
            case "p": multiplier = BigInteger.Pow(10, 15); break;
            case "e": multiplier = BigInteger.Pow(10, 18); break;
            case "ki": multiplier = BigInteger.One << 10; break;
            case "mi": multiplier = BigInteger.One << 20; break;
            case "gi": multiplier = BigInteger.One << 30; break;
            case "ti": multiplier = BigInteger.One << 40; break;
            case "pi": multiplier = BigInteger.One << 50; break;
            case "ei": multiplier = BigInteger.One << 60; break;
            default: throw Fail("amount", $"unit {unit} not recognized");
        }
        n *= multiplier;
        BigInteger whole = BigInteger.DivRem(n, d, out BigInteger rest);
        if (rest.IsZero) return NumberValue.From(whole);
        // Ten digits behind the point, rounded half away from zero, without trailing zeros.
        BigInteger scaled = BigInteger.Abs(n) * BigInteger.Pow(10, 10) * 2 / d;
        scaled = (scaled + 1) / 2;
        string digits = scaled.ToString(CultureInfo.InvariantCulture).PadLeft(11, '0');
        string shown = (n.Sign < 0 ? "-" : "") + digits[..^10] + "." + digits[^10..];
        return NumberValue.Parse(shown.TrimEnd('0').TrimEnd('.'))!;
    }

    static NumberValue ParseBytes(string text)
    {
        (string number, string unit) = Divide(text, "byte amount");
        (BigInteger n, BigInteger d) = Fraction(number, "byte amount");
        BigInteger multiplier = unit.ToLowerInvariant() switch
        {
            "" => 1,
            "kb" or "k" => 1000,
            "kib" or "ki" => 1 << 10,
            "mb" or "m" => 1_000_000,
            "mib" or "mi" => 1 << 20,
            "gb" or "g" => 1_000_000_000,
            "gib" or "gi" => 1 << 30,
            "tb" or "t" => 1_000_000_000_000,
            "tib" or "ti" => 1L << 40,
            "pb" or "p" => 1_000_000_000_000_000,
            "pib" or "pi" => 1L << 50,
            "eb" or "e" => 1_000_000_000_000_000_000,
            "eib" or "ei" => 1L << 60,
            _ => throw Fail("byte amount", $"byte unit {unit.ToLowerInvariant()} not recognized"),
        };
        return NumberValue.From(BigInteger.Divide(n * multiplier, d));
    }
}
