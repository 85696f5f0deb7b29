using System.Globalization;
using System.Numerics;
using System.Text;

namespace Talos.Policy;

static class StringBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("concat", (d, c) =>
        {
            string delimiter = Operand.Text(d, 1);
            string[] parts = Operand.Strings(c, 2);
            Evaluation.Reserve(2 * (parts.Sum(p => (long)p.Length) + (long)delimiter.Length * parts.Length));
            return Value.From(GoBytes.Joined(string.Join(delimiter, parts)));
        }),
        Builtin.Of("contains", (s, t) => Value.From(Operand.Text(s, 1).Contains(Operand.Text(t, 2), StringComparison.Ordinal))),
        Builtin.Of("startswith", (s, t) => Value.From(Operand.Text(s, 1).StartsWith(Operand.Text(t, 2), StringComparison.Ordinal))),
        Builtin.Of("endswith", (s, t) => Value.From(Operand.Text(s, 1).EndsWith(Operand.Text(t, 2), StringComparison.Ordinal))),
        Builtin.Of("lower", s => Value.From(Operand.Text(s, 1).ToLowerInvariant().Replace('\u0130', 'i'))),
        Builtin.Of("upper", s => Value.From(Operand.Text(s, 1).ToUpperInvariant().Replace('\u0131', 'I').Replace('\u017f', 'S'))),
        Builtin.Of("split", (s, d) => Split(Operand.Text(s, 1), Operand.Text(d, 2))),
        Builtin.Of("replace", (s, o, n) => Value.From(Replace(Operand.Text(s, 1), Operand.Text(o, 2), Operand.Text(n, 3)))),
        Builtin.Of("strings.replace_n", ReplaceAll),
        Builtin.Of("strings.reverse", s => Value.From(string.Concat(Operand.Text(s, 1).EnumerateRunes().Reverse().Select(r => r.ToString())))),
        Builtin.Of("strings.split_n", (s, d, n) => SplitN(Operand.Text(s, 1), Operand.Text(d, 2), Operand.Int(n, 3))),
        Builtin.Of("strings.count", (s, t) => NumberValue.From(CountOf(Operand.Text(s, 1), Operand.Text(t, 2)))),
        Builtin.Of("strings.any_prefix_match", (s, p) => AnyAffix(s, p, (x, y) => x.StartsWith(y, StringComparison.Ordinal))),
        Builtin.Of("strings.any_suffix_match", (s, p) => AnyAffix(s, p, (x, y) => x.EndsWith(y, StringComparison.Ordinal))),
        Builtin.Of("indexof", (s, t) => IndexOf(Operand.Text(s, 1), Operand.Text(t, 2))),
        Builtin.Of("indexof_n", (s, t) => AllIndexes(Operand.Text(s, 1), Operand.Text(t, 2))),
        Builtin.Of("substring", Substring),
        Builtin.Of("trim", (s, c) => Value.From(Trim(Operand.Text(s, 1), Operand.Text(c, 2), true, true))),
        Builtin.Of("trim_left", (s, c) => Value.From(Trim(Operand.Text(s, 1), Operand.Text(c, 2), true, false))),
        Builtin.Of("trim_right", (s, c) => Value.From(Trim(Operand.Text(s, 1), Operand.Text(c, 2), false, true))),
        Builtin.Of("trim_space", s => Value.From(Operand.Text(s, 1).Trim())),
        Builtin.Of("trim_prefix", (s, p) => Value.From(Operand.Text(s, 1) is var x && Operand.Text(p, 2) is var y && y.Length > 0 && x.StartsWith(y, StringComparison.Ordinal) ? x[y.Length..] : x)),
        Builtin.Of("trim_suffix", (s, p) => Value.From(Operand.Text(s, 1) is var x && Operand.Text(p, 2) is var y && y.Length > 0 && x.EndsWith(y, StringComparison.Ordinal) ? x[..^y.Length] : x)),
        Builtin.Of("format_int", FormatInt),
        Builtin.Of("sprintf", (f, a) => Value.From(GoFormat.Format(Operand.Text(f, 1), Operand.Array(a, 2)))),
    ];

    // The first n parts; the last when n is negative.
    static ArrayValue SplitN(string s, string delimiter, int count)
    {
        Value[] parts = Split(s, delimiter).Items;
        int kept = (int)Math.Min(Math.Abs((long)count), parts.Length);
        return new ArrayValue(count < 0 ? parts[^kept..] : parts[..kept]);
    }

    static ArrayValue Split(string s, string delimiter)
    {
        // A part has its text, its value and its place.
        Evaluation.Reserve(64L * (delimiter.Length == 0 ? s.Length : CountOf(s, delimiter)));
        if (delimiter.Length == 0) return new ArrayValue([.. s.EnumerateRunes().Select(r => Value.From(r.ToString()))]);
        string[] parts = s.Split(delimiter, StringSplitOptions.None);
        var values = new Value[parts.Length];
        for (int i = 0; i < parts.Length; i++) values[i] = Value.From(parts[i]);
        return new ArrayValue(values);
    }

    // Go puts the replacement around every character when there is nothing to look for.
    static string Replace(string s, string old, string replacement)
    {
        int count = old.Length == 0 ? s.Length + 1 : replacement.Length <= old.Length ? 0 : CountOf(s, old);
        Evaluation.Reserve(2 * (s.Length + (long)count * replacement.Length));
        if (old.Length > 0) return s.Replace(old, replacement, StringComparison.Ordinal);
        var text = new StringBuilder(replacement);
        foreach (Rune rune in s.EnumerateRunes()) text.Append(rune.ToString()).Append(replacement);
        return text.ToString();
    }

    static Value ReplaceAll(Value patterns, Value s)
    {
        ObjectValue map = Operand.Object(patterns, 1);
        string text = Operand.Text(s, 2);
        var pairs = new List<(string Old, string New)>();
        foreach ((Value key, Value value) in map.Pairs)
        {
            if (key is not StringValue k) throw BuiltinException.Operand(1, "non-string key found in pattern object");
            if (value is not StringValue v) throw BuiltinException.Operand(1, "non-string value found in pattern object");
            pairs.Add((k.Text, v.Text));
        }
        var result = new StringBuilder();
        bool wasEmpty = false;
        for (int i = 0; i <= text.Length;)
        {
            // At each place the first pattern in key order wins; the empty one once.
            bool skipEmpty = wasEmpty;
            int found = pairs.FindIndex(p => (p.Old.Length > 0 || !skipEmpty) && string.CompareOrdinal(text, i, p.Old, 0, p.Old.Length) == 0);
            wasEmpty = found >= 0 && pairs[found].Old.Length == 0;
            if (found >= 0)
            {
                Evaluation.Pulse();
                Evaluation.Reserve(2L * pairs[found].New.Length);
                result.Append(pairs[found].New);
                i += pairs[found].Old.Length;
                continue;
            }
            if (i < text.Length) result.Append(text[i]);
            i++;
        }
        return Value.From(result.ToString());
    }

    static int CountOf(string s, string part)
    {
        if (part.Length == 0) return s.EnumerateRunes().Count() + 1;
        int count = 0;
        for (int i = s.IndexOf(part, StringComparison.Ordinal); i >= 0; i = s.IndexOf(part, i + part.Length, StringComparison.Ordinal)) count++;
        return count;
    }

    static Value AnyAffix(Value search, Value bases, Func<string, string, bool> match)
    {
        string[] texts = StringOrStrings(search, 1), affixes = StringOrStrings(bases, 2);
        return Value.From(texts.Any(t => affixes.Any(a => match(t, a))));
    }

    static string[] StringOrStrings(Value v, int position) => v switch
    {
        StringValue s => [s.Text],
        ArrayValue or SetValue => Operand.Strings(v, position),
        _ => throw BuiltinException.Type(position, v, "string", "set", "array"),
    };

    static NumberValue IndexOf(string s, string part)
    {
        if (part.Length == 0) throw new BuiltinException("empty search character");
        int i = s.IndexOf(part, StringComparison.Ordinal);
        return NumberValue.From(i < 0 ? -1 : RuneCount(s.AsSpan(0, i)));
    }

    static ArrayValue AllIndexes(string s, string part)
    {
        if (part.Length == 0) throw new BuiltinException("empty search character");
        var found = new List<Value>();
        for (int i = s.IndexOf(part, StringComparison.Ordinal); i >= 0; i = s.IndexOf(part, i + 1, StringComparison.Ordinal)) found.Add(Value.From(RuneCount(s.AsSpan(0, i))));
        return new ArrayValue([.. found]);
    }

    static int RuneCount(ReadOnlySpan<char> s)
    {
        int count = 0;
        foreach (Rune _ in s.EnumerateRunes()) count++;
        return count;
    }

    static Value Substring(Value s, Value offset, Value length)
    {
        string text = Operand.Text(s, 1);
        int from = Operand.Int(offset, 2), count = Operand.Int(length, 3);
        if (from < 0) throw new BuiltinException("negative offset");
        Rune[] runes = [.. text.EnumerateRunes()];
        if (from >= runes.Length) return StringValue.Empty;
        int end = count < 0 ? runes.Length : Math.Min(runes.Length, (int)Math.Min((long)from + count, int.MaxValue));
        return Value.From(string.Concat(runes[from..end].Select(r => r.ToString())));
    }

    static string Trim(string s, string cutset, bool left, bool right)
    {
        HashSet<Rune> cut = [.. cutset.EnumerateRunes()];
        Rune[] runes = [.. s.EnumerateRunes()];
        int start = 0, end = runes.Length;
        if (left)
            while (start < end && cut.Contains(runes[start])) start++;
        if (right)
            while (end > start && cut.Contains(runes[end - 1])) end--;
        return string.Concat(runes[start..end].Select(r => r.ToString()));
    }

    static Value FormatInt(Value number, Value radix)
    {
        BigInteger value = Operand.Number(number, 1).ToBigFloat().Truncate();
        if (Operand.Number(radix, 2) is not { } b || !b.TryGetInt64(out long r) || r is not (2 or 8 or 10 or 16)) throw BuiltinException.Operand(2, "must be one of {2, 8, 10, 16}");
        return Value.From(Radix(value, (int)r));
    }

    public static string Radix(BigInteger value, int radix)
    {
        if (value.IsZero) return "0";
        var digits = new StringBuilder();
        for (BigInteger rest = BigInteger.Abs(value); !rest.IsZero; rest /= radix) digits.Insert(0, "0123456789abcdef"[(int)(rest % radix)]);
        return value.Sign < 0 ? "-" + digits : digits.ToString();
    }
}
