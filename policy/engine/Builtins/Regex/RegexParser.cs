using System.Globalization;
using System.Text;

namespace Talos.Policy;

/// <summary>RE2's syntax as Go reads it, with Go's words for what it is not.</summary>
sealed partial class RegexParser
{
    // LIMIT: length of a pattern; how deep it nests and how often it repeats, as in Go.
    const int MaxPattern = 10_000, MaxDepth = 200, MaxRepeat = 1000;

    readonly string _pattern;
    int _at;
    bool _fold, _manyLines, _dotAll, _ungreedy;
    int _groups;
    readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);

    RegexParser(string pattern) => _pattern = pattern;

    /// <exception cref="BuiltinException">It is no regular expression.</exception>
    public static (RegexNode Root, int Groups, IReadOnlyDictionary<string, int> Names) Parse(string pattern)
    {
        if (pattern.Length > MaxPattern) throw new BuiltinException($"error parsing regexp: the pattern is longer than {MaxPattern} characters");
        var parser = new RegexParser(pattern);
        RegexNode root = parser.Alternation(0);
        if (parser._at < pattern.Length) throw Fail("unexpected )", pattern);
        return (root, parser._groups, parser._names);
    }

    bool AtEnd => _at >= _pattern.Length;

    char Current => _pattern[_at];

    static BuiltinException Fail(string problem, string part) => new($"error parsing regexp: {problem}: `{part}`");

    RegexNode Alternation(int depth)
    {
        if (depth > MaxDepth) throw Fail("expression nests too deeply", _pattern);
        var (fold, manyLines, dotAll, ungreedy) = (_fold, _manyLines, _dotAll, _ungreedy);
        var alternatives = new List<RegexNode>();
        var sequence = new List<RegexNode>();
        while (!AtEnd && Current != ')')
        {
            if (Current == '|')
            {
                alternatives.Add(Sequence(sequence));
                sequence = [];
                _at++;
                continue;
            }
            Item(sequence, depth);
        }
        (_fold, _manyLines, _dotAll, _ungreedy) = (fold, manyLines, dotAll, ungreedy);
        alternatives.Add(Sequence(sequence));
        return alternatives.Count == 1 ? alternatives[0] : new RegexNode.Alternatives(alternatives);
    }

    static RegexNode Sequence(List<RegexNode> items) => items.Count switch { 0 => RegexNode.Empty.Instance, 1 => items[0], _ => new RegexNode.Sequence(items) };

    void Item(List<RegexNode> sequence, int depth)
    {
        switch (Current)
        {
            case '(':
                if (Group(depth) is { } group) sequence.Add(Repetition(group));
                return;
            case '[':
                sequence.Add(Repetition(CharacterClass()));
                return;
            case '\\' when _pattern.AsSpan(_at).StartsWith("\\Q"):
                Quoted(sequence);
                return;
            case '\\':
                sequence.Add(Repetition(Escape()));
                return;
            case '.':
                _at++;
                sequence.Add(Repetition(new RegexNode.Character(_dotAll ? RuneSet.Of((0, RuneSet.Max)) : RuneSet.Of((0, '\n' - 1), ('\n' + 1, RuneSet.Max)))));
                return;
            case '^':
                _at++;
                sequence.Add(Repetition(new RegexNode.Assertion(_manyLines ? RegexAssertion.LineStart : RegexAssertion.TextStart)));
                return;
            case '$':
                _at++;
                sequence.Add(Repetition(new RegexNode.Assertion(_manyLines ? RegexAssertion.LineEnd : RegexAssertion.TextEnd)));
                return;
            case '*' or '+' or '?':
                throw Fail("missing argument to repetition operator", Current.ToString());
            case '{' when Counted(out _, out _, out int length):
                throw Fail("missing argument to repetition operator", _pattern[_at..(_at + length)]);
            default:
                sequence.Add(Repetition(Literal(NextRune())));
                return;
        }
    }

    RegexNode.Character Literal(int rune)
    {
        RuneSet set = RuneSet.Of((rune, rune));
        return new RegexNode.Character(_fold ? set.Folded() : set);
    }

    int NextRune()
    {
        Rune.DecodeFromUtf16(_pattern.AsSpan(_at), out Rune rune, out int length);
        _at += length;
        return rune.Value;
    }

    // Go: a repetition binds to the last character of a quoted run.
    void Quoted(List<RegexNode> sequence)
    {
        int end = _pattern.IndexOf("\\E", _at + 2, StringComparison.Ordinal), stop = end < 0 ? _pattern.Length : end;
        _at += 2;
        while (_at < stop) sequence.Add(Literal(NextRune()));
        _at = end < 0 ? stop : end + 2;
        if (sequence.Count == 0) return;
        RegexNode last = sequence[^1];
        sequence[^1] = Repetition(last);
    }

    RegexNode Repetition(RegexNode node)
    {
        int first = -1;
        while (!AtEnd)
        {
            int start = _at, min, max;
            switch (Current)
            {
                case '*': (min, max) = (0, -1); _at++; break;
                case '+': (min, max) = (1, -1); _at++; break;
                case '?': (min, max) = (0, 1); _at++; break;
                case '{' when Counted(out min, out max, out int length):
                    _at += length;
                    if (min > MaxRepeat || max > MaxRepeat || (max >= 0 && min > max)) throw Fail("invalid repeat count", _pattern[start.._at]);
                    break;
                default: return node;
            }
            bool lazy = _ungreedy;
            if (!AtEnd && Current == '?')
            {
                _at++;
                lazy = !lazy;
            }
            if (first >= 0) throw Fail("invalid nested repetition operator", _pattern[first.._at]);
            first = start;
            node = new RegexNode.Repeat(node, min, max, lazy);
            if ((min >= 2 || max >= 2) && Largest(node) > MaxRepeat) throw Fail("invalid repeat count", _pattern[start.._at]);
        }
        return node;
    }

    // Go, repeatIsValid: the product of counts that are inside one another.
    static long Largest(RegexNode node) => node switch
    {
        RegexNode.Repeat { Max: 0 } => 1,
        RegexNode.Repeat r => Math.Min(int.MaxValue, Math.Max(1, r is { Min: <= 1, Max: < 2 } ? 1 : r.Max < 0 ? r.Min : r.Max) * Largest(r.Inner)),
        RegexNode.Group g => Largest(g.Inner),
        RegexNode.Sequence s => s.Items.Max(Largest),
        RegexNode.Alternatives a => a.Items.Max(Largest),
        _ => 1,
    };

    // `{n}`, `{n,}`, `{n,m}`; anything else is text.
    bool Counted(out int min, out int max, out int length)
    {
        (min, max, length) = (0, 0, 0);
        int end = _pattern.IndexOf('}', _at);
        if (end < 0) return false;
        string[] parts = _pattern[(_at + 1)..end].Split(',');
        if (parts.Length > 2 || !Number(parts[0], out min)) return false;
        max = min;
        if (parts.Length == 2 && parts[1].Length == 0) max = -1;
        else if (parts.Length == 2 && !Number(parts[1], out max)) return false;
        length = end + 1 - _at;
        return true;
    }

    static bool Number(string text, out int number)
    {
        number = 0;
        // Go: leading zeros are no number.
        if (text.Length == 0 || !text.All(char.IsAsciiDigit) || (text.Length > 1 && text[0] == '0')) return false;
        number = text.Length > 8 ? int.MaxValue : int.Parse(text, CultureInfo.InvariantCulture);
        return true;
    }

    /// <summary>Null for a group that only sets flags.</summary>
    RegexNode? Group(int depth)
    {
        var flags = (_fold, _manyLines, _dotAll, _ungreedy);
        int start = _at++, number = 0;
        if (!AtEnd && Current == '?')
        {
            if (_pattern.AsSpan(_at).StartsWith("?P<") || _pattern.AsSpan(_at).StartsWith("?<")) number = NamedGroup(start);
            else if (Flags(start)) return null;
        }
        else number = ++_groups;
        RegexNode inner = Alternation(depth + 1);
        if (AtEnd) throw Fail("missing closing )", _pattern);
        _at++;
        (_fold, _manyLines, _dotAll, _ungreedy) = flags;
        return number == 0 ? inner : new RegexNode.Group(inner, number);
    }

    int NamedGroup(int start)
    {
        int open = _pattern.IndexOf('<', _at), close = _pattern.IndexOf('>', _at);
        if (close < 0) throw Fail("invalid named capture", _pattern[start..]);
        string name = _pattern[(open + 1)..close];
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') || !_names.TryAdd(name, _groups + 1))
            throw Fail("invalid named capture", _pattern[start..(close + 1)]);
        _at = close + 1;
        return ++_groups;
    }

    /// <summary>True when the group ends with its flags, which then hold for what follows.</summary>
    bool Flags(int start)
    {
        _at++;
        bool on = true, any = false;
        while (!AtEnd)
        {
            char c = _pattern[_at++];
            switch (c)
            {
                case 'i': _fold = on; any = true; break;
                case 'm': _manyLines = on; any = true; break;
                case 's': _dotAll = on; any = true; break;
                case 'U': _ungreedy = on; any = true; break;
                case '-' when on: on = false; any = false; break;
                case ':' or ')' when on || any: return c == ')';
                default: throw Fail("invalid or unsupported Perl syntax", _pattern[start.._at]);
            }
        }
        throw Fail("missing closing )", _pattern);
    }
}
