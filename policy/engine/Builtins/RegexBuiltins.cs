using System.Text;

namespace Talos.Policy;

static class RegexBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("regex.match", Match),
        Builtin.Of("re_match", Match),
        Builtin.Of("regex.is_valid", p =>
        {
            if (p is not StringValue s) return BooleanValue.False;
            try
            {
                GoRegex.Parse(s.Text);
                return BooleanValue.True;
            }
            catch (BuiltinException)
            {
                return BooleanValue.False; // the answer to the question
            }
        }),
        Builtin.Of("regex.split", (p, s) => new ArrayValue([.. Split(GoRegex.Parse(Operand.Text(p, 1)), Operand.Text(s, 2)).Select(Value.From)])),
        Builtin.Of("regex.find_n", FindAll),
        Builtin.Of("regex.find_all_string_submatch_n", Submatches),
        Builtin.Of("regex.replace", (s, p, v) =>
        {
            string text = Operand.Text(s, 1), replacement = Operand.Text(v, 3);
            return Value.From(Replace(GoRegex.Parse(Operand.Text(p, 2)), text, replacement));
        }),
        Builtin.Of("regex.template_match", TemplateMatch),
        Builtin.Of("regex.globs_match", (a, b) => Value.From(GlobIntersection.NonEmpty(Operand.Text(a, 1), Operand.Text(b, 2)))),
    ];

    static Value Match(Value pattern, Value text) => Value.From(GoRegex.Parse(Operand.Text(pattern, 1)).IsMatch(Operand.Text(text, 2)));

    // Go, Regexp.Split: a match that ends where the text begins separates nothing, nor does one at its end.
    static List<string> Split(GoRegex regex, string text)
    {
        if (regex.Pattern.Length > 0 && text.Length == 0) return [""];
        var parts = new List<string>();
        int from = 0, end = 0;
        foreach (int[] m in regex.FindAll(text, -1))
        {
            end = m[0];
            if (m[1] != 0) parts.Add(text[from..end]);
            from = m[1];
        }
        if (end != text.Length) parts.Add(text[from..]);
        return parts;
    }

    static ArrayValue FindAll(Value p, Value s, Value n)
    {
        GoRegex regex = GoRegex.Parse(Operand.Text(p, 1));
        string text = Operand.Text(s, 2);
        return new ArrayValue([.. regex.FindAll(text, Operand.Int(n, 3)).Select(m => Value.From(Part(text, m, 0)))]);
    }

    static ArrayValue Submatches(Value p, Value s, Value n)
    {
        GoRegex regex = GoRegex.Parse(Operand.Text(p, 1));
        string text = Operand.Text(s, 2);
        return new ArrayValue([.. regex.FindAll(text, Operand.Int(n, 3))
            .Select(m => new ArrayValue([.. Enumerable.Range(0, m.Length / 2).Select(group => Value.From(Part(text, m, group)))]))]);
    }

    static string Part(string text, int[] match, int group) => match[2 * group] < 0 ? "" : text[match[2 * group]..match[2 * group + 1]];

    // Go, Regexp.ReplaceAllString.
    static string Replace(GoRegex regex, string text, string template)
    {
        var result = new StringBuilder();
        int end = 0, at = 0;
        while (at <= text.Length && regex.Find(text, at) is { } m)
        {
            result.Append(text, end, m[0] - end);
            if (m[1] > end || m[0] == 0) Expand(result, template, text, m, regex);
            Evaluation.Pulse();
            Evaluation.Reserve(2L * template.Length);
            end = m[1];
            int width = at < text.Length ? GoRegex.Width(text, at) : 1;
            at = Math.Max(at + width, m[1]);
        }
        return result.Append(text, end, text.Length - end).ToString();
    }

    // Go's template: $1, ${1}, $name (the longest run of letters, digits and _), $$.
    static void Expand(StringBuilder result, string template, string text, int[] match, GoRegex regex)
    {
        for (int i = 0; i < template.Length; i++)
        {
            if (template[i] != '$' || i + 1 >= template.Length)
            {
                result.Append(template[i]);
                continue;
            }
            if (template[i + 1] == '$')
            {
                result.Append('$');
                i++;
                continue;
            }
            bool braced = template[i + 1] == '{';
            int start = i + (braced ? 2 : 1), end = start;
            while (end < template.Length && (char.IsLetterOrDigit(template[end]) || template[end] == '_')) end++;
            if (end == start || (braced && (end >= template.Length || template[end] != '}')))
            {
                result.Append('$');
                continue;
            }
            string name = template[start..end];
            int? group = name.All(char.IsAsciiDigit) ? name.Length < 6 ? int.Parse(name, System.Globalization.CultureInfo.InvariantCulture) : null : regex.Group(name);
            if (group is { } number && number < match.Length / 2) result.Append(Part(text, match, number));
            i = braced ? end : end - 1;
        }
    }

    static Value TemplateMatch(Value template, Value text, Value open, Value close)
    {
        string pattern = Operand.Text(template, 1), s = Operand.Text(text, 2), from = Operand.Text(open, 3), to = Operand.Text(close, 4);
        // OPA counts bytes, and those of the first delimiter when the second is wrong.
        int length = Encoding.UTF8.GetByteCount(from);
        if (length != 1) throw new BuiltinException($"start delimiter has to be exactly one character long but is {length} long");
        if (Encoding.UTF8.GetByteCount(to) != 1) throw new BuiltinException($"end delimiter has to be exactly one character long but is {length} long");
        var regex = new StringBuilder("^");
        int level = 0, start = 0, literal = 0;
        for (int i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == from[0] && level++ == 0)
            {
                regex.Append(EscapeForGo(pattern[literal..i]));
                start = i + 1;
            }
            else if (pattern[i] == to[0])
            {
                if (--level < 0) throw new BuiltinException($"unbalanced braces in {pattern}");
                if (level == 0)
                {
                    regex.Append('(').Append(pattern[start..i]).Append(')');
                    literal = i + 1;
                }
            }
        }
        if (level != 0) throw new BuiltinException($"unbalanced braces in {pattern}");
        regex.Append(EscapeForGo(pattern[literal..])).Append('$');
        return Value.From(GoRegex.Parse(regex.ToString()).IsMatch(s));
    }

    static string EscapeForGo(string s)
    {
        var text = new StringBuilder();
        foreach (char c in s)
        {
            if (@"\.+*?()|[]{}^$".Contains(c, StringComparison.Ordinal)) text.Append('\\');
            text.Append(c);
        }
        return text.ToString();
    }
}
