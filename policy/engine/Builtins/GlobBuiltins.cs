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
                    regex.Append(')'); // what is not closed ends with the pattern
                    break;
                case ',' or '}' when depth > 0:
                    return regex.ToString();
                case '\\':
                    if (++i < glob.Length) regex.Append(Escape(glob[i].ToString()));
                    break;
                default:
                    regex.Append(Escape(c.ToString()));
                    break;
            }
        }
        return regex.ToString();
    }

    // `[!` negates; then either one range or the letters up to the bracket, with escapes.
    static string Class(string glob, ref int i)
    {
        BuiltinException End() => new("unexpected end of input");
        int at = i + 1;
        bool negated = at < glob.Length && glob[at] == '!';
        if (negated) at++;
        if (at >= glob.Length) throw End();
        var set = new StringBuilder();
        if (at + 1 < glob.Length && glob[at + 1] == '-')
        {
            if (at + 3 >= glob.Length) throw End();
            if (glob[at + 3] != ']') throw new BuiltinException("expected close range character");
            if (glob[at + 2] <= glob[at]) throw new BuiltinException($"hi character '{glob[at + 2]}' should be greater than lo '{glob[at]}'");
            set.Append(Escape(glob[at].ToString())).Append('-').Append(Escape(glob[at + 2].ToString()));
            at += 3;
        }
        else
        {
            for (; at < glob.Length && glob[at] != ']'; at++)
            {
                if (glob[at] == '\\' && ++at >= glob.Length) break;
                set.Append(Escape(glob[at].ToString()));
            }
            if (at >= glob.Length) throw End();
            if (set.Length == 0) throw new BuiltinException("could not parse range");
        }
        i = at;
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
