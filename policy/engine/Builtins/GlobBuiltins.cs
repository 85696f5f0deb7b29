using System.Text;

namespace Talos.Policy;

/// <summary>Globs as gobwas/glob reads them: `*` stops at delimiters, `**` does not, `?`, `[a-z]`, `[!a]`, `{a,b}`.</summary>
static class GlobBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("glob.match", Match),
        Builtin.Of("glob.quote_meta", p =>
        {
            var text = new StringBuilder();
            foreach (char c in Operand.Text(p, 1))
            {
                if ("\\*?[]{},".Contains(c, StringComparison.Ordinal) && c != ',') text.Append('\\');
                text.Append(c);
            }
            return Value.From(text.ToString());
        }),
    ];

    static Value Match(Value pattern, Value delimiters, Value text)
    {
        string glob = Operand.Text(pattern, 1), s = Operand.Text(text, 3);
        string separators = delimiters switch
        {
            NullValue => "",
            ArrayValue a when a.Items.Length == 0 => ".",
            ArrayValue a => string.Concat(a.Items.Select(d => d is StringValue { Text: var t } ? t.EnumerateRunes().Count() == 1 ? t
                : throw BuiltinException.Element(2, delimiters, d, "rune") : throw BuiltinException.Element(2, delimiters, d, "string"))),
            _ => throw BuiltinException.Type(2, delimiters, "array", "null"),
        };
        int at = 0;
        string regex = Translate(glob, ref at, separators, 0);
        return Value.From(GoRegex.Parse("(?s)^(?:" + regex + ")$").IsMatch(s));
    }

    static string Translate(string glob, ref int i, string separators, int depth)
    {
        if (depth > 50) throw new BuiltinException("glob nests too deeply");
        string any = separators.Length == 0 ? "." : $"[^{Escape(separators)}]";
        var regex = new StringBuilder();
        for (; i < glob.Length; i++)
        {
            char c = glob[i];
            switch (c)
            {
                case '*':
                    bool super = i + 1 < glob.Length && glob[i + 1] == '*';
                    while (i + 1 < glob.Length && glob[i + 1] == '*') i++;
                    regex.Append(super ? ".*" : any + "*");
                    break;
                case '?':
                    regex.Append(any);
                    break;
                case '[':
                    regex.Append(Class(glob, ref i));
                    break;
                case '{':
                    i++;
                    regex.Append("(?:").Append(Translate(glob, ref i, separators, depth + 1));
                    while (i < glob.Length && glob[i] == ',')
                    {
                        i++;
                        regex.Append('|').Append(Translate(glob, ref i, separators, depth + 1));
                    }
                    if (i >= glob.Length) throw new BuiltinException("unexpected end of input");
                    regex.Append(')');
                    break;
                case ',' or '}' when depth > 0:
                    return regex.ToString();
                case '\\' when i + 1 < glob.Length:
                    regex.Append(Escape(glob[++i].ToString()));
                    break;
                default:
                    regex.Append(Escape(c.ToString()));
                    break;
            }
        }
        return regex.ToString();
    }

    static string Class(string glob, ref int i)
    {
        int end = glob.IndexOf(']', i + 2 > glob.Length ? i : i + 1);
        if (end < 0) throw new BuiltinException("unexpected end of input");
        string inner = glob[(i + 1)..end];
        i = end;
        bool negated = inner.StartsWith('!') || inner.StartsWith('^');
        if (negated) inner = inner[1..];
        if (inner.Length == 0) throw new BuiltinException("unexpected end of range");
        bool range = inner.Length == 3 && inner[1] == '-';
        string set = range ? Escape(inner[..1]) + "-" + Escape(inner[2..]) : Escape(inner);
        return $"[{(negated ? "^" : "")}{set}]";
    }

    static string Escape(string s)
    {
        var text = new StringBuilder();
        foreach (char c in s)
        {
            if (c < 0x80 && !char.IsAsciiLetterOrDigit(c) && c != '_') text.Append('\\');
            text.Append(c);
        }
        return text.ToString();
    }
}
