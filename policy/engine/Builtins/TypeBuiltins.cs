namespace Talos.Policy;

static class TypeBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Is("is_null", ValueKind.Null), Is("is_boolean", ValueKind.Boolean), Is("is_number", ValueKind.Number), Is("is_string", ValueKind.String),
        Is("is_array", ValueKind.Array), Is("is_object", ValueKind.Object), Is("is_set", ValueKind.Set),
        Builtin.Of("type_name", v => Value.From(v.TypeName)),
        Builtin.Of("to_number", ToNumber),
        Builtin.Of("cast_array", v => v switch
        {
            ArrayValue => v,
            SetValue s => new ArrayValue(s.Members.Sorted),
            _ => throw BuiltinException.Type(1, v, "array", "set"),
        }),
        Builtin.Of("cast_set", v => v switch
        {
            SetValue => v,
            ArrayValue a => SetValue.From(a.Items),
            _ => throw BuiltinException.Type(1, v, "array", "set"),
        }),
        Builtin.Of("cast_string", v => v is StringValue ? v : throw BuiltinException.Type(1, v, "string")),
        Builtin.Of("cast_boolean", v => v is BooleanValue ? v : throw BuiltinException.Type(1, v, "boolean")),
        Builtin.Of("cast_null", v => v is NullValue ? v : throw BuiltinException.Type(1, v, "null")),
        Builtin.Of("cast_object", v => v is ObjectValue ? v : throw BuiltinException.Type(1, v, "object")),
    ];

    // The type checker lets every type through, and OPA answers undefined (not false) only in old versions.
    static Builtin Is(string name, ValueKind kind) => Builtin.Of(name, v => Value.From(v.Kind == kind));

    static NumberValue ToNumber(Value v)
    {
        switch (v)
        {
            case NullValue:
                return NumberValue.From(0);
            case BooleanValue:
                return NumberValue.From(v.IsFalse ? 0 : 1);
            case NumberValue n:
                return n;
            case StringValue s:
                string text = s.Text;
                if (text.TrimStart('+', '-').ToUpperInvariant() is "INF" or "INFINITY" or "NAN") throw BuiltinException.Operand(1, "must be valid number");
                if (text.Contains('_', StringComparison.Ordinal)) break;
                if (double.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out double size) && double.IsInfinity(size))
                    throw new BuiltinException($"strconv.ParseFloat: parsing \"{text}\": value out of range");
                if (NumberValue.Parse(text) is { } parsed) return parsed;
                // Go reads more forms than JSON does: a sign, a bare point, leading zeros.
                string plain = text.TrimStart('+');
                if (text.Length - plain.Length > 1) break;
                bool negative = plain.StartsWith('-');
                plain = negative ? plain[1..] : plain;
                if (plain.Length == 0 || !(char.IsAsciiDigit(plain[0]) || plain[0] == '.')) break;
                plain = plain.TrimStart('0');
                if (plain.Length == 0 || !char.IsAsciiDigit(plain[0])) plain = "0" + plain;
                if (plain.EndsWith('.')) plain = plain[..^1];
                if (NumberValue.Parse((negative ? "-" : "") + plain.Replace(".e", "e", StringComparison.OrdinalIgnoreCase)) is { } lenient) return lenient;
                break;
            default:
                throw BuiltinException.Type(1, v, "null", "boolean", "number", "string");
        }
        throw new BuiltinException($"strconv.ParseFloat: parsing \"{((StringValue)v).Text}\": invalid syntax");
    }
}
