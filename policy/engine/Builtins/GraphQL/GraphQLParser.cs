namespace Talos.Policy;

/// <summary>Parses GraphQL documents straight into the objects that OPA gives, which are those of the Go library it uses, without positions and empty lists.</summary>
sealed partial class GraphQLParser
{
    // LIMIT: nesting of selections, values and types.
    const int MaxDepth = 200;

    readonly GraphQLLexer _lexer;
    readonly Dictionary<Value, GraphQLToken> _places = new(ReferenceEqualityComparer.Instance);
    GraphQLToken _token;
    int _depth;

    GraphQLParser(string text)
    {
        _lexer = new GraphQLLexer(text);
        _token = _lexer.Next();
    }

    public static GraphQLDocument Query(string text)
    {
        var parser = new GraphQLParser(text);
        return new(parser.QueryDocument(), parser._places);
    }

    public static GraphQLDocument Schema(string text)
    {
        var parser = new GraphQLParser(text);
        return new(parser.SchemaDocument(), parser._places);
    }

    ObjectValue At(GraphQLToken token, ObjectValue node)
    {
        _places[node] = token;
        return node;
    }

    BuiltinException Fail(string message, GraphQLToken at) => new($"{message} in GraphQL string at location {at.Line}:{at.Column}");

    BuiltinException Unexpected() => Fail($"Unexpected {_token.Described}", _token);

    bool Is(string punctuator) => _token.Kind == GraphQLTokenKind.Punctuator && _token.Text == punctuator;

    bool IsWord(string word) => _token.Kind == GraphQLTokenKind.Name && _token.Text == word;

    GraphQLToken Take()
    {
        GraphQLToken token = _token;
        _token = _lexer.Next();
        return token;
    }

    bool TrySkip(string punctuator)
    {
        if (!Is(punctuator)) return false;
        Take();
        return true;
    }

    void Expect(string punctuator)
    {
        if (!TrySkip(punctuator)) throw Fail($"Expected {punctuator}, found {_token.KindName}", _token);
    }

    string Name() => _token.Kind == GraphQLTokenKind.Name ? Take().Text : throw Fail($"Expected Name, found {_token.KindName}", _token);

    void Word(string word)
    {
        if (!IsWord(word)) throw Fail($"Expected \"{word}\", found {_token.Described}", _token);
        Take();
    }

    void Enter()
    {
        if (++_depth > MaxDepth) throw Fail($"the document nests deeper than {MaxDepth} levels", _token);
    }

    /// <summary>At least one item between two punctuators, if the first is there.</summary>
    List<Value> Some(string open, string close, Func<Value> item, string? none = null)
    {
        var items = new List<Value>();
        if (!TrySkip(open)) return items;
        Enter();
        while (!Is(close)) items.Add(item());
        if (items.Count == 0) throw Fail(none ?? "expected at least one definition, found " + close, _token);
        Take();
        _depth--;
        return items;
    }

    /// <summary>Members in order; empty lists are left out.</summary>
    static ObjectValue Object(params ReadOnlySpan<(string Key, object? Value)> members)
    {
        var map = new Dictionary<Value, Value>();
        foreach ((string key, object? value) in members)
        {
            Value? made = value switch
            {
                null => null,
                List<Value> { Count: 0 } => null,
                List<Value> list => new ArrayValue([.. list]),
                string s => Value.From(s),
                bool b => Value.From(b),
                int i => Value.From(i),
                _ => (Value)value,
            };
            if (made is not null) map[Value.From(key)] = made;
        }
        return ObjectValue.From(map);
    }

    ObjectValue QueryDocument()
    {
        List<Value> operations = [], fragments = [];
        while (_token.Kind != GraphQLTokenKind.End)
        {
            GraphQLToken first = _token;
            if (Is("{")) operations.Add(At(first, Object(("Name", ""), ("Operation", "query"), ("SelectionSet", Selections()))));
            else if (IsWord("fragment")) fragments.Add(Fragment());
            else if (IsWord("query") || IsWord("mutation") || IsWord("subscription")) operations.Add(Operation());
            else throw Unexpected();
        }
        return Object(("Operations", operations), ("Fragments", fragments));
    }

    ObjectValue Operation()
    {
        GraphQLToken first = _token;
        string kind = Name(), name = _token.Kind == GraphQLTokenKind.Name ? Name() : "";
        return At(first, Object(("Operation", kind), ("Name", name), ("VariableDefinitions", Some("(", ")", VariableDefinition)), ("Directives", Directives(false)), ("SelectionSet", RequiredSelections())));
    }

    ObjectValue VariableDefinition()
    {
        GraphQLToken first = _token;
        Expect("$");
        string name = Name();
        Expect(":");
        return At(first, Object(("Variable", name), ("Type", Type()), ("DefaultValue", TrySkip("=") ? Literal(true) : null), ("Used", false), ("Directives", Directives(true))));
    }

    ObjectValue Fragment()
    {
        GraphQLToken first = _token;
        Word("fragment");
        if (IsWord("on")) throw Unexpected();
        string name = Name();
        List<Value> variables = Some("(", ")", VariableDefinition);
        Word("on");
        return At(first, Object(("Name", name), ("VariableDefinition", variables), ("TypeCondition", Name()), ("Directives", Directives(false)), ("SelectionSet", RequiredSelections())));
    }

    List<Value> Selections() => Some("{", "}", Selection);

    List<Value> RequiredSelections() => Is("{") ? Selections() : throw Fail($"Expected {{, found {_token.KindName}", _token);

    Value Selection()
    {
        bool spread = TrySkip("...");
        GraphQLToken first = _token;
        if (!spread)
        {
            string name = Name(), alias = name;
            if (TrySkip(":")) name = Name();
            return At(first, Object(("Alias", alias), ("Name", name), ("Arguments", Arguments(false)), ("Directives", Directives(false)), ("SelectionSet", Is("{") ? Selections() : null)));
        }
        if (_token.Kind == GraphQLTokenKind.Name && !IsWord("on")) return At(first, Object(("Name", Name()), ("Directives", Directives(false))));
        string condition = "";
        if (IsWord("on"))
        {
            Take();
            condition = Name();
        }
        return At(first, Object(("TypeCondition", condition), ("Directives", Directives(false)), ("SelectionSet", RequiredSelections())));
    }

    List<Value> Arguments(bool constant) => Some("(", ")", () => Member(constant));

    ObjectValue Member(bool constant)
    {
        GraphQLToken first = _token;
        string name = Name();
        Expect(":");
        return At(first, Object(("Name", name), ("Value", Literal(constant))));
    }

    List<Value> Directives(bool constant)
    {
        var directives = new List<Value>();
        while (TrySkip("@")) directives.Add(At(_token, Object(("Name", Name()), ("Arguments", Arguments(constant)), ("Location", ""))));
        return directives;
    }

    // The numbers are those of the library's kinds.
    ObjectValue Literal(bool constant)
    {
        GraphQLToken token = _token;
        ObjectValue Make(int kind, string raw, List<Value>? children = null) => At(token, Object(("Kind", kind), ("Raw", raw), ("Children", children), ("ExpectedTypeHasDefault", false)));
        switch (token.Kind)
        {
            case GraphQLTokenKind.Int: return Make(1, Take().Text);
            case GraphQLTokenKind.Float: return Make(2, Take().Text);
            case GraphQLTokenKind.String: return Make(3, Take().Text);
            case GraphQLTokenKind.BlockString: return Make(4, Take().Text);
            case GraphQLTokenKind.Name: return Make(token.Text switch { "true" or "false" => 5, "null" => 6, _ => 7 }, Take().Text);
        }
        if (Is("$") && !constant)
        {
            Take();
            return Make(0, Name());
        }
        Enter();
        var children = new List<Value>();
        if (TrySkip("["))
        {
            while (!TrySkip("]")) children.Add(Object(("Name", ""), ("Value", Literal(constant))));
            _depth--;
            return Make(8, "", children);
        }
        if (!TrySkip("{")) throw Unexpected();
        while (!TrySkip("}")) children.Add(Member(constant));
        _depth--;
        return Make(9, "", children);
    }

    ObjectValue Type()
    {
        Enter();
        GraphQLToken first = _token;
        ObjectValue? element = null;
        string name = "";
        if (TrySkip("["))
        {
            element = Type();
            Expect("]");
        }
        else name = Name();
        _depth--;
        return At(first, Object(("NamedType", name), ("Elem", element), ("NonNull", TrySkip("!"))));
    }
}
