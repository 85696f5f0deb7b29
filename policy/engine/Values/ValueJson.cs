using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Talos.Policy;

/// <summary>JSON in and out. Sets become arrays; keys that are no strings become the JSON text of the key.</summary>
static class ValueJson
{
    // LIMIT: nesting of a JSON document.
    public const int MaxDepth = 1000;

    public static Value Parse(string json) => Parse(Encoding.UTF8.GetBytes(json));

    /// <exception cref="JsonException">Not JSON; has line and byte position, both from 0.</exception>
    public static Value Parse(ReadOnlySpan<byte> json) => JsonLoader.Load(json);

    public static string Format(Value value, bool escapeHtml = false)
    {
        var text = new StringBuilder();
        Append(text, value, escapeHtml, null, 0);
        return text.ToString();
    }

    public static string FormatIndented(Value value, string prefix, string indent, bool escapeHtml)
    {
        var text = new StringBuilder();
        Append(text, value, escapeHtml, (prefix, indent), 0);
        return text.ToString();
    }

    static void Append(StringBuilder text, Value value, bool html, (string Prefix, string Indent)? pretty, int depth)
    {
        // What is shared in memory is written as often as it is there.
        Evaluation.Pulse();
        switch (value)
        {
            case NullValue:
                text.Append("null");
                break;
            case BooleanValue:
                text.Append(value.IsFalse ? "false" : "true");
                break;
            case NumberValue n:
                text.Append(n.Text);
                break;
            case StringValue s:
                AppendString(text, s.Text, html);
                break;
            case ArrayValue a:
                AppendItems(text, a.Items, html, pretty, depth);
                break;
            case SetValue s:
                AppendItems(text, s.Members.Sorted, html, pretty, depth);
                break;
            case ObjectValue o:
                AppendObject(text, o, html, pretty, depth);
                break;
            case VirtualDoc doc:
                Append(text, doc.Force(), html, pretty, depth);
                break;
        }
    }

    static void AppendItems(StringBuilder text, Value[] items, bool html, (string Prefix, string Indent)? pretty, int depth)
    {
        text.Append('[');
        for (int i = 0; i < items.Length; i++)
        {
            if (i > 0) text.Append(',');
            Break(text, pretty, depth + 1);
            Append(text, items[i], html, pretty, depth + 1);
        }
        if (items.Length > 0) Break(text, pretty, depth);
        text.Append(']');
    }

    static void AppendObject(StringBuilder text, ObjectValue o, bool html, (string Prefix, string Indent)? pretty, int depth)
    {
        // Go sorts the keys as strings when it writes a map.
        (string Key, Value Value)[] members = [.. o.Pairs.Select(p => (KeyText(p.Key), p.Value))];
        Array.Sort(members, (a, b) => StringValue.CompareCodePoints(a.Key, b.Key));
        text.Append('{');
        for (int i = 0; i < members.Length; i++)
        {
            if (i > 0) text.Append(',');
            Break(text, pretty, depth + 1);
            AppendString(text, members[i].Key, html);
            text.Append(pretty is null ? ":" : ": ");
            Append(text, members[i].Value, html, pretty, depth + 1);
        }
        if (members.Length > 0) Break(text, pretty, depth);
        text.Append('}');
    }

    public static string KeyText(Value key) => key is StringValue s ? s.Text : Format(key);

    static void Break(StringBuilder text, (string Prefix, string Indent)? pretty, int depth)
    {
        if (pretty is not { } p) return;
        text.Append('\n').Append(p.Prefix);
        Evaluation.Reserve(2 * ((long)p.Prefix.Length + (long)depth * p.Indent.Length));
        for (int i = 0; i < depth; i++) text.Append(p.Indent);
    }

    public static void AppendString(StringBuilder text, string s, bool html)
    {
        if (s.Length > 4096) Evaluation.Reserve(2L * s.Length);
        text.Append('"');
        for (int i = 0; i < s.Length; i++)
        {
            char c = s[i];
            switch (c)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append("\\\\"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                case '\b': text.Append("\\b"); break;
                case '\f': text.Append("\\f"); break;
                case < ' ': text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"); break;
                case '<' or '>' or '&' when html: text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"); break;
                case '\u2028' or '\u2029': text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"); break;
                default:
                    if (char.IsSurrogate(c) && !(char.IsHighSurrogate(c) && i + 1 < s.Length && char.IsLowSurrogate(s[i + 1])))
                    {
                        text.Append("\\ufffd");
                        break;
                    }
                    text.Append(c);
                    if (char.IsHighSurrogate(c)) text.Append(s[++i]);
                    break;
            }
        }
        text.Append('"');
    }
}
