using System.Diagnostics.CodeAnalysis;

namespace Talos.Policy;

/// <summary>Keys in Rego's order; objects with the same keys can share them.</summary>
sealed class ObjectValue : Value
{
    public static readonly ObjectValue Empty = new(KeySet.Empty, []);

    int _hash;

    public ObjectValue(KeySet keys, Value[] values)
    {
        Keys = keys;
        Values = values;
    }

    public KeySet Keys { get; }

    /// <summary>Parallel to the sorted keys.</summary>
    public Value[] Values { get; }

    public int Count => Values.Length;

    public static ObjectValue From(IReadOnlyCollection<KeyValuePair<Value, Value>> distinct)
    {
        if (distinct.Count == 0) return Empty;
        var keys = new Value[distinct.Count];
        var values = new Value[distinct.Count];
        int i = 0;
        foreach ((Value key, Value value) in distinct) (keys[i], values[i++]) = (key, value);
        Array.Sort(keys, values, Comparer<Value>.Default);
        return new ObjectValue(KeySet.FromSorted(keys), values);
    }

    public static ObjectValue From(params ReadOnlySpan<(string Key, Value Value)> distinct)
    {
        var map = new Dictionary<Value, Value>(distinct.Length);
        foreach ((string key, Value value) in distinct) map[new StringValue(key)] = value;
        return From(map);
    }

    public override ValueKind Kind => ValueKind.Object;

    public override Value? Get(Value key)
    {
        int i = Keys.IndexOf(key);
        return i < 0 ? null : Values[i];
    }

    public Value? Find(string key)
    {
        int i = Keys.IndexOf(key);
        return i < 0 ? null : Values[i];
    }

    public bool TryGet(Value key, [NotNullWhen(true)] out Value? value) => (value = Get(key)) is not null;

    public IEnumerable<KeyValuePair<Value, Value>> Pairs
    {
        get
        {
            for (int i = 0; i < Values.Length; i++) yield return new(Keys.Sorted[i], Values[i]);
        }
    }

    public Dictionary<Value, Value> ToDictionary() => new(Pairs);

    public ObjectValue With(Value key, Value value)
    {
        int i = Keys.IndexOf(key);
        if (i < 0)
        {
            Dictionary<Value, Value> map = ToDictionary();
            map.Add(key, value);
            return From(map);
        }
        var values = (Value[])Values.Clone();
        values[i] = value;
        return new ObjectValue(Keys, values);
    }

    public override int GetHashCode()
    {
        if (_hash != 0) return _hash;
        var hash = new HashCode();
        hash.Add(Keys.GetHashCode());
        foreach (Value value in Values) hash.Add(value.GetHashCode());
        return _hash = hash.ToHashCode() | 1;
    }

    protected override bool EqualsSameKind(Value other)
    {
        var o = (ObjectValue)other;
        return Keys.SameAs(o.Keys) && Values.AsSpan().SequenceEqual(o.Values);
    }

    // Pairwise: the smaller first differing key decides, then the value under it, then the number of keys.
    protected override int CompareSameKind(Value other)
    {
        var o = (ObjectValue)other;
        for (int i = 0; i < Values.Length && i < o.Values.Length; i++)
        {
            int order = Compare(Keys.Sorted[i], o.Keys.Sorted[i]);
            if (order == 0) order = Compare(Values[i], o.Values[i]);
            if (order != 0) return order;
        }
        return Values.Length.CompareTo(o.Values.Length);
    }
}

sealed class SetValue(KeySet members) : Value
{
    public static readonly SetValue Empty = new(KeySet.Empty);

    public KeySet Members { get; } = members;

    public int Count => Members.Count;

    public static SetValue From(IReadOnlyCollection<Value> values) =>
        values.Count == 0 ? Empty : new(KeySet.FromUnsorted([.. values]));

    public bool Contains(Value value) => Members.Contains(value);

    public override ValueKind Kind => ValueKind.Set;
    public override int GetHashCode() => Members.GetHashCode() ^ 7;
    protected override bool EqualsSameKind(Value other) => Members.SameAs(((SetValue)other).Members);
    protected override int CompareSameKind(Value other) => KeySet.Compare(Members, ((SetValue)other).Members);
    public override Value? Get(Value key) => Members.IndexOf(key) is >= 0 and int i ? Members.Sorted[i] : null;
}
