namespace Talos.Policy;

/// <summary>Queries against a schema: GraphQL, October 2021, §5.</summary>
sealed class GraphQLValidator
{
    readonly GraphQLSchema _schema;
    readonly Dictionary<string, Value> _fragments = new(StringComparer.Ordinal);
    readonly HashSet<string> _usedFragments = new(StringComparer.Ordinal);
    Dictionary<string, Value> _variables = new(StringComparer.Ordinal);
    HashSet<string> _usedVariables = new(StringComparer.Ordinal);

    GraphQLValidator(GraphQLSchema schema) => _schema = schema;

    static BuiltinException Invalid(string message) => new($"{message} in GraphQL string at location 1:1");

    static string Text(Value? o, string name) => GraphQLSchema.Text(o, name);

    static IEnumerable<Value> List(Value? o, string name) => GraphQLSchema.List(o, name);

    /// <exception cref="BuiltinException">The query breaks a rule.</exception>
    public static void Validate(ObjectValue query, GraphQLSchema schema)
    {
        var validator = new GraphQLValidator(schema);
        foreach (Value fragment in List(query, "Fragments"))
            if (!validator._fragments.TryAdd(Text(fragment, "Name"), fragment)) throw Invalid($"There can be only one fragment named \"{Text(fragment, "Name")}\".");
        foreach (Value fragment in validator._fragments.Values) validator.CheckCycle(fragment, []);
        Value[] operations = [.. List(query, "Operations")];
        if (operations.Length > 1 && operations.Any(o => Text(o, "Name").Length == 0)) throw Invalid("This anonymous operation must be the only defined operation.");
        if (operations.Select(o => Text(o, "Name")).Distinct().Count() != operations.Length) throw Invalid("There can be only one operation of a name.");
        foreach (Value operation in operations) validator.Operation(operation);
        foreach (string name in validator._fragments.Keys)
            if (!validator._usedFragments.Contains(name)) throw Invalid($"Fragment \"{name}\" is never used.");
    }

    void CheckCycle(Value node, List<string> path)
    {
        foreach (Value selection in List(node, "SelectionSet"))
        {
            if (IsSpread(selection))
            {
                string name = Text(selection, "Name");
                if (path.Contains(name)) throw Invalid($"Cannot spread fragment \"{name}\" within itself.");
                if (_fragments.TryGetValue(name, out Value? fragment)) CheckCycle(fragment, [.. path, name]);
            }
            else CheckCycle(selection, path);
        }
    }

    static bool IsSpread(Value selection) => selection.Get("Alias") is null && selection.Get("TypeCondition") is null;

    void Operation(Value operation)
    {
        string kind = Text(operation, "Operation");
        if (!_schema.Roots.TryGetValue(kind, out string? root)) throw Invalid($"Schema does not support operation type \"{kind}\"");
        _variables = new(StringComparer.Ordinal);
        _usedVariables = new(StringComparer.Ordinal);
        foreach (Value variable in List(operation, "VariableDefinitions"))
        {
            string name = Text(variable, "Variable");
            if (!_variables.TryAdd(name, variable)) throw Invalid($"There can be only one variable named \"${name}\".");
            if (!_schema.Known(variable.Get("Type")).IsInput) throw Invalid($"Variable \"${name}\" cannot be non-input type.");
            if (variable.Get("DefaultValue") is { } value) Literal(value, variable.Get("Type")!);
        }
        if (kind == "subscription" && List(operation, "SelectionSet").Count() > 1) throw Invalid("Anonymous Subscription must select only one top level field.");
        Directives(operation);
        Selections(operation, _schema.Types[root], 0);
        foreach (string name in _variables.Keys)
            if (!_usedVariables.Contains(name)) throw Invalid($"Variable \"${name}\" is never used in operation \"{Text(operation, "Name")}\".");
    }

    void Selections(Value node, GraphQLType type, int depth)
    {
        if (depth > 200) throw Invalid("the query nests too deeply");
        var byAlias = new Dictionary<string, Value>(StringComparer.Ordinal);
        foreach (Value selection in List(node, "SelectionSet"))
        {
            Directives(selection);
            if (IsSpread(selection))
            {
                string name = Text(selection, "Name");
                if (!_fragments.TryGetValue(name, out Value? fragment)) throw Invalid($"Unknown fragment \"{name}\".");
                _usedFragments.Add(name);
                Selections(fragment, Condition(fragment, type), depth + 1);
            }
            else if (selection.Get("Alias") is null) Selections(selection, Condition(selection, type), depth + 1);
            else
            {
                string alias = Text(selection, "Alias");
                if (byAlias.TryGetValue(alias, out Value? other) && (Text(other, "Name") != Text(selection, "Name") || !new ArrayValue([.. List(other, "Arguments")]).Equals(new ArrayValue([.. List(selection, "Arguments")]))))
                    throw Invalid($"Fields \"{alias}\" conflict because they are different fields or have differing arguments.");
                byAlias[alias] = selection;
                Field(selection, type, depth);
            }
        }
    }

    GraphQLType Condition(Value node, GraphQLType parent)
    {
        string name = Text(node, "TypeCondition");
        if (name.Length == 0) return parent;
        if (!_schema.Types.TryGetValue(name, out GraphQLType? type)) throw Invalid($"Unknown type \"{name}\".");
        if (!type.IsComposite) throw Invalid($"Fragment cannot condition on non composite type \"{name}\".");
        if (!Possible(type).Overlaps(Possible(parent))) throw Invalid($"Fragment cannot be spread here as objects of type \"{parent.Name}\" can never be of type \"{name}\".");
        return type;
    }

    HashSet<string> Possible(GraphQLType type) => type.Kind switch
    {
        "UNION" => [.. type.Members],
        "INTERFACE" => [.. _schema.Types.Values.Where(t => t.Kind == "OBJECT" && t.Interfaces.Contains(type.Name)).Select(t => t.Name)],
        _ => [type.Name],
    };

    void Field(Value field, GraphQLType parent, int depth)
    {
        string name = Text(field, "Name");
        // §4: introspection is not of the schema's own making.
        if (name is "__typename" or "__schema" or "__type") return;
        if (!parent.Fields.TryGetValue(name, out Value? definition)) throw Invalid($"Cannot query field \"{name}\" on type \"{parent.Name}\".");
        Arguments(List(field, "Arguments"), List(definition, "Arguments"), $"Field \"{name}\"");
        GraphQLType type = _schema.Known(definition.Get("Type"));
        bool selects = List(field, "SelectionSet").Any();
        if (type.IsComposite && !selects) throw Invalid($"Field \"{name}\" of type \"{type.Name}\" must have a selection of subfields.");
        if (!type.IsComposite && selects) throw Invalid($"Field \"{name}\" must not have a selection since type \"{type.Name}\" has no subfields.");
        Selections(field, type, depth + 1);
    }

    void Arguments(IEnumerable<Value> given, IEnumerable<Value> defined, string where)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (Value argument in given)
        {
            string name = Text(argument, "Name");
            if (!names.Add(name)) throw Invalid($"There can be only one argument named \"{name}\".");
            Value? definition = defined.FirstOrDefault(d => Text(d, "Name") == name) ?? throw Invalid($"Unknown argument \"{name}\" on {where}.");
            Literal(argument.Get("Value")!, definition.Get("Type")!);
        }
        foreach (Value definition in defined)
            if (definition.Get("Type")?.Get("NonNull") == BooleanValue.True && definition.Get("DefaultValue") is null && !names.Contains(Text(definition, "Name")))
                throw Invalid($"{where} argument \"{Text(definition, "Name")}\" is required, but it was not provided.");
    }

    static readonly Value Condition1 = ObjectValue.From(("Name", Value.From("if")), ("Type", ObjectValue.From(("NamedType", Value.From("Boolean")), ("NonNull", BooleanValue.True))));

    void Directives(Value node)
    {
        foreach (Value directive in List(node, "Directives"))
        {
            string name = Text(directive, "Name");
            if (!_schema.Directives.TryGetValue(name, out Value? definition)) throw Invalid($"Unknown directive \"@{name}\".");
            if (definition is not null) Arguments(List(directive, "Arguments"), List(definition, "Arguments"), $"Directive \"@{name}\"");
            else if (name is "include" or "skip") Arguments(List(directive, "Arguments"), [Condition1], $"Directive \"@{name}\"");
        }
    }

    // The kinds are the parser's numbers.
    void Literal(Value value, Value type)
    {
        int kind = value.Get("Kind") is NumberValue n && n.TryGetInt32(out int k) ? k : -1;
        string raw = Text(value, "Raw");
        bool nonNull = type.Get("NonNull") == BooleanValue.True;
        if (kind == 0)
        {
            if (!_variables.TryGetValue(raw, out Value? variable)) throw Invalid($"Variable \"${raw}\" is not defined.");
            _usedVariables.Add(raw);
            if (!Fits(variable.Get("Type")!, type, variable.Get("DefaultValue") is not null)) throw Invalid($"Variable \"${raw}\" is used in a position that expects another type.");
            return;
        }
        if (kind == 6)
        {
            if (nonNull) throw Invalid("Expected value of a non-null type, found null.");
            return;
        }
        if (type.Get("Elem") is { } element)
        {
            if (kind != 8) Literal(value, element);
            else
                foreach (Value child in List(value, "Children")) Literal(child.Get("Value")!, element);
            return;
        }
        GraphQLType named = _schema.Known(type);
        bool ok = named.Kind switch
        {
            "ENUM" => kind == 7 && named.EnumValues.Contains(raw),
            "INPUT_OBJECT" => kind == 9,
            _ => named.Name switch
            {
                "Int" => kind == 1,
                "Float" => kind is 1 or 2,
                "String" => kind is 3 or 4,
                "Boolean" => kind == 5,
                "ID" => kind is 1 or 3 or 4,
                _ => true,
            },
        };
        if (!ok) throw Invalid($"{named.Name} cannot represent value: {raw}");
        if (named.Kind != "INPUT_OBJECT") return;
        var given = new HashSet<string>(StringComparer.Ordinal);
        foreach (Value child in List(value, "Children"))
        {
            string name = Text(child, "Name");
            if (!given.Add(name)) throw Invalid($"There can be only one input field named \"{name}\".");
            if (!named.Fields.TryGetValue(name, out Value? field)) throw Invalid($"Field \"{name}\" is not defined by type \"{named.Name}\".");
            Literal(child.Get("Value")!, field.Get("Type")!);
        }
        foreach ((string name, Value field) in named.Fields)
            if (field.Get("Type")?.Get("NonNull") == BooleanValue.True && field.Get("DefaultValue") is null && !given.Contains(name)) throw Invalid($"Field \"{named.Name}.{name}\" is required, but it was not provided.");
    }

    // §5.8.5
    static bool Fits(Value variable, Value position, bool hasDefault)
    {
        bool needs = position.Get("NonNull") == BooleanValue.True, gives = variable.Get("NonNull") == BooleanValue.True;
        if (needs && !gives && !hasDefault) return false;
        if (position.Get("Elem") is { } element) return variable.Get("Elem") is { } own && Fits(own, element, false);
        return variable.Get("Elem") is null && Text(variable, "NamedType") == Text(position, "NamedType");
    }
}
