using System.Text;
using System.Text.Json;

namespace Talos.Policy;

/// <summary>
/// Reads JSON into values with little memory: equal short strings are one object, and objects with the same keys share
/// them.
/// </summary>
ref struct JsonLoader
{
    // Longer strings are rarely equal.
    const int MaxShared = 32;

    // Beyond so many, the table would cost more than it saves.
    const int MaxStrings = 1 << 16;

    Utf8JsonReader _reader;
    readonly Dictionary<ulong, StringValue> _strings;
    readonly Dictionary<Shape, (KeySet Keys, int[] Order)> _shapes;
    Value[] _stack;
    int _top;

    JsonLoader(ReadOnlySpan<byte> json)
    {
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = ValueJson.MaxDepth });
        _strings = [];
        _shapes = [];
        _stack = new Value[64];
        _top = 0;
    }

    public static Value Load(ReadOnlySpan<byte> json)
    {
        var loader = new JsonLoader(json);
        loader._reader.Read();
        Value value = loader.Read();
        if (loader._reader.Read()) throw new JsonException("text after the document");
        return value;
    }

    Value Read()
    {
        switch (_reader.TokenType)
        {
            case JsonTokenType.Null:
                return NullValue.Instance;
            case JsonTokenType.True:
                return BooleanValue.True;
            case JsonTokenType.False:
                return BooleanValue.False;
            case JsonTokenType.Number:
                if (_reader.ValueSpan.Length < 10 && _reader.ValueSpan[0] != (byte)'-' && _reader.TryGetInt64(out long small) && !_reader.ValueSpan.ContainsAny((byte)'.', (byte)'e', (byte)'E')) return Value.From(small);
                return NumberValue.Parse(Encoding.UTF8.GetString(_reader.ValueSpan)) ?? throw new JsonException("number out of bounds");
            case JsonTokenType.String:
                return String();
            case JsonTokenType.StartArray:
                int start = _top;
                while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray) Push(Read());
                if (_top == start) return ArrayValue.Empty;
                var items = _stack.AsSpan(start, _top - start).ToArray();
                Pop(start);
                return new ArrayValue(items);
            default:
                return Object();
        }
    }

    ObjectValue Object()
    {
        int start = _top;
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            Push(String());
            _reader.Read();
            Push(Read());
        }
        int count = (_top - start) / 2;
        if (count == 0) return ObjectValue.Empty;
        var keys = new Value[count];
        for (int i = 0; i < count; i++) keys[i] = _stack[start + 2 * i];
        var shape = new Shape(keys);
        if (!_shapes.TryGetValue(shape, out (KeySet Keys, int[] Order) known))
        {
            known = Arrange(keys);
            _shapes.Add(shape, known);
        }
        var values = new Value[known.Order.Length];
        for (int i = 0; i < values.Length; i++) values[i] = _stack[start + 2 * known.Order[i] + 1];
        Pop(start);
        return new ObjectValue(known.Keys, values);
    }

    // Of equal keys the last wins, as in OPA.
    static (KeySet, int[]) Arrange(Value[] keys)
    {
        var last = new Dictionary<Value, int>();
        for (int i = 0; i < keys.Length; i++) last[keys[i]] = i;
        var sorted = last.Keys.ToArray();
        Array.Sort(sorted, Value.Compare);
        return (KeySet.FromSorted(sorted), [.. sorted.Select(k => last[k])]);
    }

    StringValue String()
    {
        ReadOnlySpan<byte> utf8 = _reader.ValueSpan;
        if (utf8.Length == 0) return StringValue.Empty;
        if (utf8.Length > MaxShared) return new StringValue(_reader.GetString()!);
        ulong hash = 14695981039346656037;
        foreach (byte b in utf8) hash = (hash ^ b) * 1099511628211;
        if (_strings.TryGetValue(hash, out StringValue? known) && _reader.ValueTextEquals(known.Text)) return known;
        var value = new StringValue(_reader.GetString()!);
        if (_strings.Count < MaxStrings) _strings[hash] = value;
        return value;
    }

    void Push(Value value)
    {
        if (_top == _stack.Length) Array.Resize(ref _stack, _top * 2);
        _stack[_top++] = value;
    }

    void Pop(int start)
    {
        Array.Clear(_stack, start, _top - start);
        _top = start;
    }

    readonly struct Shape : IEquatable<Shape>
    {
        readonly Value[] _keys;
        readonly int _hash;

        public Shape(Value[] keys)
        {
            _keys = keys;
            var hash = new HashCode();
            foreach (Value key in keys) hash.Add(key.GetHashCode());
            _hash = hash.ToHashCode();
        }

        public bool Equals(Shape other) => _hash == other._hash && _keys.AsSpan().SequenceEqual(other._keys);
        public override bool Equals(object? obj) => obj is Shape other && Equals(other);
        public override int GetHashCode() => _hash;
    }
}
