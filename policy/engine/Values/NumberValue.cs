using System.Globalization;
using System.Numerics;

namespace Talos.Policy;

/// <summary>
/// A number of any size. Keeps the text it was written with, because Rego prints numbers as they came; compares by exact value.
/// </summary>
sealed class NumberValue : Value
{
    // LIMIT: decimal exponents beyond this are refused when a number is read; aligning them would cost memory without bound.
    const int MaxExponent = 100_000;

    static readonly NumberValue[] Small = [.. Enumerable.Range(-128, 1152).Select(i => new NumberValue(i, null, true))];

    readonly long _integer;
    readonly string? _text;
    readonly bool _isInt64;
    Decimalized? _exact;

    NumberValue(long integer, string? text, bool isInt64)
    {
        _integer = integer;
        _text = text;
        _isInt64 = isInt64;
    }

    /// <summary>Digits × 10^Exponent, without trailing zeros in the digits.</summary>
    public sealed record Decimalized(BigInteger Digits, int Exponent);

    public static new NumberValue From(long value) => value is >= -128 and < 1024 ? Small[value + 128] : new NumberValue(value, null, true);

    public static NumberValue From(BigInteger value) =>
        value >= long.MinValue && value <= long.MaxValue ? From((long)value) : Parse(value.ToString(CultureInfo.InvariantCulture))!;

    public static NumberValue From(BigFloat value) => Parse(value.ToNumberText())!;

    /// <summary>The number that a JSON number's text stands for; null when the text is none, or its exponent is out of bounds.</summary>
    public static NumberValue? Parse(string text)
    {
        if (text.Length < 19 && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long integer)
            && text[0] != '+' && (integer != 0 || text == "0")) return text.Length > 1 && text[text[0] == '-' ? 1 : 0] == '0' ? null : From(integer);
        if (!IsJsonNumber(text)) return null;
        // Digits behind the point and no exponent: certainly no integer, so the exact value can wait until someone compares.
        int point = text.IndexOf('.', StringComparison.Ordinal);
        if (point >= 0 && text.Length < MaxExponent && text.AsSpan(point + 1).ContainsAnyInRange('1', '9') && !text.AsSpan(point).ContainsAny('e', 'E')) return new NumberValue(0, text, false);
        if (TryDecimalize(text) is not { } exact) return null;
        bool fits = exact.Exponent is >= 0 and < 20;
        BigInteger whole = fits ? exact.Digits * BigInteger.Pow(10, exact.Exponent) : 0;
        if (exact.Digits.IsZero) return new NumberValue(0, text, true);
        if (fits && whole >= long.MinValue && whole <= long.MaxValue)
        {
            string canonical = ((long)whole).ToString(CultureInfo.InvariantCulture);
            return canonical == text ? From((long)whole) : new NumberValue((long)whole, text, true);
        }
        return new NumberValue(0, text, false) { _exact = exact };
    }

    public override ValueKind Kind => ValueKind.Number;

    public string Text => _text ?? _integer.ToString(CultureInfo.InvariantCulture);

    /// <summary>True for every number that has this exact value, however it was written.</summary>
    public bool TryGetInt64(out long value)
    {
        value = _integer;
        return _isInt64;
    }

    public bool TryGetInt32(out int value)
    {
        value = (int)_integer;
        return _isInt64 && _integer is >= int.MinValue and <= int.MaxValue;
    }

    /// <summary>Whether the text itself is an integer that fits 64 bits, as OPA asks in some places.</summary>
    public bool IsPlainInteger => _isInt64 && _text is null;

    public bool IsInteger => _isInt64 || Exact.Exponent >= 0;

    public BigInteger ToBigInteger() => _isInt64 ? _integer : Exact.Exponent >= 0 ? Exact.Digits * BigInteger.Pow(10, Exact.Exponent)
        : throw new InvalidOperationException("not an integer");

    public double ToDouble() => _isInt64 && _text is null ? _integer : double.Parse(Text, NumberStyles.Float, CultureInfo.InvariantCulture);

    public BigFloat ToBigFloat() => _isInt64 ? BigFloat.From((BigInteger)_integer) : BigFloat.FromDecimal(Exact.Digits, Exact.Exponent);

    public int Sign => _isInt64 ? Math.Sign(_integer) : Exact.Digits.Sign;

    public Decimalized Exact => _exact ??= _isInt64 ? Strip(_integer, 0) : TryDecimalize(_text!)!;

    public override int GetHashCode() => _isInt64 ? HashCode.Combine(4, _integer) : HashCode.Combine(4, Exact.Digits, Exact.Exponent);

    protected override bool EqualsSameKind(Value other)
    {
        var n = (NumberValue)other;
        return _isInt64 == n._isInt64 && (_isInt64 ? _integer == n._integer : Exact == n.Exact);
    }

    protected override int CompareSameKind(Value other)
    {
        var n = (NumberValue)other;
        if (_isInt64 && n._isInt64) return _integer.CompareTo(n._integer);
        Decimalized a = Exact, b = n.Exact;
        if (a.Digits.Sign != b.Digits.Sign) return a.Digits.Sign.CompareTo(b.Digits.Sign);
        if (a.Digits.IsZero) return 0;
        // Magnitudes first, so that unlike exponents never have to be aligned.
        int ma = Length(a.Digits) + a.Exponent, mb = Length(b.Digits) + b.Exponent;
        if (ma != mb) return ma.CompareTo(mb) * a.Digits.Sign;
        int common = Math.Min(a.Exponent, b.Exponent);
        return (a.Digits * BigInteger.Pow(10, a.Exponent - common)).CompareTo(b.Digits * BigInteger.Pow(10, b.Exponent - common));
    }

    static int Length(BigInteger digits) => BigInteger.Abs(digits).ToString(CultureInfo.InvariantCulture).Length;

    static Decimalized Strip(BigInteger digits, int exponent)
    {
        if (digits.IsZero) return new(0, 0);
        // By powers of ten that double: a number of many zeros is not divided once for each.
        for (int step = 1; ;)
        {
            BigInteger quotient = BigInteger.DivRem(digits, BigInteger.Pow(10, step), out BigInteger remainder);
            if (remainder.IsZero)
            {
                digits = quotient;
                exponent += step;
                step *= 2;
            }
            else if (step == 1) return new(digits, exponent);
            else step /= 2;
        }
    }

    static Decimalized? TryDecimalize(string text)
    {
        int e = text.AsSpan().IndexOfAny('e', 'E'), exponent = 0;
        if (e >= 0 && (!int.TryParse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent) || Math.Abs(exponent) > MaxExponent)) return null;
        ReadOnlySpan<char> mantissa = e >= 0 ? text.AsSpan(0, e) : text;
        int dot = mantissa.IndexOf('.');
        if (dot < 0) return Strip(BigInteger.Parse(mantissa, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture), exponent);
        string digits = string.Concat(mantissa[..dot], mantissa[(dot + 1)..]);
        return Strip(BigInteger.Parse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture), exponent - (mantissa.Length - dot - 1));
    }

    // RFC 8259 §6
    static bool IsJsonNumber(ReadOnlySpan<char> s)
    {
        int i = 0;
        if (i < s.Length && s[i] == '-') i++;
        if (i >= s.Length || !char.IsAsciiDigit(s[i])) return false;
        if (s[i] == '0') i++;
        else while (i < s.Length && char.IsAsciiDigit(s[i])) i++;
        if (i < s.Length && s[i] == '.')
        {
            int start = ++i;
            while (i < s.Length && char.IsAsciiDigit(s[i])) i++;
            if (i == start) return false;
        }
        if (i < s.Length && s[i] is 'e' or 'E')
        {
            i++;
            if (i < s.Length && s[i] is '+' or '-') i++;
            int start = i;
            while (i < s.Length && char.IsAsciiDigit(s[i])) i++;
            if (i == start) return false;
        }
        return i == s.Length;
    }
}
