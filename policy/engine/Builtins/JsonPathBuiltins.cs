using System.Globalization;

namespace Talos.Policy;

/// <summary>json.filter, json.remove and json.patch: paths are strings with slashes, or arrays of keys.</summary>
static class JsonPathBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("json.filter", (o, p) => Filter(Operand.Object(o, 1), Paths(p))),
        Builtin.Of("json.remove", (o, p) => Remove(Operand.Object(o, 1), Paths(p))!),
        Builtin.Of("json.patch", (v, p) => Patch(v, Operand.Array(p, 2))),
    ];

    static List<Value[]> Paths(Value v)
    {
        Value[] items = v switch
        {
            ArrayValue a => a.Items,
            SetValue s => s.Members.Sorted,
            _ => throw BuiltinException.Type(2, v, "set", "array"),
        };
        // A path without segments names nothing.
        return [.. items.Select(Path).Where(p => p.Length > 0)];
    }

    // Filters and removals name the elements of arrays by their number as text only.
    static bool Names(Value key, int index) => key is StringValue s && s.Text == index.ToString(CultureInfo.InvariantCulture);

    static Value[] Path(Value v) => v switch
    {
        StringValue s => s.Text.Length == 0 ? [] : [.. s.Text.TrimStart('/').Split('/').Select(p => Value.From(p.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)))],
        ArrayValue a => a.Items,
        _ => throw BuiltinException.Operand(2, $"must be one of {{set, array}} containing string paths or array of path segments but got {v.TypeName}"),
    };

    // Elements of arrays are named by their number, as text or number.
    static int? ArrayIndex(Value key, int count)
    {
        if (key is NumberValue n && n.TryGetInt32(out int i)) return i >= 0 && i < count ? i : null;
        if (key is not StringValue s || s.Text.Length == 0 || (s.Text.Length > 1 && s.Text[0] == '0')) return null;
        return int.TryParse(s.Text, NumberStyles.None, CultureInfo.InvariantCulture, out int parsed) && parsed < count ? parsed : null;
    }

    static Value? Child(Value value, Value key) => value switch
    {
        ArrayValue a => ArrayIndex(key, a.Items.Length) is { } i ? a.Items[i] : null,
        _ => value.Get(key),
    };

    static Value Filter(Value value, List<Value[]> paths)
    {
        if (paths.Exists(p => p.Length == 0)) return value;
        switch (value)
        {
            case ObjectValue o:
                var kept = new Dictionary<Value, Value>();
                foreach ((Value key, Value child) in o.Pairs)
                    if (Below(paths, k => k.Equals(key)) is { Count: > 0 } below) kept[key] = Filter(child, below);
                return ObjectValue.From(kept);
            case ArrayValue a:
                var items = new List<Value>();
                for (int i = 0; i < a.Items.Length; i++)
                    if (Below(paths, k => Names(k, i)) is { Count: > 0 } below) items.Add(Filter(a.Items[i], below));
                return new ArrayValue([.. items]);
            case SetValue s:
                return SetValue.From([.. s.Members.Sorted.Where(m => Below(paths, k => k.Equals(m)).Count > 0).Select(m => Filter(m, Below(paths, k => k.Equals(m))))]);
            default:
                return value;
        }
    }

    static List<Value[]> Below(List<Value[]> paths, Func<Value, bool> matches) => [.. paths.Where(p => p.Length > 0 && matches(p[0])).Select(p => p[1..])];

    static Value? Remove(Value value, List<Value[]> paths)
    {
        if (paths.Exists(p => p.Length == 0)) return null;
        if (paths.Count == 0) return value;
        switch (value)
        {
            case ObjectValue o:
                var kept = new Dictionary<Value, Value>();
                foreach ((Value key, Value child) in o.Pairs)
                    if (Remove(child, Below(paths, k => k.Equals(key))) is { } rest) kept[key] = rest;
                return ObjectValue.From(kept);
            case ArrayValue a:
                return new ArrayValue([.. a.Items.Select((item, i) => Remove(item, Below(paths, k => Names(k, i)))).OfType<Value>()]);
            case SetValue s:
                return SetValue.From([.. s.Members.Sorted.Select(m => Remove(m, Below(paths, k => k.Equals(m)))).OfType<Value>()]);
            default:
                return value;
        }
    }

    // RFC 6902, on sets too: there a member's name is the member. An operation that is not well-formed makes the result undefined, as one that fails.
    static Value? Patch(Value document, Value[] operations)
    {
        Value? value = document;
        foreach (Value operation in operations)
        {
            if (operation is not ObjectValue o || PatchPath(o, "path") is not { } path) return null;
            string op = (o.Get("op") as StringValue)?.Text ?? "";
            if (op is "add" or "replace" or "test" && o.Get("value") is null) return null;
            Value[]? from = op is "move" or "copy" ? PatchPath(o, "from") : null;
            switch (op)
            {
                case "add":
                    value = Set(value, path, o.Get("value")!, true);
                    break;
                case "remove":
                    value = Delete(value, path);
                    break;
                case "replace":
                    if (Find(value, path) is null) return null;
                    value = path.Length == 0 ? o.Get("value")! : Set(Delete(value, path), path, o.Get("value")!, true);
                    break;
                case "move":
                    if (from is null || Find(value, from) is not { } moved) return null;
                    value = path.Length == 0 ? moved : Set(Delete(value, from), path, moved, true);
                    break;
                case "copy":
                    if (from is null || Find(value, from) is not { } copied) return null;
                    value = Set(value, path, copied, true);
                    break;
                case "test":
                    if (Find(value, path) is not { } tested || !tested.Equals(o.Get("value")!)) return null;
                    break;
                default:
                    return null;
            }
            if (value is null) return null;
        }
        return value;
    }

    static Value[]? PatchPath(ObjectValue o, string name) => o.Get(name) is { } path and (StringValue or ArrayValue) ? Path(path) : null;

    static Value? Find(Value? value, ReadOnlySpan<Value> path)
    {
        foreach (Value key in path)
        {
            if (value is null) return null;
            value = Child(value, key);
        }
        return value;
    }

    static Value? Set(Value? value, ReadOnlySpan<Value> path, Value leaf, bool insert)
    {
        if (value is null) return null;
        if (path.Length == 0) return leaf;
        Value key = path[0];
        bool last = path.Length == 1;
        switch (value)
        {
            case ObjectValue o:
                return (last ? leaf : Set(o.Get(key), path[1..], leaf, insert)) is { } child ? o.With(key, child) : null;
            case ArrayValue a:
                if (!last) return ArrayIndex(key, a.Items.Length) is { } at && Set(a.Items[at], path[1..], leaf, insert) is { } item ? Replace(a, at, item) : null;
                int? position = key is StringValue { Text: "-" } ? a.Items.Length : ArrayIndex(key, a.Items.Length + 1);
                return position is { } p ? new ArrayValue([.. a.Items[..p], leaf, .. a.Items[p..]]) : null;
            case SetValue s:
                if (last) return key.Equals(leaf) ? SetValue.From([.. s.Members.Sorted, leaf]) : null;
                if (!s.Contains(key)) return null;
                return Set(key, path[1..], leaf, insert) is { } member ? SetValue.From([.. s.Members.Sorted.Where(m => !m.Equals(key)), member]) : null;
            default:
                return null;
        }
    }

    static ArrayValue Replace(ArrayValue a, int at, Value item)
    {
        var items = (Value[])a.Items.Clone();
        items[at] = item;
        return new ArrayValue(items);
    }

    static Value? Delete(Value? value, ReadOnlySpan<Value> path)
    {
        if (value is null || path.Length == 0) return null;
        Value key = path[0];
        bool last = path.Length == 1;
        switch (value)
        {
            case ObjectValue o:
                if (o.Get(key) is not { } child) return null;
                if (!last) return Delete(child, path[1..]) is { } rest ? o.With(key, rest) : null;
                return ObjectValue.From([.. o.Pairs.Where(p => !p.Key.Equals(key))]);
            case ArrayValue a:
                if (ArrayIndex(key, a.Items.Length) is not { } i) return null;
                if (!last) return Delete(a.Items[i], path[1..]) is { } item ? Replace(a, i, item) : null;
                return new ArrayValue([.. a.Items[..i], .. a.Items[(i + 1)..]]);
            case SetValue s:
                if (!s.Contains(key)) return null;
                IEnumerable<Value> others = s.Members.Sorted.Where(m => !m.Equals(key));
                if (last) return SetValue.From([.. others]);
                return Delete(key, path[1..]) is { } member ? SetValue.From([.. others, member]) : null;
            default:
                return null;
        }
    }
}
