using System.Numerics;
using System.Text;

namespace Talos.Policy;

static class AggregateBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("count", Count),
        Builtin.Of("sum", v => Fold(v, 0, (x, y) => x + y, (x, y) => x + y)),
        Builtin.Of("product", v => Fold(v, 1, NumberBuiltins.Times, (x, y) => x * y)),
        Builtin.Of("max", v => Items(v) is { Length: > 0 } items ? items.Max() : null),
        Builtin.Of("min", v => Items(v) is { Length: > 0 } items ? items.Min() : null),
        Builtin.Of("all", v => Value.From(Items(v).All(i => i == BooleanValue.True))),
        Builtin.Of("any", v => Value.From(Items(v).Any(i => i == BooleanValue.True))),
        Builtin.Of("sort", Sort),
        Builtin.Of("internal.print", _ => BooleanValue.True),
        Builtin.Of("internal.template_string", Template),
        Builtin.Of("trace", _ => BooleanValue.True),
    ];

    // What a template string is to OPA's evaluator: parts in sets, of which an empty one is undefined.
    static Value Template(Value v)
    {
        var text = new StringBuilder();
        foreach (Value part in Operand.Array(v, 1))
        {
            Value? value = part is SetValue { Count: <= 1 } set ? set.Members.Sorted.FirstOrDefault() : part;
            if (value is SetValue && part == value) throw new EvaluationException("eval_conflict_error", "template-strings must not produce multiple outputs");
            text.Append(value switch { null => "<undefined>", StringValue s => s.Text, _ => value.ToString() });
        }
        return Value.From(text.ToString());
    }

    static NumberValue Count(Value v) => NumberValue.From(v switch
    {
        ArrayValue a => a.Items.Length,
        ObjectValue o => o.Count,
        SetValue s => s.Count,
        StringValue s => s.Text.EnumerateRunes().Count(),
        _ => throw BuiltinException.Type(1, v, "array", "object", "set", "string"),
    });

    // A set is in order already.
    static ArrayValue Sort(Value v)
    {
        Value[] items = Items(v);
        if (items.Length == 0) return ArrayValue.Empty;
        items = [.. items];
        if (v is ArrayValue) Array.Sort(items, Value.Compare);
        return new ArrayValue(items);
    }

    static Value[] Items(Value v) => v switch
    {
        ArrayValue a => a.Items,
        SetValue s => s.Members.Sorted,
        _ => throw BuiltinException.Type(1, v, "set", "array"),
    };

    static NumberValue Fold(Value v, int start, Func<BigInteger, BigInteger, BigInteger> exact, Func<BigFloat, BigFloat, BigFloat> inexact)
    {
        Value[] items = Items(v);
        BigInteger whole = start;
        for (int i = 0; i < items.Length; i++)
        {
            if (items[i] is not NumberValue n) throw BuiltinException.Element(1, v, items[i], "number");
            if (n.IsInteger)
            {
                whole = exact(whole, n.ToBigInteger());
                continue;
            }
            BigFloat total = BigFloat.From(whole);
            foreach (Value rest in items.AsSpan(i)) total = inexact(total, (rest as NumberValue ?? throw BuiltinException.Element(1, v, rest, "number")).ToBigFloat());
            return NumberValue.From(total);
        }
        return NumberValue.From(whole);
    }
}
