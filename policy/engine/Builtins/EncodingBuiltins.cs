using System.Text;
using System.Text.Json;

namespace Talos.Policy;

/// <summary>JSON, YAML, base64, URL queries and hexadecimal.</summary>
static class EncodingBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("json.marshal", v => Value.From(ValueJson.Format(v, true))),
        Builtin.Of("json.marshal_with_options", MarshalWithOptions),
        Builtin.Of("json.unmarshal", v => FromJson(Operand.Text(v, 1))),
        Builtin.Of("json.is_valid", v => Value.From(v is StringValue s && IsJson(s.Text))),
        Builtin.Of("yaml.marshal", v => Value.From(YamlDocument.Write(v))),
        Builtin.Of("yaml.unmarshal", v => YamlDocument.Read(Operand.Text(v, 1))),
        Builtin.Of("yaml.is_valid", v =>
        {
            if (v is not StringValue s) return BooleanValue.False;
            try
            {
                YamlDocument.Read(s.Text);
                return BooleanValue.True;
            }
            catch (BuiltinException)
            {
                return BooleanValue.False; // the answer to the question
            }
        }),
        Builtin.Of("base64.encode", v => Value.From(Convert.ToBase64String(GoBytes.Of(Operand.Text(v, 1))))),
        Builtin.Of("base64.decode", v => Value.From(GoBytes.Text(FromBase64(Operand.Text(v, 1), false, true)))),
        Builtin.Of("base64.is_valid", v =>
        {
            try
            {
                FromBase64(Operand.Text(v, 1), false, true);
                return BooleanValue.True;
            }
            catch (BuiltinException)
            {
                return BooleanValue.False; // the answer to the question
            }
        }),
        Builtin.Of("base64url.encode", v => Value.From(Convert.ToBase64String(GoBytes.Of(Operand.Text(v, 1))).Replace('+', '-').Replace('/', '_'))),
        Builtin.Of("base64url.encode_no_pad", v => Value.From(ToBase64Url(GoBytes.Of(Operand.Text(v, 1))))),
        Builtin.Of("base64url.decode", v => Value.From(GoBytes.Text(FromBase64(Operand.Text(v, 1), true, false)))),
        Builtin.Of("hex.encode", v => Value.From(Convert.ToHexStringLower(GoBytes.Of(Operand.Text(v, 1))))),
        Builtin.Of("hex.decode", v => Value.From(GoBytes.Text(FromHex(Operand.Text(v, 1))))),
        Builtin.Of("urlquery.encode", v => Value.From(UrlEncode(Operand.Text(v, 1)))),
        Builtin.Of("urlquery.decode", v => Value.From(UrlDecode(Operand.Text(v, 1)))),
        Builtin.Of("urlquery.encode_object", EncodeQuery),
        Builtin.Of("urlquery.decode_object", DecodeQuery),
    ];

    public static string ToBase64Url(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    public static byte[] FromBase64(string text, bool url, bool padded)
    {
        if (url && !text.EndsWith('=') && text.Length % 4 == 1) throw new BuiltinException($"illegal base64url string: {text}");
        string plain = text.Replace("\r", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal);
        int bad = -1;
        string body = plain.TrimEnd('=');
        for (int i = 0; i < body.Length && bad < 0; i++)
        {
            char c = body[i];
            if (!char.IsAsciiLetterOrDigit(c) && c != (url ? '-' : '+') && c != (url ? '_' : '/')) bad = i;
        }
        if (bad < 0 && body.Length % 4 == 1) bad = body.Length;
        int padding = plain.Length - body.Length;
        if (bad < 0 && (padded || padding > 0) && (body.Length + padding) % 4 != 0) bad = plain.Length - (plain.Length % 4);
        if (bad < 0 && padding > 2) bad = body.Length;
        if (bad >= 0) throw new BuiltinException($"illegal base64 data at input byte {bad}");
        string standard = url ? body.Replace('-', '+').Replace('_', '/') : body;
        return Convert.FromBase64String(standard + new string('=', (4 - standard.Length % 4) % 4));
    }

    static byte[] FromHex(string text)
    {
        for (int i = 0; i < text.Length; i++)
            if (!char.IsAsciiHexDigit(text[i])) throw new BuiltinException($"encoding/hex: invalid byte: U+{(int)text[i]:X4} '{text[i]}'");
        return text.Length % 2 == 0 ? Convert.FromHexString(text) : throw new BuiltinException("encoding/hex: odd length hex string");
    }

    public static Value FromJson(string text)
    {
        try
        {
            return ValueJson.Parse(text);
        }
        catch (JsonException e)
        {
            throw new BuiltinException($"invalid JSON at byte {e.BytePositionInLine + 1} of line {e.LineNumber + 1}");
        }
    }

    static bool IsJson(string text)
    {
        try
        {
            ValueJson.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false; // the answer to the question
        }
    }

    static Value MarshalWithOptions(Value v, Value o)
    {
        ObjectValue options = Operand.Object(o, 2);
        string prefix = "", indent = "\t";
        bool? pretty = null;
        foreach ((Value key, Value value) in options.Pairs)
        {
            switch ((key as StringValue)?.Text)
            {
                case "pretty": pretty = value is BooleanValue ? !value.IsFalse : throw BuiltinException.Operand(2, "key pretty failed cast to bool"); break;
                case "indent": indent = value is StringValue i ? i.Text : throw BuiltinException.Operand(2, "key indent failed cast to string"); break;
                case "prefix": prefix = value is StringValue p ? p.Text : throw BuiltinException.Operand(2, "key prefix failed cast to string"); break;
                default: throw BuiltinException.Operand(2, $"object contained unknown key {(key is StringValue unknown ? unknown.Text : key)}");
            }
        }
        // The options for pretty printing switch it on unless `pretty` says otherwise.
        return Value.From(pretty ?? (options.Get("indent") is not null || options.Get("prefix") is not null)
            ? prefix + ValueJson.FormatIndented(v, prefix, indent, true) : ValueJson.Format(v, true));
    }

    public static string UrlEncode(string text)
    {
        var encoded = new StringBuilder();
        foreach (byte b in GoBytes.Of(text))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'~') encoded.Append((char)b);
            else if (b == ' ') encoded.Append('+');
            else encoded.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }
        return encoded.ToString();
    }

    static string UrlDecode(string text)
    {
        var bytes = new List<byte>();
        byte[] utf8 = GoBytes.Of(text);
        for (int i = 0; i < utf8.Length; i++)
        {
            if (utf8[i] == '+') bytes.Add((byte)' ');
            else if (utf8[i] != '%') bytes.Add(utf8[i]);
            else if (i + 2 < utf8.Length && char.IsAsciiHexDigit((char)utf8[i + 1]) && char.IsAsciiHexDigit((char)utf8[i + 2]))
            {
                bytes.Add(Convert.FromHexString([(char)utf8[i + 1], (char)utf8[i + 2]])[0]);
                i += 2;
            }
            else throw new BuiltinException($"invalid URL escape \"{GoBytes.Text(utf8.AsSpan(i, Math.Min(3, utf8.Length - i)))}\"");
        }
        return GoBytes.Text([.. bytes]);
    }

    static Value EncodeQuery(Value v)
    {
        var pairs = new List<(string Key, string Value)>();
        foreach ((Value key, Value value) in Operand.Object(v, 1).Pairs)
        {
            Value[] values = value switch { StringValue => [value], ArrayValue a => a.Items, SetValue set => set.Members.Sorted, _ => [NullValue.Instance] };
            foreach (Value one in values)
                pairs.Add((ValueJson.KeyText(key), one is StringValue s ? s.Text : throw BuiltinException.Operand(1, "values must be string, array[string], or set[string]")));
        }
        return Value.From(string.Join('&', pairs.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => UrlEncode(p.Key) + "=" + UrlEncode(p.Value))));
    }

    public static ObjectValue DecodeQuery(Value v)
    {
        var values = new Dictionary<string, List<Value>>(StringComparer.Ordinal);
        foreach (string part in Operand.Text(v, 1).Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part.Contains(';', StringComparison.Ordinal)) throw new BuiltinException("invalid semicolon separator in query");
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string key = UrlDecode(equals < 0 ? part : part[..equals]), value = equals < 0 ? "" : UrlDecode(part[(equals + 1)..]);
            if (!values.TryGetValue(key, out List<Value>? list)) values.Add(key, list = []);
            list.Add(Value.From(value));
        }
        return ObjectValue.From([.. values.Select(p => new KeyValuePair<Value, Value>(Value.From(p.Key), new ArrayValue([.. p.Value])))]);
    }
}
