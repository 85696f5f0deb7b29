namespace Talos.Policy;

/// <summary>
/// A package, or the part of a rule tree above its rules: evaluated key by key, only as far as someone looks. Lives
/// inside one evaluation; whoever keeps a value forces it into a whole object first.
/// </summary>
sealed class VirtualDoc(Evaluation evaluation, DocNode node, Value? below) : Value
{
    public override ValueKind Kind => ValueKind.Object;

    public override Value? Get(Value key)
    {
        if (node.Children.TryGetValue(key, out DocNode? child) && !evaluation.IsMasked(child))
        {
            if (child.HasRules) return child.IsFunction ? null : evaluation.Rule(child);
            return new VirtualDoc(evaluation, child, below?.Get(key));
        }
        return below?.Get(key);
    }

    public IEnumerable<Value> Keys()
    {
        var keys = new List<Value>();
        foreach ((Value key, DocNode child) in node.Children)
            if (!evaluation.IsMasked(child) && !child.IsFunction) keys.Add(key);
        if (below is ObjectValue o)
            foreach (Value key in o.Keys.Sorted)
                if (!node.Children.ContainsKey(key) || !keys.Contains(key)) keys.Add(key);
        keys.Sort(Compare);
        return keys;
    }

    public Value Force()
    {
        evaluation.CheckStack();
        var members = new Dictionary<Value, Value>();
        foreach (Value key in Keys())
            if (Get(key) is { } value) members[key] = value is VirtualDoc doc ? doc.Force() : value;
        return ObjectValue.From(members);
    }

    public override int GetHashCode() => Force().GetHashCode();
    protected override bool EqualsSameKind(Value other) => Force().Equals(other);
    protected override int CompareSameKind(Value other) => Compare(Force(), other);
}
