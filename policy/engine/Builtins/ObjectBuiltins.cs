namespace Talos.Policy;

static class ObjectBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("object.get", Get),
        Builtin.Of("object.keys", o => new SetValue(Operand.Object(o, 1).Keys)),
        Builtin.Of("object.remove", (o, k) =>
        {
            HashSet<Value> keys = Keys(k);
            return ObjectValue.From([.. Operand.Object(o, 1).Pairs.Where(p => !keys.Contains(p.Key))]);
        }),
        Builtin.Of("object.filter", (o, k) =>
        {
            HashSet<Value> keys = Keys(k);
            return ObjectValue.From([.. Operand.Object(o, 1).Pairs.Where(p => keys.Contains(p.Key))]);
        }),
        Builtin.Of("object.union", (a, b) => Merge(Operand.Object(a, 1), Operand.Object(b, 2))),
        Builtin.Of("object.union_n", UnionAll),
        Builtin.Of("object.subset", Subset),
    ];

    static Value Get(Value o, Value key, Value fallback)
    {
        ObjectValue obj = Operand.Object(o, 1);
        if (key is not ArrayValue path) return obj.Get(key) ?? fallback;
        Value? value = obj;
        foreach (Value part in path.Items)
        {
            value = value.Get(part);
            if (value is null) return fallback;
        }
        return value;
    }

    static HashSet<Value> Keys(Value k) => k switch
    {
        ArrayValue a => [.. a.Items],
        SetValue s => [.. s.Members.Sorted],
        ObjectValue o => [.. o.Keys.Sorted],
        _ => throw BuiltinException.Type(2, k, "object", "set", "array"),
    };

    public static ObjectValue Merge(ObjectValue a, ObjectValue b)
    {
        if (b.Count == 0) return a;
        if (a.Count == 0) return b;
        ReadOnlySpan<Value> before = a.Keys.Sorted, after = b.Keys.Sorted;
        var keys = new Value[before.Length + after.Length];
        var values = new Value[keys.Length];
        int i = 0, j = 0, count = 0;
        while (i < before.Length || j < after.Length)
        {
            int order = i == before.Length ? 1 : j == after.Length ? -1 : Value.Compare(before[i], after[j]);
            keys[count] = order <= 0 ? before[i] : after[j];
            values[count++] = order < 0 ? a.Values[i] : order == 0 && a.Values[i] is ObjectValue x && b.Values[j] is ObjectValue y ? Merge(x, y) : b.Values[j];
            if (order <= 0) i++;
            if (order >= 0) j++;
        }
        return count == keys.Length ? new ObjectValue(KeySet.FromSorted(keys), values) : new ObjectValue(KeySet.FromSorted(keys[..count]), values[..count]);
    }

    static ObjectValue UnionAll(Value v)
    {
        ObjectValue result = ObjectValue.Empty;
        foreach (Value item in Operand.Array(v, 1)) result = Merge(result, item as ObjectValue ?? throw BuiltinException.Element(1, v, item, "object"));
        return result;
    }

    static BooleanValue? Subset(Value super, Value sub) => (super, sub) switch
    {
        (ObjectValue x, ObjectValue y) => (BooleanValue)Value.From(Contains(x, y)),
        (SetValue x, SetValue y) => (BooleanValue)Value.From(y.Members.Sorted.All(x.Contains)),
        (ArrayValue x, ArrayValue y) => (BooleanValue)Value.From(ContainsRun(x.Items, y.Items)),
        (ArrayValue x, SetValue y) => (BooleanValue)Value.From(y.Members.Sorted.All(m => Array.IndexOf(x.Items, m) >= 0)),
        _ => throw new BuiltinException("both arguments object.subset must be of the same type or array and set"),
    };

    static bool Contains(ObjectValue super, ObjectValue sub)
    {
        foreach ((Value key, Value value) in sub.Pairs)
        {
            if (super.Get(key) is not { } found) return false;
            bool ok = (found, value) switch
            {
                (ObjectValue x, ObjectValue y) => Contains(x, y),
                (SetValue x, SetValue y) => y.Members.Sorted.All(x.Contains),
                (ArrayValue x, ArrayValue y) => ContainsRun(x.Items, y.Items),
                _ => found.Equals(value),
            };
            if (!ok) return false;
        }
        return true;
    }

    static bool ContainsRun(Value[] super, Value[] sub) => sub.Length == 0 || super.AsSpan().IndexOf(sub) >= 0;
}
