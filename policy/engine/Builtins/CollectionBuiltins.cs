namespace Talos.Policy;

/// <summary>Sets and arrays.</summary>
static class CollectionBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("and", (a, b) =>
        {
            SetValue x = Operand.Set(a, 1), y = Operand.Set(b, 2);
            return SetValue.From([.. x.Members.Sorted.Where(y.Contains)]);
        }),
        Builtin.Of("or", (a, b) => SetValue.From([.. Operand.Set(a, 1).Members.Sorted, .. Operand.Set(b, 2).Members.Sorted])),
        Builtin.Of("set_diff", (a, b) =>
        {
            SetValue x = Operand.Set(a, 1), y = Operand.Set(b, 2);
            return SetValue.From([.. x.Members.Sorted.Where(m => !y.Contains(m))]);
        }),
        Builtin.Of("intersection", Intersection),
        Builtin.Of("union", Union),
        Builtin.Of("array.concat", (a, b) =>
        {
            Value[] x = Operand.Array(a, 1), y = Operand.Array(b, 2);
            Evaluation.Reserve(8 * ((long)x.Length + y.Length));
            return new ArrayValue([.. x, .. y]);
        }),
        Builtin.Of("array.reverse", a => new ArrayValue([.. Operand.Array(a, 1).Reverse()])),
        Builtin.Of("array.slice", Slice),
        Builtin.Of("array.flatten", a => new ArrayValue([.. Flatten(Operand.Array(a, 1))])),
    ];

    static SetValue[] Sets(Value v) => [.. Operand.Set(v, 1).Members.Sorted.Select(m => m as SetValue ?? throw BuiltinException.Element(1, v, m, "set"))];

    static SetValue Intersection(Value v)
    {
        SetValue[] sets = Sets(v);
        return sets.Length == 0 ? SetValue.Empty : SetValue.From([.. sets[0].Members.Sorted.Where(m => sets.All(s => s.Contains(m)))]);
    }

    static SetValue Union(Value v) => SetValue.From([.. Sets(v).SelectMany(s => s.Members.Sorted)]);

    static ArrayValue Slice(Value v, Value from, Value to)
    {
        Value[] items = Operand.Array(v, 1);
        int start = Math.Clamp(Operand.Int(from, 2), 0, items.Length), stop = Math.Clamp(Operand.Int(to, 3), 0, items.Length);
        return stop <= start ? ArrayValue.Empty : new ArrayValue(items[start..stop]);
    }

    // One level, as OPA does.
    static IEnumerable<Value> Flatten(Value[] items)
    {
        foreach (Value item in items)
        {
            if (item is ArrayValue a)
            {
                foreach (Value inner in a.Items) yield return inner;
            }
            else yield return item;
        }
    }
}
