namespace Talos.Policy;

/// <summary>The order of kinds is Rego's order between values of different kinds.</summary>
enum ValueKind
{
    Null = 0,
    Boolean,
    Number,
    String,
    Array,
    Object,
    Set,
}

/// <summary>An immutable Rego value. Undefined is never a value: where it can occur, it is a null reference.</summary>
abstract class Value : IEquatable<Value>, IComparable<Value>
{
    public abstract ValueKind Kind { get; }

    public abstract override int GetHashCode();

    protected abstract bool EqualsSameKind(Value other);

    protected abstract int CompareSameKind(Value other);

    public bool IsFalse => ReferenceEquals(this, BooleanValue.False);

    public bool Equals(Value? other)
    {
        if (ReferenceEquals(this, other)) return true;
        if (this is StringValue s) return other is StringValue t && s.Text == t.Text;
        return other is not null && other.Kind == Kind && EqualsSameKind(other);
    }

    public sealed override bool Equals(object? obj) => obj is Value other && Equals(other);

    public int CompareTo(Value? other) => other is null ? 1 : Compare(this, other);

    public static int Compare(Value a, Value b)
    {
        if (ReferenceEquals(a, b)) return 0;
        return a.Kind == b.Kind ? a.CompareSameKind(b) : a.Kind.CompareTo(b.Kind);
    }

    /// <summary>The value as Rego source, the way OPA prints it.</summary>
    public sealed override string ToString() => ValueText.Format(this);

    public static Value From(bool value) => value ? BooleanValue.True : BooleanValue.False;

    public static Value From(long value) => NumberValue.From(value);

    public static Value From(string value) => new StringValue(value);

    /// <summary>The element under a key; null when there is none. Arrays answer to integers, sets to their members.</summary>
    public virtual Value? Get(Value key) => null;

    public Value? Get(string key) => this is ObjectValue o ? o.Find(key) : null;

    public string TypeName => Kind switch
    {
        ValueKind.Null => "null",
        ValueKind.Boolean => "boolean",
        ValueKind.Number => "number",
        ValueKind.String => "string",
        ValueKind.Array => "array",
        ValueKind.Object => "object",
        ValueKind.Set => "set",
        _ => throw new InvalidOperationException("unknown kind of value"),
    };
}

sealed class NullValue : Value
{
    public static readonly NullValue Instance = new();

    NullValue()
    {
    }

    public override ValueKind Kind => ValueKind.Null;
    public override int GetHashCode() => 1;
    protected override bool EqualsSameKind(Value other) => true;
    protected override int CompareSameKind(Value other) => 0;
}

sealed class BooleanValue : Value
{
    public static readonly BooleanValue True = new(), False = new();

    BooleanValue()
    {
    }

    public override ValueKind Kind => ValueKind.Boolean;
    public override int GetHashCode() => IsFalse ? 2 : 3;
    protected override bool EqualsSameKind(Value other) => false; // equal booleans are the same object
    protected override int CompareSameKind(Value other) => IsFalse ? -1 : 1;
}

sealed class StringValue(string text) : Value
{
    public static readonly StringValue Empty = new("");

    public string Text { get; } = text;

    public override ValueKind Kind => ValueKind.String;
    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);
    protected override bool EqualsSameKind(Value other) => Text == ((StringValue)other).Text;
    protected override int CompareSameKind(Value other) => CompareCodePoints(Text, ((StringValue)other).Text);

    /// <summary>Rego orders strings by their UTF-8 bytes, which is by code points; UTF-16 units order surrogates before U+E000…U+FFFF.</summary>
    public static int CompareCodePoints(string a, string b)
    {
        int common = a.AsSpan().CommonPrefixLength(b);
        if (common == a.Length || common == b.Length) return a.Length.CompareTo(b.Length);
        char x = a[common], y = b[common];
        if (x >= 0xD800 && y >= 0xD800)
        {
            bool xs = char.IsSurrogate(x), ys = char.IsSurrogate(y);
            if (xs != ys) return xs ? 1 : -1;
        }
        return x.CompareTo(y);
    }
}

sealed class ArrayValue(params Value[] items) : Value
{
    public static readonly ArrayValue Empty = new();

    int _hash;

    public Value[] Items { get; } = items;

    public override ValueKind Kind => ValueKind.Array;

    public override int GetHashCode()
    {
        if (_hash != 0) return _hash;
        var hash = new HashCode();
        hash.Add(5);
        foreach (Value item in Items) hash.Add(item.GetHashCode());
        return _hash = hash.ToHashCode() | 1;
    }

    protected override bool EqualsSameKind(Value other) => Items.AsSpan().SequenceEqual(((ArrayValue)other).Items);

    protected override int CompareSameKind(Value other)
    {
        Value[] b = ((ArrayValue)other).Items;
        for (int i = 0; i < Items.Length && i < b.Length; i++)
        {
            int order = Compare(Items[i], b[i]);
            if (order != 0) return order;
        }
        return Items.Length.CompareTo(b.Length);
    }

    public override Value? Get(Value key) => key is NumberValue n && n.TryGetInt64(out long i) && i >= 0 && i < Items.Length ? Items[i] : null;
}
