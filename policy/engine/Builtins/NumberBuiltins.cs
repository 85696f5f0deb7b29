using System.Numerics;
using System.Security.Cryptography;

namespace Talos.Policy;

/// <summary>Arithmetic: exact between integers, 64-bit mantissa otherwise, as in OPA.</summary>
static class NumberBuiltins
{
    // LIMIT: elements of a range.
    const int MaxRange = 1_000_000;

    // LIMIT: bits by which a number may be shifted.
    const int MaxShift = 100_000;

    // LIMIT: bits of an integer that arithmetic may make.
    const long MaxBits = 400_000;

    /// <summary>The same number, unless it is larger than arithmetic may make it.</summary>
    public static BigInteger Bounded(BigInteger number, long bits = 0) => Math.Max(number.GetBitLength(), bits) <= MaxBits ? number : throw Evaluation.Limit("numbers");

    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("plus", (a, b) => Arithmetic(a, b, (x, y) => x + y, (x, y) => x + y, (x, y) => x + y)),
        Builtin.Of("minus", Minus),
        Builtin.Of("mul", (a, b) => Arithmetic(a, b, (x, y) => x * y, Times, (x, y) => x * y)),
        Builtin.Of("div", Divide),
        Builtin.Of("rem", Remainder),
        Builtin.Of("abs", a => Unary(a, BigInteger.Abs, x => x.Sign < 0 ? NumberValue.From(-x) : (NumberValue)a)),
        Builtin.Of("round", a => Unary(a, x => x, x => NumberValue.From(x.Sign < 0 ? (x - BigFloat.From(0.5)).Truncate() : (x + BigFloat.From(0.5)).Truncate()))),
        Builtin.Of("ceil", a => Unary(a, x => x, x => NumberValue.From(-(-x).Floor()))),
        Builtin.Of("floor", a => Unary(a, x => x, x => NumberValue.From(x.Floor()))),
        Builtin.Of("numbers.range", (a, b) => Range(a, b, BigInteger.One)),
        Builtin.Of("numbers.range_step", RangeStep),
        Builtin.Of("bits.or", (a, b) => NumberValue.From(Operand.BigInt(a, 1) | Operand.BigInt(b, 2))),
        Builtin.Of("bits.and", (a, b) => NumberValue.From(Operand.BigInt(a, 1) & Operand.BigInt(b, 2))),
        Builtin.Of("bits.xor", (a, b) => NumberValue.From(Operand.BigInt(a, 1) ^ Operand.BigInt(b, 2))),
        Builtin.Of("bits.negate", a => NumberValue.From(-Operand.BigInt(a, 1) - 1)),
        Builtin.Of("bits.lsh", (a, b) => Operand.BigInt(a, 1) is var x && Shift(b) is var by ? NumberValue.From(Bounded(x, x.GetBitLength() + by) << by) : null),
        Builtin.Of("bits.rsh", (a, b) => NumberValue.From(Operand.BigInt(a, 1) >> Shift(b))),
        new("rand.intn", 2, RandomNumber),
    ];

    // Two of 64 bits give at most one of 128, and mostly one of 64 again.
    static NumberValue Arithmetic(
        Value a, Value b, Func<Int128, Int128, Int128> small, Func<BigInteger, BigInteger, BigInteger> exact, Func<BigFloat, BigFloat, BigFloat> inexact)
    {
        NumberValue x = Operand.Number(a, 1), y = Operand.Number(b, 2);
        if (x.TryGetInt64(out long i) && y.TryGetInt64(out long j) && small(i, j) is var result && result >= long.MinValue && result <= long.MaxValue)
            return NumberValue.From((long)result);
        return x.IsInteger && y.IsInteger ? NumberValue.From(exact(x.ToBigInteger(), y.ToBigInteger())) : NumberValue.From(inexact(x.ToBigFloat(), y.ToBigFloat()));
    }

    static Value Minus(Value a, Value b)
    {
        if (a is NumberValue && b is NumberValue) return Arithmetic(a, b, (x, y) => x - y, (x, y) => x - y, (x, y) => x - y);
        if (a is SetValue s && b is SetValue t) return SetValue.From([.. s.Members.Sorted.Where(v => !t.Contains(v))]);
        if (a is not (NumberValue or SetValue)) throw BuiltinException.Type(1, a, "number", "set");
        throw BuiltinException.Type(2, b, b is NumberValue ? "set" : "number");
    }

    static NumberValue Divide(Value a, Value b)
    {
        NumberValue x = Operand.Number(a, 1), y = Operand.Number(b, 2);
        if (y.Sign == 0) throw new BuiltinException("divide by zero");
        if (x.TryGetInt64(out long i) && y.TryGetInt64(out long j) && i != long.MinValue && i % j == 0) return NumberValue.From(i / j);
        return NumberValue.From(x.ToBigFloat() / y.ToBigFloat());
    }

    static NumberValue Remainder(Value a, Value b)
    {
        NumberValue x = Operand.Number(a, 1), y = Operand.Number(b, 2);
        if (!x.IsInteger || !y.IsInteger) throw new BuiltinException("modulo on floating-point number");
        if (y.Sign == 0) throw new BuiltinException("modulo by zero");
        return NumberValue.From(BigInteger.Remainder(x.ToBigInteger(), y.ToBigInteger()));
    }

    static NumberValue Unary(Value a, Func<BigInteger, BigInteger> exact, Func<BigFloat, NumberValue> inexact)
    {
        NumberValue x = Operand.Number(a, 1);
        return x.IsInteger ? NumberValue.From(exact(x.ToBigInteger())) : inexact(x.ToBigFloat());
    }

    public static BigInteger Times(BigInteger x, BigInteger y) => Bounded(x, x.GetBitLength() + y.GetBitLength()) * y;

    static int Shift(Value b)
    {
        BigInteger shift = Operand.BigInt(b, 2);
        if (shift.Sign < 0) throw BuiltinException.Operand(2, "must be an unsigned integer number but got a negative integer");
        return shift <= MaxShift ? (int)shift : throw new BuiltinException($"a shift is at most {MaxShift} bits");
    }

    static ArrayValue RangeStep(Value a, Value b, Value step)
    {
        BigInteger by = Operand.BigInt(step, 3);
        return by.Sign > 0 ? Range(a, b, by) : throw new BuiltinException("numbers.range_step: step must be a positive integer");
    }

    static ArrayValue Range(Value a, Value b, BigInteger step)
    {
        BigInteger from = Operand.BigInt(a, 1), to = Operand.BigInt(b, 2), count = BigInteger.Abs(to - from) / step + 1;
        if (count > MaxRange) throw new EvaluationException("eval_cancel_error", $"a range has at most {MaxRange} numbers");
        if (to < from) step = -step;
        var items = new Value[(int)count];
        for (int i = 0; i < items.Length; i++, from += step) items[i] = NumberValue.From(from);
        return new ArrayValue(items);
    }

    static Value RandomNumber(Evaluation e, Value[] args)
    {
        string seed = Operand.Text(args[0], 1);
        if (!Operand.Number(args[1], 2).TryGetInt64(out long given)) throw BuiltinException.Operand(2, "must be integer number but got floating-point number");
        UInt128 bound = (UInt128)Int128.Abs(given);
        if (bound == 0) return NumberValue.From(0);
        string key = $"rand.intn:{seed}:{bound}";
        // 64 bits more than the bound has: no number is noticeably likelier than another.
        if (!e.Memo.TryGetValue(key, out Value? value))
            e.Memo.Add(key, value = NumberValue.From((long)(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(RandomNumberGenerator.GetBytes(16)) % bound)));
        return value;
    }
}
