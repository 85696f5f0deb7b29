namespace Talos.Policy;

sealed partial class Parser
{
    // A head may have several bodies one after the other, which are as many rules.
    void Rule(List<RuleNodeSyntax> rules)
    {
        RuleNodeSyntax first = Rule();
        rules.Add(first);
        while (!first.IsDefault && _token.Kind == TokenKind.LeftBrace)
        {
            if (first.Else is not null) throw Fail("expected else keyword", "a rule with else has no other bodies");
            Position at = Here;
            Advance();
            Literal[] body = Body(TokenKind.RightBrace);
            Expect(TokenKind.RightBrace, "}");
            rules.Add(new RuleNodeSyntax(at, _previousEnd, false, first.Head, body, null));
        }
    }

    RuleNodeSyntax Rule()
    {
        Position at = Here;
        bool isDefault = At("default");
        if (isDefault) Advance();
        RuleHead head = Head(isDefault);
        if (isDefault)
        {
            if (head.Value is null)
                throw new SyntaxException(at.Error("rego_parse_error", "illegal default rule (must have a value)", "write `default name := value`"));
            return new RuleNodeSyntax(at, _previousEnd, true, head, TrueBody(at), null);
        }
        bool hasIf = At("if");
        if (_token.Kind == TokenKind.LeftBrace) throw Fail("`if` keyword is required before rule body", "write `if {` instead of `{`");
        if (!hasIf && head.Key is null && head.Value is null)
            throw new SyntaxException(at.Error("rego_parse_error", "rule must have value assignment and/or body declaration", "write `name if { … }` or `name := value`"));
        Literal[] body = hasIf ? RuleBody() : TrueBody(at);
        RuleNodeSyntax? otherwise = null;
        if (At("else"))
        {
            if (head.Key is not null || head is { Args: null, Name.Path: [RefTerm] }) throw Fail("else keyword cannot be used on multi-value rules");
            if (head.Name.Path.Any(HasVariable)) throw Fail("else keyword cannot be used on rules with variables in head");
            if (!hasIf) throw Fail("else keyword cannot be used on rules without a body");
            otherwise = Else(head);
        }
        return new RuleNodeSyntax(at, _previousEnd, false, head, body, otherwise);
    }

    // What a reference is made of is looked up, wherever it begins: only its own variables are variables of the head.
    static bool HasVariable(Term term) => term is VarTerm || SyntaxParts.Of(term).Any(HasVariable);

    static Literal[] TrueBody(Position at) => [new TermLiteral(at, false, new ConstantTerm(at, BooleanValue.True), [])];

    Literal[] RuleBody()
    {
        Advance();
        if (_token.Kind != TokenKind.LeftBrace) return [Literal()];
        if (TryLiteral() is { } literal) return [literal];
        Advance();
        Literal[] body = Body(TokenKind.RightBrace);
        Expect(TokenKind.RightBrace, "}");
        return body;
    }

    // `if {"a": 1}.a == x`: what reads as an expression is one, unless it is a set, as which `if { x }` reads. Nor is `{}`: a rule
    // that says nothing must not hold.
    Literal? TryLiteral()
    {
        (int offset, Token token, int previous, int wildcards, int depth) = (_lexer.Offset, _token, _previousEnd, _wildcards, _depth);
        try
        {
            Literal literal = Literal();
            if (literal is not TermLiteral { Term: SetTerm or ObjectTerm { Items.Length: 0 } } && (_token.NewLineBefore || _token.Kind == TokenKind.End || At("else"))) return literal;
        }
        catch (SyntaxException)
        {
            // The text is read again as a body, which says what is wrong with it.
        }
        ReadAgain(offset, token, previous, wildcards, depth);
        return null;
    }

    RuleNodeSyntax Else(RuleHead first)
    {
        Enter();
        Position at = Here;
        Advance();
        Term? value = null;
        if (_token.Kind is TokenKind.Assign or TokenKind.Unify)
        {
            Advance();
            value = InfixTerm(true);
        }
        bool hasIf = At("if");
        if (_token.Kind == TokenKind.LeftBrace) throw Fail("`if` keyword is required before rule body", "write `else … if {`");
        if (!hasIf && value is null) throw Fail("expected else value or rule body");
        Literal[] body = hasIf ? RuleBody() : TrueBody(at);
        RuleNodeSyntax? otherwise = At("else") ? Else(first) : null;
        _depth--;
        return new RuleNodeSyntax(at, _previousEnd, false, new RuleHead(at, first.Name, first.Args, null, value), body, otherwise);
    }

    RuleHead Head(bool isDefault)
    {
        Position at = Here;
        if (!StartsName) throw Fail("expected a rule");
        Term name = Reference(NameTerm(), allowCall: false);
        RefTerm reference = name as RefTerm ?? new RefTerm(at, name, []);
        if (reference.Head is VarTerm { IsGenerated: true }) throw new SyntaxException(at.Error("rego_parse_error", "a rule needs a name"));
        Term[]? args = null;
        if (_token is { Kind: TokenKind.LeftParen, SpaceBefore: false })
        {
            args = CallArguments();
            if (args.Length == 0) throw new SyntaxException(at.Error("rego_parse_error", "a function needs at least one argument"));
        }
        Term? key = null, value = null;
        if (At("contains"))
        {
            if (isDefault) throw Fail("default rules cannot be sets");
            if (args is not null) throw Fail("the contains keyword can only be used with multi-value rule definitions (e.g., p contains <VALUE> { ... })");
            Advance();
            key = InfixTerm(true);
        }
        else if (_token.Kind is TokenKind.Assign or TokenKind.Unify)
        {
            Advance();
            value = InfixTerm(true);
        }
        return new RuleHead(at, reference, args, key, value);
    }

    Literal[] Body(TokenKind end)
    {
        Enter();
        var literals = new List<Literal>();
        while (_token.Kind == TokenKind.Semicolon) throw Fail("unexpected semicolon");
        if (_token.Kind == end) throw Fail("found empty body");
        while (true)
        {
            literals.Add(Literal());
            if (_token.Kind == TokenKind.Semicolon)
            {
                Advance();
                if (_token.Kind == end) break;
                continue;
            }
            if (_token.Kind == end) break;
            if (_token.Kind == TokenKind.End) throw Fail(end == TokenKind.RightBrace ? "expected `}`" : "expected `]`");
            if (!_token.NewLineBefore) throw Fail("unexpected token in a body", "expressions are separated by a new line or `;`");
        }
        _depth--;
        return [.. literals];
    }

    Literal Literal()
    {
        Position at = Here;
        if (At("some")) return Some(at);
        LogicalOperand only = Disjunction();
        if (only.IsExplicit) throw Fail("expected `and` or `or` after a body in braces");
        return WithModifiers(only.Body[0]);
    }

    Literal WithModifiers(Literal literal)
    {
        if (!At("with")) return literal;
        With[] withs = [.. literal.Withs, .. Withs()];
        if (AtOperator(LogicalKind.And) || AtOperator(LogicalKind.Or))
            throw Fail("`with` cannot be applied to one operand", "put the operand and its `with` in parentheses");
        return literal switch
        {
            TermLiteral t => new TermLiteral(t.At, t.Negated, t.Term, withs),
            EveryLiteral e => new EveryLiteral(e.At, e.Key, e.Value, e.Domain, e.Body, withs),
            LogicalLiteral l => new LogicalLiteral(l.At, l.Kind, l.Operands, withs),
            _ => throw new InvalidOperationException("unknown kind of expression"),
        };
    }

    Literal Expression(bool negated)
    {
        Position at = Here;
        if (At("every")) return Every(at);
        Term term = InfixTerm(true);
        if (_token.Kind is TokenKind.Assign or TokenKind.Unify)
        {
            bool assign = _token.Kind == TokenKind.Assign;
            if (assign && negated) throw NoAssignment(at, "negated expression");
            Advance();
            Term right = InfixTerm(true);
            term = new CallTerm(at, new VarTerm(at, assign ? "assign" : "eq"), [term, right], true);
        }
        return new TermLiteral(at, false, term, []);
    }

    With[] Withs()
    {
        if (!At("with")) return [];
        var withs = new List<With>();
        while (At("with"))
        {
            Advance();
            Position at = Here;
            if (!StartsName) throw Fail("with keyword target must be a reference");
            Term target = Reference(NameTerm(), allowCall: false);
            if (!At("as")) throw Fail("expected `as` keyword");
            Advance();
            withs.Add(new With(target as RefTerm ?? new RefTerm(at, target, []), InfixTerm(true)));
        }
        return [.. withs];
    }

    SomeLiteral Some(Position at)
    {
        Advance();
        Term first = InfixTerm(true);
        if (first is CallTerm { Name: "internal.member_2" or "internal.member_3" } member) return new SomeLiteral(at, [], member, Withs());
        var vars = new List<VarTerm> { SomeVar(first) };
        while (_token.Kind == TokenKind.Comma)
        {
            Advance();
            vars.Add(SomeVar(InfixTerm(true)));
        }
        return new SomeLiteral(at, [.. vars], null, Withs());
    }

    static VarTerm SomeVar(Term term) => term as VarTerm
        ?? throw new SyntaxException(term.At.Error("rego_parse_error", "expected `x in xs`, `x, y in xs`, or a list of variables after some"));

    EveryLiteral Every(Position at)
    {
        Advance();
        VarTerm Variable() => InfixTermWithoutIn() as VarTerm ?? throw Fail("expected a variable after every", "write `every key, value in domain { … }`");
        VarTerm? key = null;
        VarTerm value = Variable();
        if (_token.Kind == TokenKind.Comma)
        {
            Advance();
            (key, value) = (value, Variable());
        }
        if (!At("in")) throw Fail("expected `in`");
        Advance();
        Term domain = InfixTerm(true);
        Expect(TokenKind.LeftBrace, "{");
        Literal[] body = Body(TokenKind.RightBrace);
        Expect(TokenKind.RightBrace, "}");
        return new EveryLiteral(at, key, value, domain, body, []);
    }
}
