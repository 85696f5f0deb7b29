using System.Buffers;
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

    static readonly SearchValues<char> OfFloats = SearchValues.Create("0123456789+-.eE");
    static readonly SearchValues<char> OfTimes = SearchValues.Create("0123456789-:.TtZz+ ");

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
            throw new BuiltinException("yaml: " + Problem(e));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            // The library's scanner fails so at some texts, for instance at a line that begins with `#` in a plain scalar of a flow sequence, or at a `%TAG`
            // without a prefix.
            throw new BuiltinException("yaml: the text cannot be read");
        }
    }

    // In the words of Go's library, which is of the same descent: without the context, and with lines that its parser counts from 0 and does not say
    // if they are 0.
    static string Problem(YamlException e)
    {
        string problem = e.Message.TrimEnd('.');
        if (problem.StartsWith("While ", StringComparison.Ordinal) && problem.IndexOf(", ", StringComparison.Ordinal) is > 0 and int context)
            problem = problem[(context + 2)..];
        long line = e.Start.Line - 1;
        return line == 0 ? problem : $"line {(e is SyntaxErrorException ? line + 1 : line)}: {problem}";
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
        if (text.StartsWith("0o", StringComparison.Ordinal) && text.Length < 20 && text.AsSpan(2).IndexOfAnyExceptInRange('0', '7') < 0)
            return Value.From(text[2..].Aggregate(0L, (n, digit) => n * 8 + (digit - '0')));
        if (text.TrimStart('+', '-').ToUpperInvariant() is ".INF" or ".NAN") throw new BuiltinException($"json: unsupported value: {text}");
        return Float(text) ?? NumberValue.Parse(text) ?? NumberValue.Parse(text.TrimStart('+')) as Value ?? Value.From(text);
    }

    // What has a point or an exponent is a 64-bit float to Go's library, and is written as JSON writes those.
    static NumberValue? Float(string text)
    {
        if (!text.AsSpan().ContainsAny(".eE") || text.AsSpan().ContainsAnyExcept(OfFloats)) return null;
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (!double.TryParse(text, Style, CultureInfo.InvariantCulture, out double number) || !double.IsFinite(number)) return null;
        return Math.Abs(number) < 1e21 && number == Math.Truncate(number) ? NumberValue.From(new System.Numerics.BigInteger(number))
            : NumberValue.Parse(number.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant());
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
            case StringValue s when IsBlock(s.Text):
                Block(text, s.Text, Math.Max(2, indent));
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
            case StringValue s when IsBlock(s.Text):
                text.Append(' ');
                Block(text, s.Text, indent + 2);
                break;
            default:
                text.Append(' ');
                Write(text, member, indent, true);
                break;
        }
    }

    // Several lines are written as they are, unless some of them could not be told from the format's own.
    static bool IsBlock(string s) => s.Contains('\n', StringComparison.Ordinal) && !s.Any(c => c != '\n' && char.IsControl(c)) && s[0] is not ('\n' or ' ')
        && !s.Contains(" \n", StringComparison.Ordinal) && !s.EndsWith(' ');

    static void Block(StringBuilder text, string s, int indent)
    {
        string body = s.TrimEnd('\n');
        text.Append('|').Append(body.Length == s.Length ? "-" : s.Length - body.Length > 1 ? "+" : "").Append('\n');
        foreach (string line in body.Split('\n')) text.Append(' ', line.Length == 0 ? 0 : indent).Append(line).Append('\n');
        text.Append('\n', Math.Max(0, s.Length - body.Length - 1));
    }

    // Whether it is no number, truth value or time to Go's library either, which reads YAML 1.1.
    static bool IsText(string s)
    {
        try
        {
            if (Read(s) is not StringValue) return false;
        }
        catch (BuiltinException)
        {
            return false; // read again it would be an error
        }
        if (s is "y" or "Y" or "n" or "N" or "<<") return false;
        string digits = s.TrimStart('+', '-').Replace("_", "", StringComparison.Ordinal);
        if (digits.Length == 0 || !char.IsAsciiDigit(digits[0])) return true;
        bool isDate = s.Length >= 8 && s[4] == '-' && IsDigits(s.AsSpan(0, 4)) && !s.AsSpan().ContainsAnyExcept(OfTimes);
        bool isNumber = IsDigits(digits) || NumberValue.Parse(digits) is not null;
        bool isSexagesimal = digits.Contains(':', StringComparison.Ordinal) && digits.Split(':', '.').All(p => IsDigits(p));
        return !isDate && !isNumber && !isSexagesimal;
    }

    static bool IsDigits(ReadOnlySpan<char> text) => text.Length > 0 && !text.ContainsAnyExceptInRange('0', '9');

    static string Quoted(string s)
    {
        bool plain = s.Length > 0 && !s.Any(c => char.IsControl(c) || char.IsSurrogate(c))
            && !char.IsWhiteSpace(s[0]) && !char.IsWhiteSpace(s[^1]) && !s.Contains(": ", StringComparison.Ordinal)
            && !s.Contains(" #", StringComparison.Ordinal) && !s.EndsWith(':') && !"-?:,[]{}#&*!|>'\"%@`".Contains(s[0], StringComparison.Ordinal);
        if (plain && IsText(s)) return s;
        if (s.Any(c => c < ' ')) return ValueJson.Format(Value.From(s));
        return s.Contains('\'', StringComparison.Ordinal) || s.Any(c => c is '\\' or '"') && s.Length == 0 ? ValueJson.Format(Value.From(s)) : $"\"{s.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }
}
