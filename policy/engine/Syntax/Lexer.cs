using System.Buffers;
using System.Globalization;
using System.Text;

namespace Talos.Policy;

/// <summary>A syntax error; never leaves the parser as an exception.</summary>
sealed class SyntaxException(PolicyError error) : Exception(error.Message)
{
    public PolicyError Error { get; } = error;
}

/// <summary>Turns text into tokens on demand, so that template strings can switch between text and expressions.</summary>
sealed class Lexer(SourceText source)
{
    // Policy language, v1: these cannot name rules or variables.
    static readonly HashSet<string> Keywords =
        ["as", "contains", "default", "else", "every", "false", "if", "import", "in", "not", "null", "package", "some", "true", "with"];

    public static bool IsKeyword(string name) => Keywords.Contains(name);

    static readonly SearchValues<char> PlainText = SearchValues.Create("\"\\\n");

    readonly string _text = source.Text;
    int _at;

    public List<(int Start, string Text)> Comments { get; } = [];

    public int Offset { get => _at; set => _at = value; }

    public Token Next()
    {
        int before = _at;
        bool newLine = SkipBlank();
        bool space = _at != before;
        int start = _at;
        if (_at >= _text.Length) return new(TokenKind.End, start, start, "", newLine, space);
        char c = _text[_at];
        Token Make(TokenKind kind, int length)
        {
            _at = start + length;
            return new(kind, start, _at, "", newLine, space);
        }
        char next = _at + 1 < _text.Length ? _text[_at + 1] : '\0';
        if (IsNameStart(c)) return Name(start, newLine, space);
        if (char.IsAsciiDigit(c)) return Number(start, newLine, space);
        switch (c)
        {
            case '"':
                _at++;
                return new(TokenKind.String, start, 0, StringBody(start, false, out _), newLine, space) { End = _at };
            case '`':
                return RawString(start, newLine, space);
            case '$' when next == '"': return Make(TokenKind.TemplateStart, 2);
            case '$' when next == '`': return Make(TokenKind.RawTemplateStart, 2);
            case '.': return Make(TokenKind.Dot, 1);
            case ',': return Make(TokenKind.Comma, 1);
            case ';': return Make(TokenKind.Semicolon, 1);
            case '(': return Make(TokenKind.LeftParen, 1);
            case ')': return Make(TokenKind.RightParen, 1);
            case '[': return Make(TokenKind.LeftBracket, 1);
            case ']': return Make(TokenKind.RightBracket, 1);
            case '{': return Make(TokenKind.LeftBrace, 1);
            case '}': return Make(TokenKind.RightBrace, 1);
            case ':': return next == '=' ? Make(TokenKind.Assign, 2) : Make(TokenKind.Colon, 1);
            case '=': return next == '=' ? Make(TokenKind.Equal, 2) : Make(TokenKind.Unify, 1);
            case '!' when next == '=': return Make(TokenKind.NotEqual, 2);
            case '<': return next == '=' ? Make(TokenKind.LessOrEqual, 2) : Make(TokenKind.Less, 1);
            case '>': return next == '=' ? Make(TokenKind.GreaterOrEqual, 2) : Make(TokenKind.Greater, 1);
            case '+': return Make(TokenKind.Plus, 1);
            case '-': return Make(TokenKind.Minus, 1);
            case '*': return Make(TokenKind.Times, 1);
            case '/': return Make(TokenKind.Divide, 1);
            case '%': return Make(TokenKind.Remainder, 1);
            case '&': return Make(TokenKind.And, 1);
            case '|': return Make(TokenKind.Or, 1);
            default:
                _at++;
                throw Fail(start, $"illegal token `{c}`", c == '\'' ? "strings are written with double quotes or backticks" : null);
        }
    }

    /// <summary>Whether the token is a name although it is spelled as a keyword: <c>as.foo</c>, <c>contains(x, y)</c>.</summary>
    public bool ContinuesAsName(Token keyword)
    {
        int i = keyword.End;
        if (i >= _text.Length) return false;
        if (_text[i] == '(') return keyword.Text == "contains";
        if (_text[i] == '[') return keyword.Text is not ("in" or "not" or "some" or "every" or "if" or "else" or "with" or "contains" or "as");
        return _text[i] == '.' && i + 1 < _text.Length && IsNameStart(_text[i + 1]);
    }

    /// <summary>
    /// The text of a template string up to an expression or the end. Returns whether an expression follows; its opening brace is consumed.
    /// </summary>
    public bool TemplateText(int start, bool raw, out string text)
    {
        text = raw ? RawTemplateBody(start, out bool expression) : StringBody(start, true, out expression);
        return expression;
    }

    bool SkipBlank()
    {
        bool newLine = false;
        while (_at < _text.Length)
        {
            char c = _text[_at];
            if (c == '\n') newLine = true;
            else if (c == '#')
            {
                int start = _at, end = _text.IndexOf('\n', _at);
                _at = end < 0 ? _text.Length : end;
                if (Comments.Count == 0 || Comments[^1].Start < start) Comments.Add((start, _text[(start + 1).._at].TrimEnd('\r')));
                continue;
            }
            else if (c is not (' ' or '\t' or '\r')) break;
            _at++;
        }
        return newLine;
    }

    Token Name(int start, bool newLine, bool space)
    {
        while (_at < _text.Length && (IsNameStart(_text[_at]) || char.IsAsciiDigit(_text[_at]))) _at++;
        string name = _text[start.._at];
        return new(Keywords.Contains(name) ? TokenKind.Keyword : TokenKind.Name, start, _at, name, newLine, space);
    }

    static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_';

    Token Number(int start, bool newLine, bool space)
    {
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at])) _at++;
        if (_text[start] == '0' && _at - start > 1) throw Fail(start, $"illegal number `{_text[start.._at]}`", "numbers do not begin with 0");
        if (_at + 1 < _text.Length && _text[_at] == '.' && char.IsAsciiDigit(_text[_at + 1]))
        {
            _at++;
            while (_at < _text.Length && char.IsAsciiDigit(_text[_at])) _at++;
        }
        if (_at < _text.Length && _text[_at] is 'e' or 'E')
        {
            _at++;
            if (_at < _text.Length && _text[_at] is '+' or '-') _at++;
            int digits = _at;
            while (_at < _text.Length && char.IsAsciiDigit(_text[_at])) _at++;
            if (_at == digits) throw Fail(start, $"illegal number `{_text[start.._at]}`", "an exponent needs digits");
        }
        if (_at < _text.Length && IsNameStart(_text[_at])) throw Fail(start, "illegal number format");
        return new(TokenKind.Number, start, _at, _text[start.._at], newLine, space);
    }

    Token RawString(int start, bool newLine, bool space)
    {
        int end = _text.IndexOf('`', start + 1);
        if (end < 0)
        {
            _at = _text.Length;
            throw Fail(start, "non-terminated string");
        }
        _at = end + 1;
        return new(TokenKind.RawString, start, _at, _text[(start + 1)..end], newLine, space);
    }

    string RawTemplateBody(int start, out bool expression)
    {
        var value = new StringBuilder();
        for (; _at < _text.Length; _at++)
        {
            char c = _text[_at];
            if (c == '\\' && _at + 1 < _text.Length && _text[_at + 1] == '{') value.Append(_text[++_at]);
            else if (c is '`' or '{')
            {
                _at++;
                expression = c == '{';
                return value.ToString();
            }
            else value.Append(c);
        }
        throw Fail(start, "non-terminated string");
    }

    string StringBody(int start, bool template, out bool expression)
    {
        expression = false;
        if (!template)
        {
            int plain = _text.AsSpan(_at).IndexOfAny(PlainText);
            if (plain >= 0 && _text[_at + plain] == '"')
            {
                string simple = _text.Substring(_at, plain);
                _at += plain + 1;
                return simple;
            }
        }
        var value = new StringBuilder();
        while (_at < _text.Length)
        {
            char c = _text[_at++];
            switch (c)
            {
                case '"':
                    return GoBytes.WithoutHalves(value.ToString());
                case '{' when template:
                    expression = true;
                    return GoBytes.WithoutHalves(value.ToString());
                case '\n':
                    throw Fail(start, "non-terminated string", "a string ends on its line; backticks make one of several lines");
                case '\\':
                    Escape(value, template);
                    break;
                default:
                    value.Append(c);
                    break;
            }
        }
        throw Fail(start, "non-terminated string");
    }

    void Escape(StringBuilder value, bool template)
    {
        char c = _at < _text.Length ? _text[_at++] : '\0';
        switch (c)
        {
            case '"' or '\\' or '/': value.Append(c); break;
            case '{' when template: value.Append(c); break;
            case 'n': value.Append('\n'); break;
            case 't': value.Append('\t'); break;
            case 'r': value.Append('\r'); break;
            case 'b': value.Append('\b'); break;
            case 'f': value.Append('\f'); break;
            case 'u' when _at + 4 <= _text.Length && ushort.TryParse(_text.AsSpan(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit):
                value.Append((char)unit);
                _at += 4;
                break;
            default:
                throw Fail(_at - 2, "illegal escape sequence", "known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
        }
    }

    SyntaxException Fail(int offset, string message, string? hint = null) => new(new Position(source, offset).Error("rego_parse_error", message, hint));
}
