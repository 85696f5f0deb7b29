using System.Text;

namespace Talos.Policy;

enum GraphQLTokenKind
{
    Invalid = 0,
    End,
    Punctuator,
    Name,
    Int,
    Float,
    String,
    BlockString,
}

readonly record struct GraphQLToken(GraphQLTokenKind Kind, string Text, int Line, int Column)
{
    /// <summary>The kind as error messages name it.</summary>
    public string KindName => Kind switch
    {
        GraphQLTokenKind.End => "<EOF>",
        GraphQLTokenKind.Invalid => "<Invalid>",
        GraphQLTokenKind.Punctuator => Text,
        _ => Kind.ToString(),
    };

    public string Described
    {
        get
        {
            if (Kind is GraphQLTokenKind.End or GraphQLTokenKind.Invalid or GraphQLTokenKind.Punctuator || Text.Length == 0) return KindName;
            var text = new StringBuilder(KindName).Append(' ');
            ValueText.Quote(text, Text);
            return text.ToString();
        }
    }
}

/// <summary>GraphQL specification, October 2021, §2.1.</summary>
sealed class GraphQLLexer(string text)
{
    int _at, _line = 1, _lineStart;

    public GraphQLToken Next()
    {
        Skip();
        int line = _line, column = _at - _lineStart + 1;
        if (_at >= text.Length) return new(GraphQLTokenKind.End, "", line, column);
        char c = text[_at];
        if (char.IsAsciiLetter(c) || c == '_')
        {
            int start = _at;
            while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_')) _at++;
            return new(GraphQLTokenKind.Name, text[start.._at], line, column);
        }
        if (c == '-' || char.IsAsciiDigit(c)) return Number(line, column);
        if (c == '"') return String(line, column + 1);
        if (c == '.' && string.CompareOrdinal(text, _at, "...", 0, 3) == 0)
        {
            _at += 3;
            return new(GraphQLTokenKind.Punctuator, "...", line, column);
        }
        _at++;
        return new("!$&()=:@[]{}|".Contains(c, StringComparison.Ordinal) ? GraphQLTokenKind.Punctuator : GraphQLTokenKind.Invalid, c.ToString(), line, column);
    }

    void Skip()
    {
        for (; _at < text.Length; _at++)
        {
            char c = text[_at];
            if (c is '\n' or '\r') NewLine();
            else if (c == '#') while (_at + 1 < text.Length && text[_at + 1] is not ('\n' or '\r')) _at++;
            else if (c is not (' ' or '\t' or ',' or '\uFEFF')) break;
        }
    }

    void NewLine()
    {
        if (text[_at] == '\r' && _at + 1 < text.Length && text[_at + 1] == '\n') _at++;
        _line++;
        _lineStart = _at + 1;
    }

    GraphQLToken Number(int line, int column)
    {
        int start = _at;
        bool isFloat = false;
        if (text[_at] == '-') _at++;
        int digits = _at;
        while (_at < text.Length && char.IsAsciiDigit(text[_at])) _at++;
        bool bad = _at == digits || (text[digits] == '0' && _at - digits > 1);
        if (_at < text.Length && text[_at] == '.')
        {
            isFloat = true;
            int fraction = ++_at;
            while (_at < text.Length && char.IsAsciiDigit(text[_at])) _at++;
            bad |= _at == fraction;
        }
        if (_at < text.Length && text[_at] is 'e' or 'E')
        {
            isFloat = true;
            _at++;
            if (_at < text.Length && text[_at] is '+' or '-') _at++;
            int exponent = _at;
            while (_at < text.Length && char.IsAsciiDigit(text[_at])) _at++;
            bad |= _at == exponent;
        }
        return new(bad ? GraphQLTokenKind.Invalid : isFloat ? GraphQLTokenKind.Float : GraphQLTokenKind.Int, text[start.._at], line, column);
    }

    GraphQLToken String(int line, int column)
    {
        if (string.CompareOrdinal(text, _at, "\"\"\"", 0, 3) == 0) return Block(line, column);
        var value = new StringBuilder();
        for (_at++; _at < text.Length; _at++)
        {
            char c = text[_at];
            if (c == '"')
            {
                _at++;
                return new(GraphQLTokenKind.String, value.ToString(), line, column);
            }
            if (c is '\n' or '\r') break;
            if (c != '\\')
            {
                value.Append(c);
                continue;
            }
            c = ++_at < text.Length ? text[_at] : '\0';
            if (c == 'u' && _at + 4 < text.Length && ushort.TryParse(text.AsSpan(_at + 1, 4), System.Globalization.NumberStyles.AllowHexSpecifier, null, out ushort unit))
            {
                value.Append((char)unit);
                _at += 4;
                continue;
            }
            int known = "\"\\/bfnrt".IndexOf(c, StringComparison.Ordinal);
            if (known < 0 || c == '\0') return new(GraphQLTokenKind.Invalid, "", line, column);
            value.Append("\"\\/\b\f\n\r\t"[known]);
        }
        return new(GraphQLTokenKind.Invalid, "", line, column);
    }

    GraphQLToken Block(int line, int column)
    {
        var raw = new StringBuilder();
        for (_at += 3; _at < text.Length; _at++)
        {
            if (string.CompareOrdinal(text, _at, "\\\"\"\"", 0, 4) == 0)
            {
                raw.Append("\"\"\"");
                _at += 3;
                continue;
            }
            if (string.CompareOrdinal(text, _at, "\"\"\"", 0, 3) == 0)
            {
                _at += 3;
                return new(GraphQLTokenKind.BlockString, Dedent(raw.ToString()), line, column);
            }
            if (text[_at] is '\n' or '\r')
            {
                NewLine();
                raw.Append('\n');
            }
            else raw.Append(text[_at]);
        }
        return new(GraphQLTokenKind.Invalid, "", _line, _at - _lineStart + 1);
    }

    // §2.9.4, BlockStringValue()
    static string Dedent(string raw)
    {
        string[] lines = raw.Split('\n');
        int common = lines.Skip(1).Where(l => l.Trim(' ', '\t').Length > 0).Select(l => l.Length - l.TrimStart(' ', '\t').Length).DefaultIfEmpty(0).Min();
        List<string> kept = [lines[0], .. lines.Skip(1).Select(l => l.Length >= common ? l[common..] : "")];
        while (kept.Count > 0 && kept[0].Trim(' ', '\t').Length == 0) kept.RemoveAt(0);
        while (kept.Count > 0 && kept[^1].Trim(' ', '\t').Length == 0) kept.RemoveAt(kept.Count - 1);
        return string.Join('\n', kept);
    }
}
