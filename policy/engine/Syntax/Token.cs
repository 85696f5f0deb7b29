namespace Talos.Policy;

enum TokenKind
{
    End = 0,
    Name,
    Number,
    String,
    RawString,
    TemplateStart,
    RawTemplateStart,
    Keyword,
    Dot,
    Comma,
    Semicolon,
    Colon,
    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    Assign,
    Unify,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Divide,
    Remainder,
    And,
    Or,
}

/// <summary>Text is the name, the number as written, or a string's value after escapes.</summary>
readonly record struct Token(TokenKind Kind, int Start, int End, string Text, bool NewLineBefore, bool SpaceBefore)
{
    public bool Is(string keyword) => Kind == TokenKind.Keyword && Text == keyword;
}
