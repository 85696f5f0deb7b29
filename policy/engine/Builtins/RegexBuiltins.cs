using System.Text;
using System.Text.RegularExpressions;

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
                GoRegex.Compile(s.Text);
                return BooleanValue.True;
            }
            catch (BuiltinException)
            {
                return BooleanValue.False; // the answer to the question
            }
        }),
        Builtin.Of("regex.split", (p, s) => new ArrayValue([.. Split(GoRegex.Compile(Operand.Text(p, 1)), Operand.Text(s, 2)).Select(Value.From)])),
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

    static Value Match(Value pattern, Value text) => Value.From(GoRegex.Compile(Operand.Text(pattern, 1)).IsMatch(Operand.Text(text, 2)));

    // Go drops an empty match right behind another match.
    static IEnumerable<Match> Matches(Regex regex, string text)
    {
        int end = -1;
        foreach (Match m in regex.Matches(text))
        {
            if (m.Length == 0 && m.Index == end) continue;
            end = m.Index + m.Length;
            yield return m;
        }
    }

    static IEnumerable<string> Split(Regex regex, string text)
    {
        if (text.Length == 0)
        {
            yield return "";
            yield break;
        }
        int from = 0;
        foreach (Match m in Matches(regex, text))
        {
            if (m.Length == 0 && (m.Index == 0 || m.Index == text.Length)) continue;
            yield return text[from..m.Index];
            from = m.Index + m.Length;
        }
        yield return text[from..];
    }

    static ArrayValue FindAll(Value p, Value s, Value n)
    {
        Regex regex = GoRegex.Compile(Operand.Text(p, 1));
        string text = Operand.Text(s, 2);
        int count = Operand.Int(n, 3);
        return new ArrayValue([.. Matches(regex, text).Take(count < 0 ? int.MaxValue : count).Select(m => Value.From(m.Value))]);
    }

    static ArrayValue Submatches(Value p, Value s, Value n)
    {
        Regex regex = GoRegex.Compile(Operand.Text(p, 1));
        string text = Operand.Text(s, 2);
        int count = Operand.Int(n, 3);
        return new ArrayValue([.. Matches(regex, text).Take(count < 0 ? int.MaxValue : count)
            .Select(m => new ArrayValue([.. m.Groups.Values.Select(g => Value.From(g.Value))]))]);
    }

    static string Replace(GoRegex regex, string text, string template)
    {
        var result = new StringBuilder();
        int from = 0;
        foreach (Match m in Matches(regex.Regex, text))
        {
            result.Append(text, from, m.Index - from);
            Expand(result, template, m, regex);
            from = m.Index + m.Length;
        }
        return result.Append(text, from, text.Length - from).ToString();
    }

    // Go's template: $1, ${1}, $name (the longest run of letters, digits and _), $$.
    static void Expand(StringBuilder result, string template, Match m, GoRegex regex)
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
            if (group is { } number && number < m.Groups.Count) result.Append(m.Groups[number].Value);
            i = braced ? end : end - 1;
        }
    }

    static Value TemplateMatch(Value template, Value text, Value open, Value close)
    {
        string pattern = Operand.Text(template, 1), s = Operand.Text(text, 2), from = Operand.Text(open, 3), to = Operand.Text(close, 4);
        if (from.Length != 1) throw BuiltinException.Operand(3, "start delimiter has to be exactly one character long but is " + from.Length + " long");
        if (to.Length != 1) throw BuiltinException.Operand(4, "end delimiter has to be exactly one character long but is " + to.Length + " long");
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
        return Value.From(GoRegex.Compile(regex.ToString()).IsMatch(s));
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
