namespace Talos.Policy;

/// <summary>Expressions joined by <c>and</c> and <c>or</c> or negated by <c>not</c>; the first two are keywords only where they were imported.</summary>
sealed partial class Parser
{
    LogicalOperand Disjunction() => Joined(LogicalKind.Or, Conjunction, false);

    LogicalOperand Conjunction(bool isRight) => Joined(LogicalKind.And, Negation, isRight);

    LogicalOperand Joined(LogicalKind kind, Func<bool, LogicalOperand> operand, bool isRight)
    {
        Enter();
        Position at = Here;
        LogicalOperand left = operand(isRight);
        while (AtOperator(kind))
        {
            CheckOperand(left, kind);
            Advance();
            LogicalOperand right = operand(true);
            CheckOperand(right, kind);
            left = new LogicalOperand([new LogicalLiteral(at, kind, [left, right], [])], false);
        }
        _depth--;
        return left;
    }

    bool AtOperator(LogicalKind kind) =>
        _token is { Kind: TokenKind.Name, Text: var text } && (kind == LogicalKind.And ? _and && text == "and" : _or && text == "or");

    static void CheckOperand(LogicalOperand operand, LogicalKind kind)
    {
        if (operand is { IsExplicit: false, Body: [TermLiteral { Term: CallTerm { Name: "assign", IsInfix: true } } assign] })
            throw NoAssignment(assign.At, $"implicit {(kind == LogicalKind.And ? "and" : "or")} operand");
    }

    static SyntaxException NoAssignment(Position at, string where) =>
        new(at.Error("rego_compile_error", $"cannot assign vars inside {where}", "what it would bind could not be seen outside"));

    LogicalOperand Negation(bool isRight)
    {
        Position at = Here;
        if (!At("not")) return Grouped(isRight) ?? new LogicalOperand([Expression(false)], false);
        Advance();
        if (At("some")) throw Fail("illegal negation of 'some'");
        if (At("every")) throw Fail("illegal negation of 'every'", "negate what the body says instead");
        if (_not)
        {
            LogicalOperand negated = Grouped(true) ?? new LogicalOperand([Expression(true)], false);
            return new LogicalOperand([new LogicalLiteral(at, LogicalKind.Not, [negated], [])], false);
        }
        return new LogicalOperand([new TermLiteral(at, true, ((TermLiteral)Expression(true)).Term, [])], false);
    }

    // `{ body }` or `( expression )` as an operand: read so when that is possible and the operand ends there, else as the term that it is then.
    LogicalOperand? Grouped(bool follows)
    {
        if (!(_not || _and || _or) || _token.Kind is not (TokenKind.LeftBrace or TokenKind.LeftParen)) return null;
        (int offset, Token token, int previous, int wildcards, int depth) = (_lexer.Offset, _token, _previousEnd, _wildcards, _depth);
        bool braces = _token.Kind == TokenKind.LeftBrace;
        try
        {
            Advance();
            Literal[] body = braces ? Body(TokenKind.RightBrace) : [Literal()];
            Expect(braces ? TokenKind.RightBrace : TokenKind.RightParen, braces ? "}" : ")");
            bool isMeant = braces || body is [LogicalLiteral or { Withs.Length: > 0 } or TermLiteral { Negated: true }];
            if (isMeant && EndsOperand(follows || !braces)) return new LogicalOperand(body, braces);
        }
        catch (SyntaxException)
        {
            // The text is read again as a term, which says what is wrong with it.
        }
        ReadAgain(offset, token, previous, wildcards, depth);
        return null;
    }

    // A body in braces that stands alone would be a set, an object or a comprehension.
    bool EndsOperand(bool mayStandAlone) => AtOperator(LogicalKind.And) || AtOperator(LogicalKind.Or)
        || (mayStandAlone && (_token.NewLineBefore || At("with") || At("else")
            || _token.Kind is TokenKind.Semicolon or TokenKind.RightBrace or TokenKind.RightBracket or TokenKind.RightParen or TokenKind.End));
}
