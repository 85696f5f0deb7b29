using System.Globalization;

namespace Talos.Policy;

/// <summary>
/// A type, in OPA's terms: scalars; arrays with static items and perhaps a dynamic rest; objects with static properties and perhaps dynamic ones; sets;
/// unions; and any. Null stands for a type that is not known yet. Immutable.
/// </summary>
abstract class RegoType
{
    // LIMIT: types of large constants, and types built of each other, become any collection of their kind; what is not known is not an error.
    const int MaxParts = 2048;
    const int MaxUnion = 32;

    /// <summary>How many parts the type is written with, shared ones counted each time.</summary>
    public abstract int Parts { get; }

    public abstract override string ToString();

    public static RegoType Any { get; } = new UnionType([]);
    public static RegoType Null { get; } = new ScalarType(ValueKind.Null);
    public static RegoType Boolean { get; } = new ScalarType(ValueKind.Boolean);
    public static RegoType Number { get; } = new ScalarType(ValueKind.Number);
    public static RegoType String { get; } = new ScalarType(ValueKind.String);
    public static RegoType AnyArray { get; } = new ArrayType([], Any);
    public static RegoType AnyObject { get; } = new ObjectType([], Any, Any);
    public static RegoType AnySet { get; } = new SetType(Any);

    /// <summary>Without items, any array: OPA takes <c>[]</c> for one whose items are not known.</summary>
    public static RegoType ArrayOf(RegoType[] items) => items.Length == 0 ? AnyArray : Bounded(new ArrayType(items, null), AnyArray);

    public static RegoType ArrayOf(RegoType rest) => Bounded(new ArrayType([], rest), AnyArray);

    public static RegoType SetOf(RegoType member) => Bounded(new SetType(member), AnySet);

    public static RegoType ObjectOf(Dictionary<Value, RegoType> properties, RegoType? key, RegoType? value) =>
        properties.Count == 0 && key is null ? AnyObject : Bounded(new ObjectType(properties, key, value), AnyObject);

    public static RegoType Of(Value value) => value switch
    {
        ArrayValue a => ArrayOf([.. a.Items.Select(Of)]),
        ObjectValue o => ObjectOf(o.Pairs.ToDictionary(p => p.Key, p => Of(p.Value)), null, null),
        SetValue s => SetOf(s.Members.Sorted.Select(Of).Aggregate(default(RegoType), Or) ?? Any),
        _ => OfKind(value.Kind),
    };

    public static RegoType OfKind(ValueKind kind) => kind switch
    {
        ValueKind.Null => Null,
        ValueKind.Boolean => Boolean,
        ValueKind.Number => Number,
        ValueKind.String => String,
        ValueKind.Array => AnyArray,
        ValueKind.Object => AnyObject,
        ValueKind.Set => AnySet,
        _ => Any,
    };

    /// <summary>What is one or the other.</summary>
    public static RegoType? Or(RegoType? a, RegoType? b)
    {
        if (a is null || b is null) return a ?? b;
        if (ReferenceEquals(a, b)) return a;
        var members = new List<RegoType>();
        foreach (RegoType member in Members(a).Concat(Members(b)))
        {
            if (ReferenceEquals(member, Any)) return Any;
            if (!members.Exists(m => m.IsSame(member))) members.Add(member);
        }
        if (members.Count == 1) return members[0];
        return members.Count > MaxUnion ? Any : Bounded(new UnionType([.. members]), Any);
    }

    static RegoType[] Members(RegoType type) => type is UnionType { OneOf.Length: > 0 } union ? union.OneOf : [type];

    static RegoType Bounded(RegoType type, RegoType wide) => type.Parts <= MaxParts ? type : wide;

    protected static int Sum(IEnumerable<RegoType> parts) => (int)Math.Min(int.MaxValue, 1 + parts.Sum(p => (long)p.Parts));

    bool IsSame(RegoType other) => (this, other) switch
    {
        _ when ReferenceEquals(this, other) => true,
        _ when Parts != other.Parts => false,
        (ArrayType a, ArrayType b) => a.Items.Length == b.Items.Length && a.Items.Zip(b.Items).All(p => p.First.IsSame(p.Second)) && IsSame(a.Rest, b.Rest),
        (SetType a, SetType b) => a.Member.IsSame(b.Member),
        (ObjectType a, ObjectType b) => a.Properties.Count == b.Properties.Count && IsSame(a.Key, b.Key) && IsSame(a.Value, b.Value)
            && a.Properties.All(p => b.Properties.TryGetValue(p.Key, out RegoType? same) && p.Value.IsSame(same)),
        (UnionType a, UnionType b) => a.OneOf.Length == b.OneOf.Length && a.OneOf.Zip(b.OneOf).All(p => p.First.IsSame(p.Second)),
        _ => false,
    };

    static bool IsSame(RegoType? a, RegoType? b) => a is null || b is null ? ReferenceEquals(a, b) : a.IsSame(b);

    /// <summary>The types that keys of it have; null when it has no members.</summary>
    public RegoType? Keys => this switch
    {
        ArrayType => Number,
        SetType s => s.Member,
        ObjectType o => o.Properties.Keys.Select(Of).Append(o.Key).Aggregate(default(RegoType), Or),
        UnionType { OneOf.Length: 0 } => Any,
        UnionType u => u.OneOf.Select(m => m.Keys).Aggregate(default(RegoType), Or),
        _ => null,
    };

    /// <summary>The types that members of it have.</summary>
    public RegoType? Values => this switch
    {
        ArrayType a => a.Items.Append(a.Rest).Aggregate(default(RegoType), Or),
        SetType s => s.Member,
        ObjectType o => o.Properties.Values.Append(o.Value).Aggregate(default(RegoType), Or),
        UnionType { OneOf.Length: 0 } => Any,
        UnionType u => u.OneOf.Select(m => m.Values).Aggregate(default(RegoType), Or),
        _ => null,
    };

    /// <summary>The type of the member with this key; null when it can have none.</summary>
    public RegoType? Select(Value key) => this switch
    {
        ArrayType a => key is NumberValue n && n.TryGetInt64(out long i) && i >= 0 ? i < a.Items.Length ? a.Items[i] : a.Rest : null,
        SetType s => Unifies(s.Member, Of(key)) ? s.Member : null,
        ObjectType o => o.Properties.TryGetValue(key, out RegoType? property) ? property : o.Key is not null && Unifies(o.Key, Of(key)) ? o.Value : null,
        UnionType { OneOf.Length: 0 } => Any,
        UnionType u => u.OneOf.Select(m => m.Select(key)).Aggregate(default(RegoType), Or),
        _ => null,
    };

    /// <summary>Whether some value can have both types.</summary>
    public static bool Unifies(RegoType? a, RegoType? b)
    {
        // LIMIT: unions of unions; giving up says that they may.
        int budget = 100_000;
        return Unifies(a, b, ref budget);
    }

    static bool Unifies(RegoType? a, RegoType? b, ref int budget)
    {
        if (a is null || b is null) return false;
        if (ReferenceEquals(a, b) || --budget <= 0) return true;
        if (a is UnionType union) return UnifiesMember(union, b, ref budget);
        if (b is UnionType other) return UnifiesMember(other, a, ref budget);
        return (a, b) switch
        {
            (ScalarType x, ScalarType y) => x.Kind == y.Kind,
            (SetType x, SetType y) => Unifies(x.Member, y.Member, ref budget),
            (ArrayType x, ArrayType y) => UnifiesItems(x, y, ref budget) && UnifiesItems(y, x, ref budget) && UnifiesRest(x.Rest, y.Rest, ref budget),
            (ObjectType x, ObjectType y) => UnifiesProperties(x, y, ref budget) && UnifiesProperties(y, x, ref budget)
                && UnifiesRest(x.Value, y.Value, ref budget),
            _ => false,
        };
    }

    static bool UnifiesMember(UnionType union, RegoType other, ref int budget)
    {
        foreach (RegoType member in union.OneOf)
            if (Unifies(member, other, ref budget)) return true;
        return union.OneOf.Length == 0;
    }

    static bool UnifiesItems(ArrayType a, ArrayType b, ref int budget)
    {
        for (int i = 0; i < a.Items.Length; i++)
            if (!Unifies(a.Items[i], i < b.Items.Length ? b.Items[i] : b.Rest, ref budget)) return false;
        return true;
    }

    static bool UnifiesProperties(ObjectType a, ObjectType b, ref int budget)
    {
        foreach ((Value key, RegoType type) in a.Properties)
            if (!Unifies(type, b.Select(key), ref budget)) return false;
        return true;
    }

    static bool UnifiesRest(RegoType? a, RegoType? b, ref int budget) => a is null || b is null || Unifies(a, b, ref budget);
}

sealed class ScalarType(ValueKind kind) : RegoType
{
    public ValueKind Kind { get; } = kind;

    public override int Parts => 1;

    public override string ToString() => Kind.ToString().ToLowerInvariant();
}

sealed class ArrayType(RegoType[] items, RegoType? rest) : RegoType
{
    public RegoType[] Items { get; } = items;
    public RegoType? Rest { get; } = rest;

    public override int Parts { get; } = Sum(items.Append(rest).OfType<RegoType>());

    public override string ToString() => Items.Length > 0 ? $"array<{string.Join(", ", (object[])Items)}>" : $"array[{Rest}]";
}

sealed class SetType(RegoType member) : RegoType
{
    public RegoType Member { get; } = member;

    public override int Parts { get; } = 1 + member.Parts;

    public override string ToString() => $"set[{Member}]";
}

sealed class ObjectType(Dictionary<Value, RegoType> properties, RegoType? key, RegoType? value) : RegoType
{
    public Dictionary<Value, RegoType> Properties { get; } = properties;
    public RegoType? Key { get; } = key;
    public RegoType? Value { get; } = value;

    public override int Parts { get; } = Sum(properties.Values.Append(key).Append(value).OfType<RegoType>());

    public override string ToString()
    {
        string known = string.Join(", ", Properties.OrderBy(p => p.Key).Select(p => string.Create(CultureInfo.InvariantCulture, $"{Name(p.Key)}: {p.Value}")));
        string open = Key is null ? "" : $"[{Key}: {Value}]";
        return $"object{(known.Length > 0 || open.Length == 0 ? $"<{known}>" : "")}{open}";
    }

    static string Name(Value key) => key is StringValue s ? s.Text : ValueText.Format(key);
}

/// <summary>One of several types, none of them a union; of none, any.</summary>
sealed class UnionType(RegoType[] of) : RegoType
{
    public RegoType[] OneOf { get; } = of;

    public override int Parts { get; } = Sum(of);

    public override string ToString() => OneOf.Length == 0 ? "any" : string.Join(" or ", (object[])OneOf);
}
