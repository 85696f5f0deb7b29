namespace Talos.Policy;

/// <summary>
/// Parses modules and queries. Every error carries its position; a broken rule does not hide the errors of the next one.
/// </summary>
sealed partial class Parser
{
    // LIMIT: size of one module in characters.
    public const int MaxModuleLength = 4 << 20;

    // LIMIT: how deep terms and bodies may nest; each level costs stack.
    const int MaxDepth = 200;

    // LIMIT: text that is read again because its beginning can mean two things, as `{x | …` a comprehension or a union; nested, that doubles at each level.
    const long MaxReadAgain = MaxModuleLength;

    readonly SourceText _source;
    readonly Lexer _lexer;
    Token _token;
    int _previousEnd;
    int _depth;
    int _wildcards;
    long _readAgain;
    bool _not, _and, _or;

    Parser(SourceText source)
    {
        _source = source;
        _lexer = new Lexer(source);
    }

    public static ModuleSyntax? ParseModule(string file, string text, List<PolicyError> errors)
    {
        var source = new SourceText(file, text);
        if (text.Length > MaxModuleLength)
        {
            errors.Add(new Position(source, 0).Error("rego_parse_error", $"the module is longer than {MaxModuleLength} characters"));
            return null;
        }
        int before = errors.Count;
        var parser = new Parser(source);
        ModuleSyntax? module = parser.Module(errors);
        return errors.Count == before ? module : null;
    }

    /// <summary>A body without rule, as the query of an evaluation.</summary>
    public static Literal[]? ParseQuery(string text, List<PolicyError> errors)
    {
        var source = new SourceText("query", text);
        var parser = new Parser(source);
        try
        {
            parser.Advance();
            Literal[] body = parser.Body(TokenKind.End);
            return body;
        }
        catch (SyntaxException e)
        {
            errors.Add(e.Error);
            return null;
        }
    }

    ModuleSyntax? Module(List<PolicyError> errors)
    {
        RefTerm package;
        try
        {
            Advance();
            if (_token.Kind == TokenKind.End) throw Fail("empty module");
            if (!_token.Is("package")) throw Fail("package expected", "a module begins with `package name`");
            Position at = Here;
            Advance();
            package = Package(at);
            EndOfStatement();
        }
        catch (SyntaxException e)
        {
            errors.Add(e.Error);
            return null;
        }
        var imports = new List<ImportSyntax>();
        var rules = new List<RuleNodeSyntax>();
        while (_token.Kind != TokenKind.End)
        {
            int start = _token.Start;
            try
            {
                if (At("import")) imports.Add(Import());
                else Rule(rules);
                EndOfStatement();
            }
            catch (SyntaxException e)
            {
                errors.Add(e.Error);
                _depth = 0;
                if (!Recover(start)) break;
            }
        }
        var module = new ModuleSyntax(_source, package, [.. imports], [.. rules]);
        AnnotationReader.Attach(module, _lexer.Comments, errors);
        return module;
    }

    // A new statement begins in the first column after the broken one; enough to find the next rule.
    bool Recover(int start)
    {
        int at = Math.Max(start, _lexer.Offset);
        string text = _source.Text;
        while (true)
        {
            int line = text.IndexOf('\n', at);
            if (line < 0) return false;
            at = line + 1;
            if (at >= text.Length) return false;
            if (!char.IsAsciiLetter(text[at])) continue;
            _lexer.Offset = at;
            try
            {
                Advance();
                return true;
            }
            catch (SyntaxException)
            {
                // NOTE: the line cannot begin a statement; its own error would only repeat the first.
                continue;
            }
        }
    }

    // What was imported holds from here on.
    void Enable(string? import)
    {
        bool all = import is "future.keywords" or "rego.v2";
        _not |= all || import is "future.keywords.not";
        _and |= all || import is "future.keywords.and";
        _or |= all || import is "future.keywords.or";
    }

    RefTerm Package(Position at)
    {
        var path = new List<Term>();
        if (_token.Kind is not (TokenKind.Name or TokenKind.Keyword)) throw Fail("expected the package's name");
        path.Add(new ConstantTerm(Here, Value.From(_token.Text)));
        Advance();
        while (true)
        {
            if (_token is { Kind: TokenKind.Dot, SpaceBefore: false })
            {
                Advance();
                if (_token.Kind is not (TokenKind.Name or TokenKind.Keyword)) throw Fail("expected a name after the dot");
            }
            else if (_token is { Kind: TokenKind.LeftBracket, SpaceBefore: false })
            {
                Advance();
                if (_token.Kind != TokenKind.String) throw Fail("a package's name consists of strings only");
                path.Add(new ConstantTerm(Here, Value.From(_token.Text)));
                Advance();
                Expect(TokenKind.RightBracket, "]");
                continue;
            }
            else break;
            path.Add(new ConstantTerm(Here, Value.From(_token.Text)));
            Advance();
        }
        return new RefTerm(at, new VarTerm(at, "data"), [.. path]);
    }

    ImportSyntax Import()
    {
        Position at = Here;
        Advance();
        Position pathAt = Here;
        if (_token.Kind is not (TokenKind.Name or TokenKind.Keyword)) throw Fail("expected a path after import");
        Term term = Reference(NameTerm());
        RefTerm path = term as RefTerm ?? new RefTerm(pathAt, term, []);
        if (path.Head is not VarTerm { Name: "data" or "input" or "rego" or "future" })
            throw new SyntaxException(pathAt.Error("rego_parse_error", $"unexpected import path, must begin with one of: {{data, future, input, rego}}, got: `{(path.Head as VarTerm)?.Name}`"));
        if (path.Path.Any(p => p is not ConstantTerm { Value: StringValue }))
            throw new SyntaxException(pathAt.Error("rego_parse_error", "unexpected import path, expecting string"));
        string? alias = null;
        if (At("as"))
        {
            Advance();
            if (_token.Kind != TokenKind.Name) throw Fail("unexpected import alias, expected var");
            alias = _token.Text;
            Advance();
        }
        bool isKeyword = !path.HeadIs("future") && path.Path is [.., ConstantTerm { Value: StringValue { Text: var last } }] && Lexer.IsKeyword(last);
        if (alias is null && isKeyword)
            throw new SyntaxException(path.Path[^1].At.Error(
                "rego_parse_error", "unexpected import path, must not end with a keyword", "import it with `as` and another name"));
        Enable(path.DottedName);
        return new ImportSyntax(at, path, alias);
    }

    /// <summary>Whether the token is this keyword, and not the first part of a name like <c>if.x</c>.</summary>
    bool At(string keyword) => _token.Is(keyword) && !_lexer.ContinuesAsName(_token);

    Position Here => new(_source, _token.Start);

    Position Place(int offset) => new(_source, offset);

    void Advance()
    {
        _previousEnd = _token.End;
        _token = _lexer.Next();
    }

    void Expect(TokenKind kind, string what)
    {
        if (_token.Kind != kind) throw Fail($"expected `{what}`");
        Advance();
    }

    void EndOfStatement()
    {
        if (_token.Kind != TokenKind.End && !_token.NewLineBefore) throw Fail("expected the end of the line after a statement");
    }

    SyntaxException Fail(string message, string? hint = null)
    {
        string found = _token.Kind == TokenKind.End ? "the end of the text" : $"`{_source.Text[_token.Start.._token.End]}`";
        return new SyntaxException(Here.Error("rego_parse_error", $"{message}, found {found}", hint));
    }

    /// <summary>Goes back to where the text has another reading.</summary>
    void ReadAgain(int offset, Token token, int previous, int wildcards, int depth)
    {
        if ((_readAgain += _lexer.Offset - offset) > MaxReadAgain) throw Fail("the module has too many ambiguous terms");
        (_lexer.Offset, _token, _previousEnd, _wildcards, _depth) = (offset, token, previous, wildcards, depth);
    }

    void Enter()
    {
        if (++_depth > MaxDepth) throw new SyntaxException(Here.Error("rego_parse_error", $"terms nest deeper than {MaxDepth} levels"));
    }

    string Wildcard() => $"$_{_wildcards++}";
}
