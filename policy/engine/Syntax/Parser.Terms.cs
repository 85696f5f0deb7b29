using System.Globalization;

namespace Talos.Policy;

sealed partial class Parser
{
    bool StartsName => _token.Kind == TokenKind.Name || (_token.Kind == TokenKind.Keyword && _lexer.ContinuesAsName(_token));

    /// <summary>A term with operators. `k, v in xs` is read only where a comma cannot mean anything else.</summary>
    Term InfixTerm(bool commaBeforeIn) => Membership(null, commaBeforeIn);

    Term InfixTermWithoutIn() => Relation(null);

    // Each level takes an operand that was read already, so that `[x | …` need not be read twice.
    Term Membership(Term? first, bool commaBeforeIn)
    {
        Enter();
        Term left = Relation(first);
        while (true)
        {
            if (commaBeforeIn && _token.Kind == TokenKind.Comma)
            {
                (int offset, Token token, int previous, int wildcards) = (_lexer.Offset, _token, _previousEnd, _wildcards);
                int depth = _depth;
                Advance();
                Term? middle = Speculate(() => Relation(null));
                if (middle is not null && At("in"))
                {
                    Advance();
                    left = new CallTerm(left.At, Operator(left.At, "internal.member_3"), [left, middle, Relation(null)], true);
                    continue;
                }
                ReadAgain(offset, token, previous, wildcards, depth);
                break;
            }
            if (!At("in")) break;
            Advance();
            left = new CallTerm(left.At, Operator(left.At, "internal.member_2"), [left, Relation(null)], true);
        }
        _depth--;
        return left;
    }

    Term? Speculate(Func<Term> read)
    {
        try
        {
            return read();
        }
        catch (SyntaxException)
        {
            return null; // the caller reads the text another way, which reports its own error
        }
    }

    static RefTerm Operator(Position at, string name)
    {
        string[] parts = name.Split('.');
        return new RefTerm(at, new VarTerm(at, parts[0]), [.. parts[1..].Select(p => new ConstantTerm(at, Value.From(p)))]);
    }

    Term Relation(Term? first)
    {
        Term left = Union(first);
        while (true)
        {
            string? op = _token.Kind switch
            {
                TokenKind.Equal => "equal",
                TokenKind.NotEqual => "neq",
                TokenKind.Less => "lt",
                TokenKind.LessOrEqual => "lte",
                TokenKind.Greater => "gt",
                TokenKind.GreaterOrEqual => "gte",
                _ => null,
            };
            if (op is null) return left;
            left = Infix(left, op, Union);
        }
    }

    Term Union(Term? first)
    {
        Term left = Intersection(first);
        while (_token.Kind == TokenKind.Or) left = Infix(left, "or", Intersection);
        return left;
    }

    Term Intersection(Term? first)
    {
        Term left = Sum(first);
        while (_token.Kind == TokenKind.And) left = Infix(left, "and", Sum);
        return left;
    }

    Term Sum(Term? first)
    {
        Term left = Product(first);
        while (_token.Kind is TokenKind.Plus or TokenKind.Minus) left = Infix(left, _token.Kind == TokenKind.Plus ? "plus" : "minus", Product);
        return left;
    }

    Term Product(Term? first)
    {
        Term left = first ?? Primary();
        while (_token.Kind is TokenKind.Times or TokenKind.Divide or TokenKind.Remainder)
            left = Infix(left, _token.Kind switch { TokenKind.Times => "mul", TokenKind.Divide => "div", _ => "rem" }, _ => Primary());
        return left;
    }

    CallTerm Infix(Term left, string op, Func<Term?, Term> right)
    {
        Position at = Here;
        Advance();
        return new CallTerm(left.At, new VarTerm(at, op), [left, right(null)], true);
    }

    Term Primary()
    {
        Enter();
        Position at = Here;
        Term term;
        switch (_token.Kind)
        {
            case TokenKind.Number:
                term = Reference(Number(""));
                break;
            case TokenKind.Minus:
                Advance();
                if (_token.Kind != TokenKind.Number || _token.SpaceBefore) throw Fail("expected number");
                term = Number("-");
                break;
            case TokenKind.String or TokenKind.RawString:
                term = new ConstantTerm(at, Value.From(_token.Text));
                Advance();
                term = Reference(term);
                break;
            case TokenKind.TemplateStart or TokenKind.RawTemplateStart:
                term = Reference(Template());
                break;
            case TokenKind.LeftParen:
                Advance();
                term = InfixTerm(true);
                Expect(TokenKind.RightParen, ")");
                term = Reference(term);
                break;
            case TokenKind.LeftBracket:
                term = Reference(ArrayOrComprehension());
                break;
            case TokenKind.LeftBrace:
                term = Reference(SetOrObject());
                break;
            case TokenKind.Keyword when !_lexer.ContinuesAsName(_token) && _token.Text is "true" or "false" or "null":
                term = new ConstantTerm(at, _token.Text switch { "true" => BooleanValue.True, "false" => BooleanValue.False, _ => NullValue.Instance });
                Advance();
                term = Reference(term);
                break;
            default:
                if (!StartsName) throw Fail("expected a term");
                term = Reference(NameTerm());
                break;
        }
        _depth--;
        return term;
    }

    ConstantTerm Number(string sign)
    {
        // LIMIT: OPA's, of 100,000 bits before or behind the point.
        if (!IsModest(_token.Text)) throw Fail("number too big");
        Value value = NumberValue.Parse(sign + _token.Text) ?? throw Fail("number out of bounds");
        var term = new ConstantTerm(Here, value);
        Advance();
        return term;
    }

    static bool IsModest(string number)
    {
        const int MaxMagnitude = 30_103; // decimal digits of as many bits
        int e = number.IndexOfAny(['e', 'E']);
        string mantissa = e < 0 ? number : number[..e];
        int point = mantissa.IndexOf('.', StringComparison.Ordinal), first = mantissa.AsSpan().IndexOfAnyInRange('1', '9');
        if (first < 0) return true;
        long exponent = 0;
        if (e >= 0 && !long.TryParse(number.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent)) return false;
        if (point < 0) point = mantissa.Length;
        return Math.Abs(exponent + (first < point ? point - first : point + 1 - first)) <= MaxMagnitude;
    }

    VarTerm NameTerm()
    {
        var name = new VarTerm(Here, _token.Text == "_" ? Wildcard() : _token.Text);
        Advance();
        return name;
    }

    /// <summary>What may follow a term without a blank: <c>.name</c>, <c>[term]</c>, <c>(arguments)</c>.</summary>
    Term Reference(Term head, bool allowCall = true)
    {
        Term term = head;
        var path = new List<Term>();
        if (head is ConstantTerm or TemplateTerm && !_token.SpaceBefore && _token.Kind is TokenKind.Dot or TokenKind.LeftBracket or TokenKind.LeftParen)
            throw new SyntaxException(head.At.Error("rego_parse_error", "illegal ref (its head cannot be a constant)", "give it to a variable first"));
        while (!_token.SpaceBefore)
        {
            if (_token.Kind == TokenKind.Dot)
            {
                Advance();
                if (_token.Kind is not (TokenKind.Name or TokenKind.Keyword) || _token.SpaceBefore) throw Fail("expected a name after the dot");
                path.Add(new ConstantTerm(Here, Value.From(_token.Text)));
                Advance();
            }
            else if (_token.Kind == TokenKind.LeftBracket)
            {
                Advance();
                path.Add(InfixTerm(true));
                Expect(TokenKind.RightBracket, "]");
            }
            else if (_token.Kind == TokenKind.LeftParen && allowCall && head is VarTerm && term == head)
            {
                Term op = path.Count == 0 ? head : new RefTerm(head.At, head, [.. path]);
                path.Clear();
                Term[] args = CallArguments();
                if (args.Length == 0 && op is VarTerm { Name: "set" })
                {
                    term = new SetTerm(head.At, []);
                }
                else term = new CallTerm(head.At, op, args);
            }
            else break;
        }
        return path.Count == 0 ? term : new RefTerm(term.At, term, [.. path]);
    }

    Term[] CallArguments()
    {
        Advance();
        return Terms(TokenKind.RightParen, ")", []);
    }

    // A comma may follow the last item.
    Term[] Terms(TokenKind end, string what, List<Term> items)
    {
        while (_token.Kind != end)
        {
            items.Add(InfixTerm(false));
            if (_token.Kind != TokenKind.Comma) break;
            Advance();
        }
        Expect(end, what);
        return [.. items];
    }

    Term ArrayOrComprehension()
    {
        Position at = Here;
        Advance();
        if (_token.Kind == TokenKind.RightBracket)
        {
            Advance();
            return new ArrayTerm(at, []);
        }
        bool mayBeComprehension = !SkipLeadingComma();
        Term first = Primary();
        if (mayBeComprehension && _token.Kind == TokenKind.Or && TryComprehensionBody(TokenKind.RightBracket) is { } body)
            return new ComprehensionTerm(at, ComprehensionKind.Array, null, first, body);
        return new ArrayTerm(at, RestOfTerms(first, TokenKind.RightBracket, "]"));
    }

    // OPA reads `[, 1]` as `[1]`, for the sake of old modules.
    bool SkipLeadingComma()
    {
        if (_token.Kind != TokenKind.Comma) return false;
        Advance();
        return true;
    }

    Term[] RestOfTerms(Term first, TokenKind end, string what)
    {
        var items = new List<Term> { Membership(first, false) };
        if (_token.Kind == TokenKind.Comma) Advance();
        else if (_token.Kind != end) throw Fail($"expected `,` or `{what}`");
        return Terms(end, what, items);
    }

    Term SetOrObject()
    {
        Position at = Here;
        Advance();
        if (_token.Kind == TokenKind.RightBrace)
        {
            Advance();
            return new ObjectTerm(at, []);
        }
        bool mayBeComprehension = !SkipLeadingComma();
        Term first = Primary();
        if (mayBeComprehension && _token.Kind == TokenKind.Or && TryComprehensionBody(TokenKind.RightBrace) is { } body)
            return new ComprehensionTerm(at, ComprehensionKind.Set, null, first, body);
        Term key = Membership(first, false);
        if (_token.Kind != TokenKind.Colon)
        {
            if (_token.Kind == TokenKind.Comma) Advance();
            else if (_token.Kind != TokenKind.RightBrace) throw Fail("expected `,` or `}`");
            return new SetTerm(at, Terms(TokenKind.RightBrace, "}", [key]));
        }
        Advance();
        Term value = Primary();
        if (mayBeComprehension && _token.Kind == TokenKind.Or && TryComprehensionBody(TokenKind.RightBrace) is { } objectBody)
            return new ComprehensionTerm(at, ComprehensionKind.Object, key, value, objectBody);
        var items = new List<(Term, Term)> { (key, Membership(value, false)) };
        while (_token.Kind == TokenKind.Comma)
        {
            Advance();
            if (_token.Kind == TokenKind.RightBrace) break;
            Term nextKey = InfixTerm(false);
            Expect(TokenKind.Colon, ":");
            items.Add((nextKey, InfixTerm(false)));
        }
        Expect(TokenKind.RightBrace, "}");
        return new ObjectTerm(at, [.. items]);
    }

    // `{x | y}`: a comprehension when what follows the bar reads as a body, a union otherwise.
    Literal[]? TryComprehensionBody(TokenKind end)
    {
        (int offset, Token token, int previous, int wildcards, int depth) = (_lexer.Offset, _token, _previousEnd, _wildcards, _depth);
        Advance();
        try
        {
            Literal[] body = Body(end);
            Advance();
            return body;
        }
        catch (SyntaxException e)
        {
            // Only a comma makes the union reading possible: `[a | b, c]`.
            if (_token.Kind != TokenKind.Comma) throw new SyntaxException(e.Error);
            ReadAgain(offset, token, previous, wildcards, depth);
            return null;
        }
    }

    TemplateTerm Template()
    {
        Position at = Here;
        bool raw = _token.Kind == TokenKind.RawTemplateStart;
        _lexer.Offset = _token.End;
        var parts = new List<Term>();
        while (true)
        {
            Position textAt = Place(_lexer.Offset);
            bool expression = _lexer.TemplateText(at.Offset, raw, out string text);
            if (text.Length > 0) parts.Add(new ConstantTerm(textAt, Value.From(text)));
            if (!expression) break;
            Advance();
            Position expressionAt = Here;
            if (_token.Kind == TokenKind.RightBrace) throw Fail("a template expression cannot be empty", "write `\\{` for a brace");
            Term value = InfixTerm(true);
            With[] withs = Withs();
            if (_token.Kind != TokenKind.RightBrace) throw Fail("expected `}` after the template expression");
            _lexer.Offset = _token.End;
            parts.Add(new TemplateExpression(expressionAt, value, withs));
        }
        Advance();
        return new TemplateTerm(at, [.. parts]);
    }
}
