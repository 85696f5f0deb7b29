using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Talos.Policy;

/// <summary>
/// RE2 syntax, as Go reads it, translated for .NET's engine without backtracking; so time stays linear in the text. What
/// RE2 does not have (look-around, back-references) is refused here with Go's words.
/// </summary>
sealed class GoRegex
{
    // LIMIT: length of a pattern.
    const int MaxPattern = 10_000;

    // LIMIT: patterns kept compiled.
    const int MaxCached = 500;

    // LIMIT: repetitions, as in RE2.
    const int MaxRepeat = 1000;

    static readonly ConcurrentDictionary<string, GoRegex> Cache = new(StringComparer.Ordinal);

    readonly string _pattern;
    readonly StringBuilder _out = new();
    int _at;
    string _flags = "";
    int _groups;
    readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);

    GoRegex(string pattern)
    {
        _pattern = pattern;
        if (pattern.Length > MaxPattern) throw new BuiltinException($"error parsing regexp: the pattern is longer than {MaxPattern} characters");
        Alternation(0);
        if (_at < pattern.Length) throw Fail("unexpected )", pattern);
        try
        {
            Regex = new Regex(_out.ToString(), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new BuiltinException($"error parsing regexp: {e.Message}");
        }
    }

    public Regex Regex { get; }

    /// <summary>The number of a named group; null when no group has the name.</summary>
    public int? Group(string name) => _names.TryGetValue(name, out int number) ? number : null;

    public static Regex Compile(string pattern) => Parse(pattern).Regex;

    public static GoRegex Parse(string pattern)
    {
        if (Cache.TryGetValue(pattern, out GoRegex? known)) return known;
        var compiled = new GoRegex(pattern);
        if (Cache.Count >= MaxCached) Cache.Clear();
        Cache[pattern] = compiled;
        return compiled;
    }

    BuiltinException Fail(string problem, string part) => new($"error parsing regexp: {problem}: `{part}`");

    void Alternation(int depth)
    {
        if (depth > 200) throw new BuiltinException("error parsing regexp: expression nests too deeply");
        string flags = _flags;
        while (_at < _pattern.Length && _pattern[_at] != ')')
        {
            if (_pattern[_at] == '|')
            {
                _out.Append('|');
                _at++;
                continue;
            }
            Atom(depth);
        }
        _flags = flags;
    }

    void Atom(int depth)
    {
        int start = _at;
        char c = _pattern[_at];
        bool repeatable = true;
        switch (c)
        {
            case '(':
                repeatable = Group(depth);
                break;
            case '[':
                CharacterClass();
                break;
            case '\\':
                Escape();
                break;
            case '.':
                _at++;
                _out.Append(_flags.Contains('s', StringComparison.Ordinal) ? "[\\s\\S]" : "[^\\n]");
                break;
            case '^':
                _at++;
                _out.Append(_flags.Contains('m', StringComparison.Ordinal) ? "(?m:^)" : "\\A");
                break;
            case '$':
                _at++;
                _out.Append(_flags.Contains('m', StringComparison.Ordinal) ? "(?m:$)" : "\\z");
                break;
            case '*' or '+' or '?':
                throw Fail("missing argument to repetition operator", c.ToString());
            default:
                _at++;
                _out.Append(c is ' ' or '#' ? "\\" + c : Regex.Escape(c.ToString()) is var escaped && c is ']' or '}' ? "\\" + c : escaped);
                break;
        }
        if (repeatable) Repetition(start);
    }

    void Repetition(int start)
    {
        _ = start;
        bool repeated = false;
        while (_at < _pattern.Length)
        {
            char c = _pattern[_at];
            string? quantifier = c is '*' or '+' or '?' ? c.ToString() : c == '{' ? Counted() : null;
            if (quantifier is null)
            {
                return;
            }
            int operatorStart = _at;
            if (repeated) throw Fail("invalid nested repetition operator", _pattern[(operatorStart - 1)..(operatorStart + 1)]);
            _at += quantifier.Length;
            _out.Append(quantifier);
            bool lazy = _at < _pattern.Length && _pattern[_at] == '?';
            if (lazy) _at++;
            if (lazy != _flags.Contains('U', StringComparison.Ordinal)) _out.Append('?');
            repeated = true;
        }
    }

    string? Counted()
    {
        int end = _pattern.IndexOf('}', _at);
        if (end < 0) return null;
        string inner = _pattern[(_at + 1)..end];
        string[] parts = inner.Split(',');
        if (parts.Length > 2 || parts[0].Length == 0 || !parts[0].All(char.IsAsciiDigit) || (parts.Length == 2 && !parts[1].All(char.IsAsciiDigit))) return null;
        foreach (string part in parts)
            if (part.Length > 4 || (part.Length > 0 && int.Parse(part, CultureInfo.InvariantCulture) > MaxRepeat)) throw Fail("invalid repeat count", _pattern[_at..(end + 1)]);
        return _pattern[_at..(end + 1)];
    }

    /// <summary>Returns false for a group that only sets flags.</summary>
    bool Group(int depth)
    {
        int start = _at;
        string outer = _flags;
        _at++;
        if (_at < _pattern.Length && _pattern[_at] == '?')
        {
            Match name = Regex.Match(_pattern[_at..], @"\A\?P?<([A-Za-z0-9_]+)>");
            if (name.Success)
            {
                _at += name.Length;
                // NOTE: .NET numbers named groups after the others; so the name stays here, and the group is numbered like the rest.
                if (!_names.TryAdd(name.Groups[1].Value, _groups + 1)) throw Fail("duplicate capture group name", name.Groups[1].Value);
                _groups++;
                _out.Append('(');
            }
            else
            {
                Match flags = Regex.Match(_pattern[_at..], @"\A\?([imsU]*)(?:-([imsU]+))?([:)])");
                if (!flags.Success) throw Fail("invalid or unsupported Perl syntax", _pattern[start..Math.Min(_pattern.Length, start + 3)]);
                _at += flags.Length;
                foreach (char f in flags.Groups[1].Value)
                    if (!_flags.Contains(f, StringComparison.Ordinal)) _flags += f;
                foreach (char f in flags.Groups[2].Value) _flags = _flags.Replace(f.ToString(), "", StringComparison.Ordinal);
                string mode = _flags.Contains('i', StringComparison.Ordinal) ? "i" : "-i";
                if (flags.Groups[3].Value == ")")
                {
                    _out.Append("(?").Append(mode).Append(')');
                    return false;
                }
                _out.Append("(?").Append(mode).Append(':');
            }
        }
        else
        {
            _groups++;
            _out.Append('(');
        }
        Alternation(depth + 1);
        if (_at >= _pattern.Length) throw Fail("missing closing )", _pattern);
        _at++;
        _out.Append(')');
        _flags = outer;
        return true;
    }

    void Escape()
    {
        int start = _at++;
        if (_at >= _pattern.Length) throw new BuiltinException("error parsing regexp: trailing backslash at end of expression: ``");
        char c = _pattern[_at++];
        switch (c)
        {
            case 'd': _out.Append("[0-9]"); break;
            case 'D': _out.Append("[^0-9]"); break;
            case 'w': _out.Append("[0-9A-Za-z_]"); break;
            case 'W': _out.Append("[^0-9A-Za-z_]"); break;
            case 's': _out.Append("[\\t\\n\\f\\r ]"); break;
            case 'S': _out.Append("[^\\t\\n\\f\\r ]"); break;
            case 'A' or 'z' or 'b' or 'B': _out.Append('\\').Append(c); break;
            case 'Q':
                int end = _pattern.IndexOf("\\E", _at, StringComparison.Ordinal);
                string literal = end < 0 ? _pattern[_at..] : _pattern[_at..end];
                _out.Append(Regex.Escape(literal));
                _at = end < 0 ? _pattern.Length : end + 2;
                break;
            case 'p' or 'P': _out.Append(UnicodeClass(c, start)); break;
            default:
                _out.Append(Literal(c, start));
                break;
        }
    }

    string UnicodeClass(char kind, int start)
    {
        string name;
        if (_at < _pattern.Length && _pattern[_at] == '{')
        {
            int end = _pattern.IndexOf('}', _at);
            if (end < 0) throw Fail("invalid character class range", _pattern[start..]);
            name = _pattern[(_at + 1)..end];
            _at = end + 1;
        }
        else if (_at < _pattern.Length) name = _pattern[_at++].ToString();
        else throw Fail("invalid character class range", _pattern[start..]);
        if (name.StartsWith('^'))
        {
            kind = kind == 'p' ? 'P' : 'p';
            name = name[1..];
        }
        string? known = name switch
        {
            "Greek" => "IsGreek",
            "Cyrillic" => "IsCyrillic",
            "Hebrew" => "IsHebrew",
            "Arabic" => "IsArabic",
            "Latin" => "IsBasicLatin",
            "Thai" => "IsThai",
            "Han" => "IsCJKUnifiedIdeographs",
            "Hiragana" => "IsHiragana",
            "Katakana" => "IsKatakana",
            _ when name.Length is 1 or 2 && char.IsAsciiLetterUpper(name[0]) => name,
            _ => null,
        };
        return known is null ? throw Fail("invalid character class range", _pattern[start.._at]) : $"\\{kind}{{{known}}}";
    }

    // The character that an escape stands for, as an escape of .NET.
    string Literal(char c, int start)
    {
        switch (c)
        {
            case 'a' or 'f' or 'n' or 'r' or 't' or 'v':
                return "\\" + c;
            case 'x':
                string hex;
                if (_at < _pattern.Length && _pattern[_at] == '{')
                {
                    int end = _pattern.IndexOf('}', _at);
                    hex = end < 0 ? "" : _pattern[(_at + 1)..end];
                    _at = end + 1;
                }
                else
                {
                    hex = _pattern[_at..Math.Min(_pattern.Length, _at + 2)];
                    _at += hex.Length;
                }
                if (!int.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) || !Rune.IsValid(value)) throw Fail("invalid escape sequence", _pattern[start..Math.Min(_at, _pattern.Length)]);
                return string.Concat(new Rune(value).ToString().Select(u => $"\\u{(int)u:x4}"));
            case >= '0' and <= '7':
                int octal = c - '0', digits = 1;
                if (c != '0' && (_at >= _pattern.Length || _pattern[_at] is < '0' or > '7')) throw Fail("invalid escape sequence", _pattern[start.._at]);
                while (digits++ < 3 && _at < _pattern.Length && _pattern[_at] is >= '0' and <= '7') octal = octal * 8 + _pattern[_at++] - '0';
                return $"\\u{octal:x4}";
            default:
                if (char.IsAsciiLetterOrDigit(c) || c >= 0x80) throw Fail("invalid escape sequence", _pattern[start.._at]);
                return c == '_' ? "_" : $"\\u{(int)c:x4}";
        }
    }

    void CharacterClass()
    {
        int start = _at++;
        _out.Append('[');
        if (_at < _pattern.Length && _pattern[_at] == '^')
        {
            _out.Append('^');
            _at++;
        }
        bool first = true;
        while (true)
        {
            if (_at >= _pattern.Length) throw Fail("missing closing ]", _pattern[start..]);
            if (_pattern[_at] == ']' && !first) break;
            first = false;
            if (_pattern[_at] == '[' && _at + 1 < _pattern.Length && _pattern[_at + 1] == ':' && _pattern.IndexOf(":]", _at, StringComparison.Ordinal) is > 0 and int end)
            {
                _out.Append(PosixClass(_pattern[(_at + 2)..end], _pattern[_at..(end + 2)]));
                _at = end + 2;
                continue;
            }
            (string text, char? low) = ClassItem(start);
            if (low is { } from && _at + 1 < _pattern.Length && _pattern[_at] == '-' && _pattern[_at + 1] != ']')
            {
                int rangeStart = _at;
                _at++;
                (string upper, char? high) = ClassItem(start);
                if (high is not { } to || to < from) throw Fail("invalid character class range", $"{from}{_pattern[rangeStart.._at]}");
                _out.Append(text).Append('-').Append(upper);
            }
            else _out.Append(text);
        }
        _at++;
        _out.Append(']');
    }

    (string Text, char? Single) ClassItem(int start)
    {
        char c = _pattern[_at++];
        if (c != '\\') return ($"\\u{(int)c:x4}", c);
        if (_at >= _pattern.Length) throw Fail("missing closing ]", _pattern[start..]);
        int escape = _at - 1;
        c = _pattern[_at++];
        switch (c)
        {
            case 'd': return ("0-9", null);
            case 'w': return ("0-9A-Za-z_", null);
            case 's': return ("\\t\\n\\f\\r ", null);
            case 'D' or 'W' or 'S': return ("\\" + c, null);
            case 'p' or 'P': return (UnicodeClass(c, escape), null);
            case 'a': return ("\\u0007", '\a');
            case 'f': return ("\\u000c", '\f');
            case 'n': return ("\\u000a", '\n');
            case 'r': return ("\\u000d", '\r');
            case 't': return ("\\u0009", '\t');
            case 'v': return ("\\u000b", '\v');
            default:
                string literal = Literal(c, escape);
                return (literal, literal.Length == 6 ? (char)int.Parse(literal.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) : literal == "_" ? '_' : null);
        }
    }

    string PosixClass(string name, string whole)
    {
        bool negated = name.StartsWith('^');
        string? set = name.TrimStart('^') switch
        {
            "alnum" => "0-9A-Za-z",
            "alpha" => "A-Za-z",
            "ascii" => "\\u0000-\\u007f",
            "blank" => "\\t ",
            "cntrl" => "\\u0000-\\u001f\\u007f",
            "digit" => "0-9",
            "graph" => "!-~",
            "lower" => "a-z",
            "print" => " -~",
            "punct" => "!-/:-@\\u005b-`{-~",
            "space" => "\\t\\n\\u000b\\f\\r ",
            "upper" => "A-Z",
            "word" => "0-9A-Za-z_",
            "xdigit" => "0-9A-Fa-f",
            _ => null,
        };
        if (set is null || negated) throw Fail("invalid character class range", whole);
        return set;
    }
}
