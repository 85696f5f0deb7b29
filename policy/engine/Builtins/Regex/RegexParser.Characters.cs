using System.Globalization;
using System.Text;

namespace Talos.Policy;

sealed partial class RegexParser
{
    static readonly RuneSet Digits = RuneSet.Of(('0', '9'));
    static readonly RuneSet Words = RuneSet.Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));
    static readonly RuneSet Spaces = RuneSet.Of(('\t', '\n'), ('\f', '\r'), (' ', ' '));

    RegexNode Escape()
    {
        if (_at + 1 >= _pattern.Length) throw Fail("trailing backslash at end of expression", "");
        RegexAssertion? assertion = _pattern[_at + 1] switch
        {
            'A' => RegexAssertion.TextStart,
            'z' => RegexAssertion.TextEnd,
            'b' => RegexAssertion.WordBoundary,
            'B' => RegexAssertion.NoWordBoundary,
            _ => null,
        };
        if (assertion is { } kind)
        {
            _at += 2;
            return new RegexNode.Assertion(kind);
        }
        return NamedSet() is { } set ? new RegexNode.Character(set) : Literal(EscapedRune());
    }

    // \d \w \s and \p, which stand for many characters; null for an escape that stands for one.
    RuneSet? NamedSet()
    {
        char c = _pattern[_at + 1];
        if (c is 'p' or 'P') return UnicodeClass();
        RuneSet? set = char.ToLowerInvariant(c) switch { 'd' => Digits, 'w' => Words, 's' => Spaces, _ => null };
        if (set is null) return null;
        _at += 2;
        // (?i) adds U+017F and U+212A to none of these, as in Go.
        return char.IsAsciiLetterUpper(c) ? set.Negated() : set;
    }

    RuneSet UnicodeClass()
    {
        int start = _at;
        bool negated = _pattern[_at + 1] == 'P';
        _at += 2;
        if (AtEnd) throw Fail("invalid character class range", _pattern[start..]);
        string name;
        if (Current == '{')
        {
            int end = _pattern.IndexOf('}', _at);
            if (end < 0) throw Fail("invalid character class range", _pattern[start..]);
            name = _pattern[(_at + 1)..end];
            _at = end + 1;
        }
        else
        {
            int from = _at;
            NextRune();
            name = _pattern[from.._at];
        }
        if (name.StartsWith('^')) (negated, name) = (!negated, name[1..]);
        RuneSet set = UnicodeClasses.Find(name) ?? throw Fail("invalid character class range", _pattern[start.._at]);
        if (_fold) set = set.Folded();
        return negated ? set.Negated() : set;
    }

    int EscapedRune()
    {
        int start = _at++;
        if (AtEnd) throw Fail("trailing backslash at end of expression", "");
        int rune = NextRune();
        switch (rune)
        {
            case 'a': return '\a';
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'v': return '\v';
            case 'x': return Hexadecimal(start);
            // Go: a single digit that is not zero would refer back, which RE2 cannot.
            case >= '1' and <= '7' when AtEnd || Current is < '0' or > '7': break;
            case >= '0' and <= '7':
                int value = rune - '0';
                for (int digits = 1; digits < 3 && !AtEnd && Current is >= '0' and <= '7'; digits++) value = value * 8 + _pattern[_at++] - '0';
                return value;
            case < 0x80 when !char.IsAsciiLetterOrDigit((char)rune): return rune;
        }
        throw Fail("invalid escape sequence", _pattern[start.._at]);
    }

    int Hexadecimal(int start)
    {
        string digits;
        if (!AtEnd && Current == '{')
        {
            int end = _pattern.IndexOf('}', _at);
            if (end < 0) throw Fail("invalid escape sequence", _pattern[start..]);
            digits = _pattern[(_at + 1)..end];
            _at = end + 1;
        }
        else
        {
            digits = _pattern[_at..Math.Min(_pattern.Length, _at + 2)];
            _at += digits.Length;
            if (digits.Length < 2) throw Fail("invalid escape sequence", _pattern[start.._at]);
        }
        if (int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) && value is >= 0 and <= RuneSet.Max) return value;
        throw Fail("invalid escape sequence", _pattern[start.._at]);
    }

    RegexNode.Character CharacterClass()
    {
        int start = _at++;
        bool negated = !AtEnd && Current == '^';
        if (negated) _at++;
        var set = new RuneSet();
        bool first = true;
        while (true)
        {
            if (AtEnd) throw Fail("missing closing ]", _pattern[start..]);
            if (Current == ']' && !first) break;
            first = false;
            ClassItem(set, start);
        }
        _at++;
        return new RegexNode.Character(negated ? set.Negated() : set);
    }

    void ClassItem(RuneSet set, int start)
    {
        if (Current == '[' && _pattern.AsSpan(_at).StartsWith("[:") && _pattern.IndexOf(":]", _at + 2, StringComparison.Ordinal) is > 0 and int end)
        {
            string whole = _pattern[_at..(end + 2)], name = whole[2..^2];
            RuneSet named = PosixClass(name.TrimStart('^')) ?? throw Fail("invalid character class range", whole);
            if (_fold) named = named.Folded();
            set.Add(name.StartsWith('^') ? named.Negated() : named);
            _at = end + 2;
            return;
        }
        if (Current == '\\' && _at + 1 < _pattern.Length && NamedSet() is { } escaped)
        {
            set.Add(escaped);
            return;
        }
        int from = _at, low = ClassRune(start), high = low;
        if (_at + 1 < _pattern.Length && Current == '-' && _pattern[_at + 1] != ']')
        {
            _at++;
            if (Current == '\\' && _at + 1 < _pattern.Length && NamedSet() is not null) throw Fail("invalid character class range", _pattern[from.._at]);
            high = ClassRune(start);
            if (high < low) throw Fail("invalid character class range", _pattern[from.._at]);
        }
        RuneSet range = RuneSet.Of((low, high));
        set.Add(_fold ? range.Folded() : range);
    }

    int ClassRune(int start)
    {
        if (AtEnd) throw Fail("missing closing ]", _pattern[start..]);
        return Current == '\\' ? EscapedRune() : NextRune();
    }

    static RuneSet? PosixClass(string name) => name switch
    {
        "alnum" => RuneSet.Of(('0', '9'), ('A', 'Z'), ('a', 'z')),
        "alpha" => RuneSet.Of(('A', 'Z'), ('a', 'z')),
        "ascii" => RuneSet.Of((0, 0x7F)),
        "blank" => RuneSet.Of(('\t', '\t'), (' ', ' ')),
        "cntrl" => RuneSet.Of((0, 0x1F), (0x7F, 0x7F)),
        "digit" => Digits,
        "graph" => RuneSet.Of(('!', '~')),
        "lower" => RuneSet.Of(('a', 'z')),
        "print" => RuneSet.Of((' ', '~')),
        "punct" => RuneSet.Of(('!', '/'), (':', '@'), ('[', '`'), ('{', '~')),
        "space" => RuneSet.Of(('\t', '\r'), (' ', ' ')),
        "upper" => RuneSet.Of(('A', 'Z')),
        "word" => Words,
        "xdigit" => RuneSet.Of(('0', '9'), ('A', 'F'), ('a', 'f')),
        _ => null,
    };
}
