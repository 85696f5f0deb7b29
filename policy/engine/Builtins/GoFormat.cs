using System.Globalization;
using System.Numerics;
using System.Text;

namespace Talos.Policy;

/// <summary>Go's fmt.Sprintf over the types that OPA hands it: integers, big integers, floats and strings.</summary>
static class GoFormat
{
    // LIMIT: width and precision of one verb.
    const int MaxWidth = 100_000;

    // No argument has this number.
    const int BadIndex = int.MaxValue;

    public static string Format(string format, Value[] values)
    {
        object[] args = [.. values.Select(Argument)];
        var text = new StringBuilder();
        int next = 0;
        bool reordered = false;
        for (int i = 0; i < format.Length;)
        {
            if (format[i] != '%')
            {
                text.Append(format[i++]);
                continue;
            }
            i++;
            var spec = default(Spec);
            spec.Precision = -1;
            for (; i < format.Length && "+-# 0".Contains(format[i], StringComparison.Ordinal); i++)
            {
                switch (format[i])
                {
                    case '+': spec.Plus = true; break;
                    case '-': spec.Minus = true; break;
                    case '#': spec.Sharp = true; break;
                    case ' ': spec.Space = true; break;
                    default: spec.Zero = true; break;
                }
            }
            Index(format, ref i, ref next, args.Length, ref reordered);
            spec.Width = Number(format, ref i, args, ref next, ref spec.Minus);
            if (i < format.Length && format[i] == '.')
            {
                i++;
                bool ignored = false;
                spec.Precision = Math.Max(0, Number(format, ref i, args, ref next, ref ignored));
            }
            Index(format, ref i, ref next, args.Length, ref reordered);
            if (i >= format.Length)
            {
                text.Append("%!(NOVERB)");
                break;
            }
            Evaluation.Reserve(2L * (spec.Width + Math.Max(0, spec.Precision)));
            Rune verb = Rune.GetRuneAt(format, i);
            i += verb.Utf16SequenceLength;
            if (verb.Value == '%') text.Append('%');
            else if (next == BadIndex) text.Append("%!").Append(verb).Append("(BADINDEX)");
            else if (next >= args.Length) text.Append("%!").Append(verb).Append("(MISSING)");
            else text.Append(One(args[next++], (char)verb.Value, spec));
        }
        if (!reordered && next < args.Length)
        {
            text.Append("%!(EXTRA ");
            text.AppendJoin(", ", args[next..].Select(a => $"{TypeName(a)}={One(a, 'v', new Spec { Precision = -1 })}"));
            text.Append(')');
        }
        return text.ToString();
    }

    struct Spec
    {
        public bool Plus, Minus, Sharp, Space, Zero;
        public int Width, Precision;
    }

    static object Argument(Value value) => value switch
    {
        NumberValue n when n.IsPlainInteger => n.TryGetInt64(out long i) ? i : 0L,
        NumberValue n when n.IsInteger && !n.Text.AsSpan().ContainsAny('.', 'e', 'E') => n.ToBigInteger(),
        NumberValue n => n.ToDouble(),
        StringValue s => s.Text,
        _ => value.ToString(),
    };

    static string TypeName(object arg) => arg switch { long => "int", BigInteger => "*big.Int", double => "float64", _ => "string" };

    static void Index(string format, ref int i, ref int next, int count, ref bool reordered)
    {
        if (i >= format.Length || format[i] != '[') return;
        int end = format.IndexOf(']', i);
        if (end < 0) return;
        if (int.TryParse(format.AsSpan(i + 1, end - i - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n >= 1 && n <= count) next = n - 1;
        else next = BadIndex;
        reordered = true;
        i = end + 1;
    }

    static int Number(string format, ref int i, object[] args, ref int next, ref bool minus)
    {
        if (i < format.Length && format[i] == '*')
        {
            i++;
            if (next >= args.Length || args[next++] is not long star) return 0;
            if (star < 0) minus = true;
            return (int)Math.Min(Math.Abs(star), MaxWidth);
        }
        int n = 0;
        for (; i < format.Length && char.IsAsciiDigit(format[i]); i++) n = Math.Min(n * 10 + format[i] - '0', MaxWidth);
        return n;
    }

    static string One(object arg, char verb, Spec spec)
    {
        switch (arg)
        {
            case long or BigInteger:
                BigInteger integer = arg is long l ? l : (BigInteger)arg;
                switch (verb)
                {
                    case 'v' or 'd': return Integer(integer.ToString(CultureInfo.InvariantCulture), "", spec);
                    case 's' when arg is BigInteger: return Integer(integer.ToString(CultureInfo.InvariantCulture), "", spec);
                    case 'b': return Integer(StringBuiltins.Radix(integer, 2), spec.Sharp ? "0b" : "", spec);
                    case 'o': return Integer(StringBuiltins.Radix(integer, 8), spec.Sharp ? "0" : "", spec);
                    case 'O': return Integer(StringBuiltins.Radix(integer, 8), "0o", spec);
                    case 'x': return Integer(StringBuiltins.Radix(integer, 16), spec.Sharp ? "0x" : "", spec);
                    case 'X': return Integer(StringBuiltins.Radix(integer, 16).ToUpperInvariant(), spec.Sharp ? "0X" : "", spec);
                    case 'c' when arg is long && Rune.IsValid((int)Math.Clamp((long)integer, -1, int.MaxValue)): return Pad(new Rune((int)integer).ToString(), spec);
                    case 'q' when arg is long && Rune.IsValid((int)Math.Clamp((long)integer, -1, int.MaxValue)): return Pad($"'{new Rune((int)integer)}'", spec);
                    case 'U' when arg is long: return Pad("U+" + StringBuiltins.Radix(integer, 16).ToUpperInvariant().PadLeft(4, '0'), spec);
                }
                break;
            case double d:
                switch (verb)
                {
                    case 'v': return Float(d, 'g', spec);
                    case 'e' or 'E' or 'f' or 'F' or 'g' or 'G': return Float(d, verb, spec);
                }
                break;
            case string s:
                if (spec.Precision >= 0 && verb is 's' or 'v' or 'q') s = string.Concat(s.EnumerateRunes().Take(spec.Precision).Select(r => r.ToString()));
                switch (verb)
                {
                    case 'v' when spec.Sharp:
                    case 'q':
                        var quoted = new StringBuilder();
                        if (spec.Sharp && !s.Contains('`', StringComparison.Ordinal) && !s.AsSpan().ContainsAnyInRange('\0', '\x1f')) quoted.Append('`').Append(s).Append('`');
                        else ValueText.Quote(quoted, s, spec.Plus);
                        return Pad(quoted.ToString(), spec);
                    case 'v' or 's': return Pad(s, spec);
                    case 'x' or 'X': return Hexadecimal(s, spec, verb == 'X');
                }
                break;
        }
        if (verb == 'T') return Pad(TypeName(arg), spec);
        // Go prints what does not fit the verb by %v, with the flags, width and precision of the verb.
        return $"%!{verb}({(arg is BigInteger ? "big.Int" : TypeName(arg))}={One(arg, 'v', spec)})";
    }

    // % x puts a blank between bytes, %#x the prefix before all of them, % #x before each.
    static string Hexadecimal(string s, Spec spec, bool upper)
    {
        byte[] bytes = GoBytes.Of(s);
        if (spec.Precision >= 0) bytes = bytes[..Math.Min(bytes.Length, spec.Precision)];
        string prefix = spec.Sharp ? "0x" : "";
        string text = spec.Space ? string.Join(' ', bytes.Select(b => prefix + b.ToString("x2", CultureInfo.InvariantCulture)))
            : bytes.Length == 0 ? "" : prefix + Convert.ToHexStringLower(bytes);
        return Pad(upper ? text.ToUpperInvariant() : text, spec);
    }

    static string Integer(string digits, string prefix, Spec spec)
    {
        bool negative = digits[0] == '-';
        if (negative) digits = digits[1..];
        if (spec.Precision >= 0)
        {
            digits = digits == "0" && spec.Precision == 0 ? "" : digits.PadLeft(spec.Precision, '0');
            spec.Zero = false;
        }
        string sign = negative ? "-" : spec.Plus ? "+" : spec.Space ? " " : "";
        if (spec.Zero && !spec.Minus) digits = digits.PadLeft(Math.Max(0, spec.Width - sign.Length - prefix.Length), '0');
        return Pad(sign + prefix + digits, spec with { Zero = false });
    }

    static string Pad(string s, Spec spec)
    {
        int missing = spec.Width - s.EnumerateRunes().Count();
        if (missing <= 0) return s;
        return spec.Minus ? s + new string(' ', missing) : new string(spec.Zero ? '0' : ' ', missing) + s;
    }

    static string Float(double d, char verb, Spec spec)
    {
        string sign = d < 0 || (d == 0 && double.IsNegative(d)) ? "-" : spec.Plus ? "+" : spec.Space ? " " : "";
        string digits = char.ToLowerInvariant(verb) switch
        {
            'f' => Math.Abs(d).ToString("F" + (spec.Precision < 0 ? 6 : spec.Precision), CultureInfo.InvariantCulture),
            'e' => Exponent(Math.Abs(d), spec.Precision < 0 ? 6 : spec.Precision),
            _ => Shortest(Math.Abs(d), spec.Precision),
        };
        if (char.IsUpper(verb)) digits = digits.ToUpperInvariant();
        if (spec.Zero && !spec.Minus) digits = digits.PadLeft(Math.Max(0, spec.Width - sign.Length), '0');
        return Pad(sign + digits, spec with { Zero = false });
    }

    static string Exponent(double d, int precision)
    {
        string text = d.ToString("E" + precision, CultureInfo.InvariantCulture);
        int e = text.IndexOf('E', StringComparison.Ordinal);
        int exponent = int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return $"{text[..e]}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    // %g: the exponent form from 21 digits on when the shortest form is asked for, from the precision on otherwise.
    static string Shortest(double d, int precision)
    {
        if (d == 0) return "0";
        string text = precision < 0 ? d.ToString("E16", CultureInfo.InvariantCulture) : d.ToString("E" + (Math.Max(1, precision) - 1), CultureInfo.InvariantCulture);
        if (precision < 0)
        {
            for (int p = 0; p <= 16; p++)
            {
                text = d.ToString("E" + p, CultureInfo.InvariantCulture);
                if (double.Parse(text, CultureInfo.InvariantCulture) == d) break;
            }
        }
        int e = text.IndexOf('E', StringComparison.Ordinal);
        int exponent = int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string digits = text[..e].Replace(".", "", StringComparison.Ordinal).TrimEnd('0');
        if (digits.Length == 0) digits = "0";
        int limit = precision < 0 ? 21 : Math.Max(precision, 1);
        if (precision >= 0 && limit > digits.Length && digits.Length >= exponent + 1) limit = Math.Max(digits.Length, 1);
        if (exponent < -4 || exponent >= limit)
            return $"{digits[0]}{(digits.Length > 1 ? "." + digits[1..] : "")}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        if (exponent < 0) return "0." + new string('0', -exponent - 1) + digits;
        return exponent + 1 >= digits.Length ? digits + new string('0', exponent + 1 - digits.Length) : digits[..(exponent + 1)] + "." + digits[(exponent + 1)..];
    }
}
