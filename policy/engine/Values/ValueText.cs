using System.Globalization;
using System.Text;

namespace Talos.Policy;

/// <summary>Values as text: Rego source as OPA prints it, and JSON.</summary>
static class ValueText
{
    public static string Format(Value value)
    {
        var text = new StringBuilder();
        Append(text, value);
        return text.ToString();
    }

    static void Append(StringBuilder text, Value value)
    {
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
                Quote(text, s.Text);
                break;
            case ArrayValue a:
                text.Append('[');
                for (int i = 0; i < a.Items.Length; i++)
                {
                    if (i > 0) text.Append(", ");
                    Append(text, a.Items[i]);
                }
                text.Append(']');
                break;
            case SetValue { Count: 0 }:
                text.Append("set()");
                break;
            case SetValue s:
                text.Append('{');
                for (int i = 0; i < s.Count; i++)
                {
                    if (i > 0) text.Append(", ");
                    Append(text, s.Members.Sorted[i]);
                }
                text.Append('}');
                break;
            case ObjectValue o:
                text.Append('{');
                for (int i = 0; i < o.Count; i++)
                {
                    if (i > 0) text.Append(", ");
                    Append(text, o.Keys.Sorted[i]);
                    text.Append(": ");
                    Append(text, o.Values[i]);
                }
                text.Append('}');
                break;
            case VirtualDoc doc:
                Append(text, doc.Force());
                break;
        }
    }

    /// <summary>As Go's strconv.Quote: printable characters stay, others become escapes.</summary>
    public static void Quote(StringBuilder text, string s, bool asciiOnly = false)
    {
        if (s.Length > 4096) Evaluation.Reserve(2L * s.Length);
        text.Append('"');
        foreach (Rune rune in s.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append("\\\\"); break;
                case '\a': text.Append("\\a"); break;
                case '\b': text.Append("\\b"); break;
                case '\f': text.Append("\\f"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                case '\v': text.Append("\\v"); break;
                case < 0x20 or 0x7F: text.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}"); break;
                default:
                    if (!asciiOnly && IsPrintable(rune) || rune.Value < 0x7F) text.Append(rune);
                    else if (rune.Value < 0x10000) text.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
                    else text.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");
                    break;
            }
        }
        text.Append('"');
    }

    public static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
        or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
        && (rune.Value == ' ' || Rune.GetUnicodeCategory(rune) != UnicodeCategory.SpaceSeparator);

    /// <summary><c>data.a["b c"]</c>.</summary>
    public static string Reference(string head, IReadOnlyList<Value> path)
    {
        var text = new StringBuilder(head);
        foreach (Value part in path)
        {
            if (part is StringValue s && IsName(s.Text)) text.Append('.').Append(s.Text);
            else
            {
                text.Append('[');
                Append(text, part);
                text.Append(']');
            }
        }
        return text.ToString();
    }

    /// <summary>Whether it can stand after a dot.</summary>
    public static bool IsName(string s)
    {
        if (s.Length == 0 || char.IsAsciiDigit(s[0])) return false;
        foreach (char c in s)
            if (!char.IsAsciiLetterOrDigit(c) && c != '_') return false;
        return true;
    }
}
