using System.Buffers.Binary;
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
    readonly ObjectShape _root;
    Value[] _stack;
    int _top, _found;

    JsonLoader(ReadOnlySpan<byte> json)
    {
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = ValueJson.MaxDepth });
        _strings = [];
        _root = ObjectShape.Root();
        _stack = new Value[64];
        _top = 0;
        _found = 0;
    }

    public static Value Load(ReadOnlySpan<byte> json)
    {
        // RFC 8259 §8.1; checked ahead, since the reader decodes only what it is asked for.
        if (!System.Text.Unicode.Utf8.IsValid(json)) throw new JsonException("the document is not UTF-8", null, 0, 0);
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

    // Follows the names through the shapes seen so far; so keys that are known cost a comparison of bytes and no string.
    ObjectValue Object()
    {
        int start = _top;
        ObjectShape? shape = _root;
        List<Value>? others = null;
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            ObjectShape? next = others is null ? shape!.Next(ref _reader) : null;
            if (next is null) (others ??= shape!.Names()).Add(String());
            else shape = next;
            _reader.Read();
            if (_reader.TokenType != JsonTokenType.String) Push(Read());
            else Push(next is { IsSharing: false } ? new StringValue(JsonText.Of(ref _reader)) : Counted(next));
        }
        if (_top == start) return ObjectValue.Empty;
        (KeySet keys, int[] order) = others is null ? shape!.Arranged() : ObjectShape.Arrange(others);
        var values = new Value[order.Length];
        for (int i = 0; i < values.Length; i++) values[i] = _stack[start + order[i]];
        Pop(start);
        return new ObjectValue(keys, values);
    }

    StringValue Counted(ObjectShape? member)
    {
        int before = _found;
        StringValue value = String();
        member?.Count(_found != before);
        return value;
    }

    StringValue String()
    {
        ReadOnlySpan<byte> utf8 = _reader.ValueSpan;
        if (utf8.Length == 0) return StringValue.Empty;
        if (utf8.Length > MaxShared || _reader.ValueIsEscaped) return new StringValue(JsonText.Of(ref _reader));
        ulong hash = (ulong)utf8.Length;
        for (; utf8.Length >= 8; utf8 = utf8[8..]) hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(utf8));
        foreach (byte b in utf8) hash = (hash ^ b) * 1099511628211;
        hash = Mix(hash);
        if (_strings.TryGetValue(hash, out StringValue? known) && _reader.ValueTextEquals(known.Text))
        {
            _found++;
            return known;
        }
        var value = new StringValue(_reader.GetString()!);
        if (_strings.Count < MaxStrings) _strings[hash] = value;
        return value;
    }

    static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 32)) * 0x9E3779B97F4A7C15;
        return x ^ (x >> 29);
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
}

/// <summary>
/// The names of an object's members as far as they were read. Objects with the same names in the same order end at the same shape, and
/// share their keys.
/// </summary>
sealed class ObjectShape
{
    // LIMIT: shapes of one document, and names that may follow the same ones: an object that is a map has names of its own.
    const int MaxShapes = 4096, MaxNext = 16;

    // How many values of a member are looked at before it is clear whether they repeat.
    const int Trial = 512;

    readonly ObjectShape? _before;
    readonly byte[] _name;
    readonly StringValue _key;
    readonly List<ObjectShape> _next = [];
    readonly int[] _shapes;
    (KeySet Keys, int[] Order)? _arranged;
    int _seen, _repeated;

    ObjectShape(ObjectShape? before, byte[] name, StringValue key)
    {
        (_before, _name, _key) = (before, name, key);
        _shapes = before?._shapes ?? [0];
    }

    public static ObjectShape Root() => new(null, [], StringValue.Empty);

    /// <summary>Whether equal values of this member are worth looking for.</summary>
    public bool IsSharing { get; private set; } = true;

    public void Count(bool isRepeated)
    {
        if (isRepeated) _repeated++;
        if (++_seen < Trial) return;
        IsSharing = _repeated * 4 > _seen;
        _seen = _repeated = 0;
    }

    /// <summary>The shape with one more name, the reader's; null when there are too many already.</summary>
    public ObjectShape? Next(ref Utf8JsonReader reader)
    {
        ReadOnlySpan<byte> name = reader.ValueSpan;
        // An escaped name is equal to none by its bytes; it is rare enough to have a shape of its own for each way it is written.
        foreach (ObjectShape known in _next)
            if (name.SequenceEqual(known._name)) return known;
        if (_next.Count >= MaxNext || _shapes[0] >= MaxShapes) return null;
        _shapes[0]++;
        var next = new ObjectShape(this, name.ToArray(), new StringValue(JsonText.Of(ref reader)));
        _next.Add(next);
        return next;
    }

    public List<Value> Names()
    {
        var names = new List<Value>();
        for (ObjectShape shape = this; shape._before is not null; shape = shape._before) names.Add(shape._key);
        names.Reverse();
        return names;
    }

    public (KeySet Keys, int[] Order) Arranged() => _arranged ??= Arrange(Names());

    /// <summary>The keys in Rego's order, and which member each comes from. Of equal keys the last wins, as in OPA.</summary>
    public static (KeySet Keys, int[] Order) Arrange(List<Value> names)
    {
        var last = new Dictionary<Value, int>();
        for (int i = 0; i < names.Count; i++) last[names[i]] = i;
        var sorted = last.Keys.ToArray();
        Array.Sort(sorted, Value.Compare);
        return (KeySet.FromSorted(sorted), [.. sorted.Select(k => last[k])]);
    }
}

/// <summary>Text of a JSON string as Go reads it: half of a surrogate pair is U+FFFD, where the platform's reader throws.</summary>
static class JsonText
{
    public static string Of(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped) return reader.GetString()!;
        var text = new StringBuilder();
        for (ReadOnlySpan<byte> rest = reader.ValueSpan; ;)
        {
            int escape = rest.IndexOf((byte)'\\');
            if (escape < 0) return text.Append(Encoding.UTF8.GetString(rest)).ToString();
            text.Append(Encoding.UTF8.GetString(rest[..escape]));
            char c = (char)rest[escape + 1];
            rest = rest[(escape + 2)..];
            if (c != 'u')
            {
                text.Append(c switch { 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', _ => c });
                continue;
            }
            char unit = Unit(rest);
            rest = rest[4..];
            if (char.IsHighSurrogate(unit) && rest is [(byte)'\\', (byte)'u', ..] && Unit(rest[2..]) is var low && char.IsLowSurrogate(low))
            {
                text.Append(unit).Append(low);
                rest = rest[6..];
            }
            else text.Append(char.IsSurrogate(unit) ? '\uFFFD' : unit);
        }
    }

    // The reader has seen four hexadecimal digits there.
    static char Unit(ReadOnlySpan<byte> digits) => (char)ushort.Parse(digits[..4], System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture);
}
