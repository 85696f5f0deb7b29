namespace Talos.Policy;

/// <summary>Queries against a schema: GraphQL, October 2021, §5, walked in the order of the library that OPA uses, so that its first complaint is ours.</summary>
sealed partial class GraphQLValidator
{
    readonly Evaluation _evaluation;
    readonly GraphQLDocument _query;
    readonly GraphQLSchema _schema;
    readonly List<(Value? At, string Message)> _errors = [];
    readonly Dictionary<string, Value> _fragments = new(StringComparer.Ordinal);
    readonly Dictionary<Value, (Value? Definition, GraphQLType? Parent)> _fields = new(ReferenceEqualityComparer.Instance);
    readonly HashSet<string> _entered = new(StringComparer.Ordinal), _usedVariables = new(StringComparer.Ordinal);
    Value? _operation;

    GraphQLValidator(Evaluation e, GraphQLDocument query, GraphQLSchema schema)
    {
        (_evaluation, _query, _schema) = (e, query, schema);
        foreach (Value fragment in List(query.Tree, "Fragments")) _fragments.TryAdd(Text(fragment, "Name"), fragment);
    }

    static IEnumerable<Value> List(Value? o, string name) => GraphQLDocument.List(o, name);

    static string Text(Value? o, string name) => GraphQLDocument.Text(o, name);

    void Fail(Value? at, string message) => _errors.Add((at, message));

    /// <exception cref="BuiltinException">The query breaks a rule.</exception>
    public static void Validate(Evaluation e, GraphQLDocument query, GraphQLSchema schema)
    {
        var validator = new GraphQLValidator(e, query, schema);
        validator.Walk();
        if (validator._errors.Count == 0) return;
        (int line, int column) = query.Place(validator._errors[0].At);
        IEnumerable<string> messages = validator._errors.Select((x, i) => i == 0 ? x.Message : $"input:{query.Place(x.At).Line}:{query.Place(x.At).Column}: {x.Message}");
        string all = string.Join('\n', messages);
        throw new BuiltinException($"{(all.EndsWith('.') ? all[..^1] : all)} in GraphQL query string at location {line}:{column}");
    }

    void Walk()
    {
        foreach (Value operation in List(_query.Tree, "Operations"))
        {
            _entered.Clear();
            _usedVariables.Clear();
            _operation = operation;
            Operation(operation);
            _operation = null;
        }
        foreach (Value fragment in List(_query.Tree, "Fragments"))
        {
            _entered.Clear();
            GraphQLType? type = _schema.Types.GetValueOrDefault(Text(fragment, "TypeCondition"));
            Directives(fragment, "FRAGMENT_DEFINITION");
            Selections(fragment, type);
            OnFragment(fragment, type);
        }
    }

    void Operation(Value operation)
    {
        string kind = Text(operation, "Operation");
        GraphQLType? root = _schema.Roots.GetValueOrDefault(kind.Length == 0 ? "query" : kind);
        foreach (Value variable in List(operation, "VariableDefinitions"))
        {
            Value type = GraphQLDocument.Part(variable, "Type");
            if (variable.Get("DefaultValue") is { } value) Literal(value, type);
            Directives(variable, "VARIABLE_DEFINITION");
        }
        Directives(operation, kind.Length == 0 ? "QUERY" : kind.ToUpperInvariant());
        Selections(operation, root);
        OnOperation(operation, root);
    }

    void Selections(Value node, GraphQLType? parent)
    {
        _evaluation.CheckStack();
        foreach (Value selection in List(node, "SelectionSet"))
        {
            _evaluation.Tick();
            if (IsSpread(selection)) Spread(selection, parent);
            else if (selection.Get("Alias") is null) Inline(selection, parent);
            else Field(selection, parent);
        }
    }

    static bool IsSpread(Value selection) => selection.Get("Alias") is null && selection.Get("TypeCondition") is null;

    static readonly ObjectValue TypeNameField = ObjectValue.From(("Name", Value.From("__typename")), ("Type", ObjectValue.From(("NamedType", Value.From("String")), ("NonNull", BooleanValue.False))));

    void Field(Value field, GraphQLType? parent)
    {
        string name = Text(field, "Name");
        Value? definition = name == "__typename" ? TypeNameField : parent?.Field(name);
        _fields[field] = (definition, parent);
        GraphQLType? type = definition is null ? null : _schema.Types.GetValueOrDefault(GraphQLDocument.TypeName(definition.Get("Type")));
        Arguments(field, definition);
        Selections(field, type);
        Directives(field, "FIELD");
        OnField(field, definition, parent, type);
    }

    void Inline(Value fragment, GraphQLType? parent)
    {
        string condition = Text(fragment, "TypeCondition");
        GraphQLType? type = condition.Length == 0 ? parent : _schema.Types.GetValueOrDefault(condition);
        Directives(fragment, "INLINE_FRAGMENT");
        Selections(fragment, type);
        OnInline(fragment, parent, condition);
    }

    void Spread(Value spread, GraphQLType? parent)
    {
        string name = Text(spread, "Name");
        Value? fragment = _fragments.GetValueOrDefault(name);
        Directives(spread, "FRAGMENT_SPREAD");
        // Once for each operation, however often it is spread.
        if (fragment is not null && _entered.Add(name)) Selections(fragment, _schema.Types.GetValueOrDefault(Text(fragment, "TypeCondition")));
        OnSpread(spread, parent, fragment);
    }

    void Arguments(Value node, Value? definition)
    {
        Value[] defined = [.. List(definition, "Arguments")];
        foreach (Value argument in List(node, "Arguments"))
            if (argument.Get("Value") is { } value) Literal(value, GraphQLDocument.Named(defined, Text(argument, "Name"))?.Get("Type"));
    }

    void Directives(Value node, string location)
    {
        Value[] directives = [.. List(node, "Directives")];
        foreach (Value directive in directives)
        {
            Value? definition = _schema.Directives.GetValueOrDefault(Text(directive, "Name"));
            Arguments(directive, definition);
            OnDirective(directive, definition, location);
        }
        OnDirectives(directives);
    }

    void Literal(Value value, Value? expected)
    {
        _evaluation.CheckStack();
        _evaluation.Tick();
        GraphQLType? type = expected is null ? null : _schema.Types.GetValueOrDefault(GraphQLDocument.TypeName(expected));
        GraphQLValueKind kind = GraphQLLiteral.Kind(value);
        foreach (Value child in kind is GraphQLValueKind.List or GraphQLValueKind.Object ? List(value, "Children") : [])
        {
            if (child.Get("Value") is not { } inner) continue;
            Literal(inner, kind == GraphQLValueKind.List ? expected?.Get("Elem") : type?.Field(Text(child, "Name"))?.Get("Type"));
        }
        OnValue(value, kind, expected, type);
    }
}
