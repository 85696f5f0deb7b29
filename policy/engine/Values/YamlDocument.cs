using System.Globalization;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlParser = YamlDotNet.Core.Parser;

namespace Talos.Policy;

/// <summary>YAML 1.2 in and out, through the event parser: no object mapping, so nothing is constructed but values.</summary>
static class YamlDocument
{
    // LIMIT: values in one document, counting what aliases repeat; stops an alias bomb.
    const int MaxValues = 1_000_000;

    const int MaxDepth = 200;

    /// <exception cref="BuiltinException">Not YAML.</exception>
    public static Value Read(string text)
    {
        try
        {
            var parser = new YamlParser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _)) return NullValue.Instance;
            parser.Consume<DocumentStart>();
            int left = MaxValues;
            Value value = Node(parser, [], ref left, 0);
            parser.Consume<DocumentEnd>();
            return value;
        }
        catch (YamlException e)
        {
            throw new BuiltinException($"yaml: line {e.Start.Line}: {e.Message}");
        }
    }

    static Value Node(YamlParser parser, Dictionary<string, (Value, int)> anchors, ref int left, int depth)
    {
        if (depth > MaxDepth || --left < 0) throw new BuiltinException("yaml: the document is too large");
        int before = left;
        Value value;
        AnchorName anchor;
        if (parser.TryConsume<AnchorAlias>(out var alias) && alias is not null)
        {
            if (!anchors.TryGetValue(alias.Value.Value, out (Value Value, int Size) known)) throw new BuiltinException($"yaml: unknown anchor '{alias.Value.Value}' referenced");
            left -= known.Size;
            return known.Value;
        }
        if (parser.TryConsume<Scalar>(out var scalar) && scalar is not null)
        {
            anchor = scalar.Anchor;
            value = Scalar(scalar);
        }
        else if (parser.TryConsume<SequenceStart>(out var sequence) && sequence is not null)
        {
            anchor = sequence.Anchor;
            var items = new List<Value>();
            while (!parser.TryConsume<SequenceEnd>(out _)) items.Add(Node(parser, anchors, ref left, depth + 1));
            value = new ArrayValue([.. items]);
        }
        else
        {
            MappingStart mapping = parser.Consume<MappingStart>();
            anchor = mapping.Anchor;
            var members = new Dictionary<Value, Value>();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                Value key = Node(parser, anchors, ref left, depth + 1);
                Value member = Node(parser, anchors, ref left, depth + 1);
                if (key is StringValue { Text: "<<" } && member is ObjectValue merged)
                {
                    foreach ((Value k, Value v) in merged.Pairs) members.TryAdd(k, v);
                    continue;
                }
                members[key is StringValue ? key : Value.From(ValueJson.Format(key))] = member;
            }
            value = ObjectValue.From(members);
        }
        if (!anchor.IsEmpty) anchors[anchor.Value] = (value, before - left + 1);
        return value;
    }

    static Value Scalar(Scalar scalar)
    {
        string text = scalar.Value;
        if (scalar.Style != ScalarStyle.Plain || scalar.Tag is { IsEmpty: false } tag && tag.Value == "tag:yaml.org,2002:str") return Value.From(text);
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return NullValue.Instance;
            case "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON":
                return BooleanValue.True;
            case "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF":
                return BooleanValue.False;
        }
        if (text.StartsWith("0x", StringComparison.Ordinal) && long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long hex)) return Value.From(hex);
        return NumberValue.Parse(text) ?? NumberValue.Parse(text.TrimStart('+')) as Value ?? Value.From(text);
    }

    public static string Write(Value value)
    {
        var text = new StringBuilder();
        Write(text, value, 0, false);
        return text.ToString();
    }

    static void Write(StringBuilder text, Value value, int indent, bool inline)
    {
        switch (value)
        {
            case ObjectValue { Count: > 0 } o:
                (string Key, Value Value)[] members = [.. o.Pairs.Select(p => (ValueJson.KeyText(p.Key), p.Value))];
                Array.Sort(members, (a, b) => StringValue.CompareCodePoints(a.Key, b.Key));
                foreach ((string key, Value member) in members)
                {
                    if (!inline) text.Append(' ', indent);
                    inline = false;
                    text.Append(Quoted(key)).Append(':');
                    Nested(text, member, indent);
                }
                break;
            case ArrayValue { Items.Length: > 0 } or SetValue { Count: > 0 }:
                foreach (Value item in value is ArrayValue a ? a.Items : ((SetValue)value).Members.Sorted)
                {
                    if (!inline) text.Append(' ', indent);
                    inline = false;
                    text.Append("- ");
                    Write(text, item, indent + 2, true);
                }
                break;
            case ObjectValue:
                text.Append("{}\n");
                break;
            case ArrayValue or SetValue:
                text.Append("[]\n");
                break;
            case StringValue s:
                text.Append(Quoted(s.Text)).Append('\n');
                break;
            default:
                text.Append(value).Append('\n');
                break;
        }
    }

    static void Nested(StringBuilder text, Value member, int indent)
    {
        switch (member)
        {
            case ObjectValue { Count: > 0 }:
                text.Append('\n');
                Write(text, member, indent + 2, false);
                break;
            case ArrayValue { Items.Length: > 0 } or SetValue { Count: > 0 }:
                text.Append('\n');
                Write(text, member, indent, false);
                break;
            default:
                text.Append(' ');
                Write(text, member, indent, true);
                break;
        }
    }

    static string Quoted(string s)
    {
        bool plain = s.Length > 0 && s.All(c => c is >= ' ' and < '\x7f') && !char.IsWhiteSpace(s[0]) && !char.IsWhiteSpace(s[^1]) && !s.Contains(": ", StringComparison.Ordinal)
            && !s.Contains(" #", StringComparison.Ordinal) && !s.EndsWith(':') && !"-?:,[]{}#&*!|>'\"%@`".Contains(s[0], StringComparison.Ordinal);
        if (plain && Read(s) is StringValue) return s;
        if (s.Any(c => c < ' ')) return ValueJson.Format(Value.From(s));
        return s.Contains('\'', StringComparison.Ordinal) || s.Any(c => c is '\\' or '"') && s.Length == 0 ? ValueJson.Format(Value.From(s)) : $"\"{s.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }
}
