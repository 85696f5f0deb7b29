using System.Globalization;
using System.Numerics;
using System.Text;

namespace Talos.Policy;

/// <summary>
/// Binary floating point with a 64-bit mantissa, rounded to nearest even: the arithmetic that OPA does on numbers (Go's
/// math/big.Float at its default precision), so that results have the same digits.
/// </summary>
readonly struct BigFloat
{
    const int Precision = 64;

    readonly BigInteger _mantissa;
    readonly int _exponent;

    BigFloat(BigInteger mantissa, int exponent)
    {
        _mantissa = mantissa;
        _exponent = exponent;
    }

    public bool IsZero => _mantissa.IsZero;
    public int Sign => _mantissa.Sign;
    public bool IsInteger => _exponent >= 0 || _mantissa.IsZero || (_mantissa & ((BigInteger.One << -_exponent) - 1)).IsZero;

    public static BigFloat From(BigInteger value) => Round(value, 0, false);

    public static BigFloat From(double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int exponent = (int)(bits >> 52 & 0x7FF);
        long mantissa = bits & 0xFFFFFFFFFFFFF;
        if (exponent == 0) exponent++;
        else mantissa |= 1L << 52;
        return Round(bits < 0 ? -mantissa : mantissa, exponent - 1075, false);
    }

    public static BigFloat FromDecimal(BigInteger digits, int exponent10)
    {
        if (exponent10 >= 0) return Round(digits * BigInteger.Pow(10, exponent10), 0, false);
        return Divide(digits, BigInteger.Pow(10, -exponent10), 0);
    }

    public static BigFloat operator +(BigFloat a, BigFloat b)
    {
        int exponent = Math.Min(a._exponent, b._exponent);
        return Round((a._mantissa << (a._exponent - exponent)) + (b._mantissa << (b._exponent - exponent)), exponent, false);
    }

    public static BigFloat operator -(BigFloat a) => new(-a._mantissa, a._exponent);

    public static BigFloat operator -(BigFloat a, BigFloat b) => a + -b;

    public static BigFloat operator *(BigFloat a, BigFloat b) => Round(a._mantissa * b._mantissa, a._exponent + b._exponent, false);

    public static BigFloat operator /(BigFloat a, BigFloat b) => Divide(a._mantissa, b._mantissa, a._exponent - b._exponent);

    /// <summary>Rounded towards zero.</summary>
    public BigInteger Truncate() => _exponent >= 0 ? _mantissa << _exponent
        : BigInteger.Abs(_mantissa) >> -_exponent is var magnitude && _mantissa.Sign < 0 ? -magnitude : BigInteger.Abs(_mantissa) >> -_exponent;

    /// <summary>Rounded towards minus infinity.</summary>
    public BigInteger Floor() => _exponent >= 0 ? _mantissa << _exponent : _mantissa >> -_exponent;

    static BigFloat Divide(BigInteger a, BigInteger b, int exponent)
    {
        if (a.IsZero) return default;
        int shift = Math.Max(0, Precision + 2 - (int)(Bits(a) - Bits(b)));
        BigInteger quotient = BigInteger.DivRem(a << shift, b, out BigInteger remainder);
        return Round(quotient, exponent - shift, !remainder.IsZero);
    }

    static long Bits(BigInteger value) => (long)BigInteger.Abs(value).GetBitLength();

    // `sticky`: bits below the given ones are not all zero.
    static BigFloat Round(BigInteger value, int exponent, bool sticky)
    {
        if (value.IsZero) return default;
        bool negative = value.Sign < 0;
        BigInteger magnitude = BigInteger.Abs(value);
        int excess = (int)magnitude.GetBitLength() - Precision;
        if (excess > 0)
        {
            BigInteger half = BigInteger.One << (excess - 1), rest = magnitude & ((BigInteger.One << excess) - 1);
            magnitude >>= excess;
            exponent += excess;
            if (rest > half || (rest == half && (sticky || !magnitude.IsEven))) magnitude++;
        }
        return new(negative ? -magnitude : magnitude, exponent);
    }

    /// <summary>The shortest decimal that reads back as the same value; plain for integers, `%g` otherwise, as OPA prints results.</summary>
    public string ToNumberText()
    {
        if (IsZero) return "0";
        (string digits, int point) = ShortestDigits();
        string sign = Sign < 0 ? "-" : "";
        if (IsInteger) return sign + (point >= digits.Length ? digits + new string('0', point - digits.Length) : digits[..point] + "." + digits[point..]);
        int e = point - 1;
        if (e is < -4 or >= 6)
        {
            var text = new StringBuilder(sign).Append(digits[0]);
            if (digits.Length > 1) text.Append('.').Append(digits, 1, digits.Length - 1);
            return text.Append('e').Append(e < 0 ? '-' : '+').Append(Math.Abs(e).ToString("00", CultureInfo.InvariantCulture)).ToString();
        }
        if (point <= 0) return sign + "0." + new string('0', -point) + digits;
        return point >= digits.Length ? sign + digits + new string('0', point - digits.Length) : sign + digits[..point] + "." + digits[point..];
    }

    // Digits d1d2…dn and the position of the point: value = 0.d1d2…dn × 10^point.
    (string Digits, int Point) ShortestDigits()
    {
        BigInteger mantissa = BigInteger.Abs(_mantissa);
        int exponent = _exponent;
        int missing = Precision - (int)mantissa.GetBitLength();
        if (missing > 0) (mantissa, exponent) = (mantissa << missing, exponent - missing);
        // Bounds half-way to the neighbours, in units of 2^(exponent-2).
        bool powerOfTwo = mantissa == BigInteger.One << (Precision - 1);
        BigInteger value = mantissa << 2, lower = value - (powerOfTwo ? 1 : 2), upper = value + 2;
        int scale = 0;
        exponent -= 2;
        if (exponent >= 0) (value, lower, upper) = (value << exponent, lower << exponent, upper << exponent);
        else
        {
            BigInteger five = BigInteger.Pow(5, -exponent);
            (value, lower, upper, scale) = (value * five, lower * five, upper * five, exponent);
        }
        string v = value.ToString(CultureInfo.InvariantCulture);
        string lo = lower.ToString(CultureInfo.InvariantCulture).PadLeft(v.Length, '0'), hi = upper.ToString(CultureInfo.InvariantCulture);
        int point = v.Length + scale;
        if (hi.Length > v.Length) (v, lo, point) = (v.PadLeft(hi.Length, '0'), lo.PadLeft(hi.Length, '0'), point + 1);
        bool inclusive = mantissa.IsEven;
        for (int i = 1; i <= v.Length; i++)
        {
            BigInteger unit = BigInteger.Pow(10, v.Length - i);
            BigInteger down = value / unit * unit, up = down + unit;
            if (down == value) return Trim(v[..i], point);
            bool okDown = inclusive ? down >= lower : down > lower, okUp = inclusive ? up <= upper : up < upper;
            if (!okDown && !okUp) continue;
            BigInteger twice = (value - down) * 2;
            BigInteger chosen = okDown && okUp ? (twice < unit || (twice == unit && (down / unit).IsEven) ? down : up) : okDown ? down : up;
            string text = chosen.ToString(CultureInfo.InvariantCulture);
            return Trim(text, point + text.Length - v.Length);
        }
        return Trim(v, point);
    }

    static (string, int) Trim(string digits, int point)
    {
        int zeros = 0;
        while (zeros < digits.Length - 1 && digits[zeros] == '0') zeros++;
        string trimmed = digits[zeros..].TrimEnd('0');
        return (trimmed.Length == 0 ? "0" : trimmed, point - zeros);
    }
}
