namespace Talos.Policy;

/// <summary>One type of a schema, with its extensions merged in.</summary>
sealed class GraphQLType(string name, string kind, Value definition, bool builtIn)
{
    public string Name { get; } = name;
    public string Kind { get; } = kind;
    public Value Definition { get; } = definition;
    public bool IsBuiltIn { get; } = builtIn;
    public List<string> Interfaces { get; } = [];
    public List<string> Members { get; } = [];
    public List<string> EnumValues { get; } = [];
    public List<Value> Fields { get; } = [];
    public List<Value> Directives { get; } = [];

    public bool IsInput => Kind is "SCALAR" or "ENUM" or "INPUT_OBJECT";
    public bool IsComposite => Kind is "OBJECT" or "INTERFACE" or "UNION";

    public Value? Field(string name) => GraphQLDocument.Named(Fields, name);
}

/// <summary>A schema checked by the rules of GraphQL, October 2021, §3, in the order of the library that OPA uses.</summary>
sealed class GraphQLSchema
{
    static readonly string[] BuiltInDirectives = ["include", "skip", "deprecated", "specifiedBy"];

    readonly GraphQLDocument _document;
    readonly Dictionary<string, List<GraphQLType>> _possible = new(StringComparer.Ordinal);

    GraphQLSchema(GraphQLDocument document) => _document = document;

    public Dictionary<string, GraphQLType> Types { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, Value> Directives { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, GraphQLType> Roots { get; } = new(StringComparer.Ordinal);

    public IReadOnlyList<GraphQLType> PossibleTypes(GraphQLType type) => _possible.TryGetValue(type.Name, out List<GraphQLType>? types) ? types : [];

    BuiltinException Invalid(Value? at, string message)
    {
        (int line, int column) = _document.Place(at);
        return new($"Error in gqlparser SchemaDocument to Schema conversion: input:{line}:{column}: {message}");
    }

    /// <exception cref="BuiltinException">The schema breaks a rule.</exception>
    public static GraphQLSchema Build(GraphQLDocument document)
    {
        var schema = new GraphQLSchema(document);
        schema.Collect(GraphQLPrelude.Document.Tree, true);
        GraphQLType entry = schema.Types["__Entry"];
        schema.Types.Remove("__Entry");
        schema.Collect(document.Tree, false);
        schema.Relate();
        schema.FindRoots();
        foreach (GraphQLType type in schema.Types.Values.OrderBy(t => t.Name, StringComparer.Ordinal)) schema.Check(type);
        foreach ((string name, Value directive) in schema.Directives.OrderBy(d => d.Key, StringComparer.Ordinal))
        {
            schema.CheckName(directive, name);
            schema.CheckArguments(GraphQLDocument.List(directive, "Arguments"), name);
        }
        if (schema.Roots.TryGetValue("query", out GraphQLType? query)) query.Fields.AddRange(entry.Fields);
        return schema;
    }

    void Collect(ObjectValue tree, bool builtIn)
    {
        foreach (Value definition in GraphQLDocument.List(tree, "Definitions"))
        {
            string name = GraphQLDocument.Text(definition, "Name");
            var type = new GraphQLType(name, GraphQLDocument.Text(definition, "Kind"), definition, builtIn);
            if (!Types.TryAdd(name, type)) throw Invalid(definition, $"Cannot redeclare type {name}.");
            Add(type, definition);
        }
        foreach (Value extension in GraphQLDocument.List(tree, "Extensions"))
        {
            string name = GraphQLDocument.Text(extension, "Name"), kind = GraphQLDocument.Text(extension, "Kind");
            if (!Types.TryGetValue(name, out GraphQLType? type)) Types.Add(name, type = new GraphQLType(name, kind, extension, false));
            if (type.Kind != kind) throw Invalid(extension, $"Cannot extend type {name} because the base type is a {type.Kind}, not {kind}.");
            Add(type, extension);
        }
        foreach (Value directive in GraphQLDocument.List(tree, "Directives"))
        {
            string name = GraphQLDocument.Text(directive, "Name");
            if (Directives.ContainsKey(name) && !BuiltInDirectives.Contains(name)) throw Invalid(directive, $"Cannot redeclare directive {name}.");
            Directives[name] = directive;
        }
    }

    static void Add(GraphQLType type, Value definition)
    {
        type.Interfaces.AddRange(GraphQLDocument.List(definition, "Interfaces").OfType<StringValue>().Select(s => s.Text));
        type.Members.AddRange(GraphQLDocument.List(definition, "Types").OfType<StringValue>().Select(s => s.Text));
        type.EnumValues.AddRange(GraphQLDocument.List(definition, "EnumValues").Select(v => GraphQLDocument.Text(v, "Name")));
        type.Directives.AddRange(GraphQLDocument.List(definition, "Directives"));
        type.Fields.AddRange(GraphQLDocument.List(definition, "Fields"));
    }

    void Relate()
    {
        void Add(string of, GraphQLType? type)
        {
            if (type is null) return;
            if (!_possible.TryGetValue(of, out List<GraphQLType>? types)) _possible.Add(of, types = []);
            types.Add(type);
        }
        foreach (GraphQLType type in Types.Values)
        {
            foreach (string member in type.Members) Add(type.Name, Types.GetValueOrDefault(member));
            foreach (string contract in type.Interfaces) Add(contract, type);
            if (type.Kind is "OBJECT" or "INPUT_OBJECT") Add(type.Name, type);
        }
    }

    void FindRoots()
    {
        Value[] schemas = [.. GraphQLDocument.List(_document.Tree, "Schema")];
        if (schemas.Length > 1) throw Invalid(schemas[1], "Cannot have multiple schema entry points, consider schema extensions instead.");
        foreach (Value root in schemas.Concat(GraphQLDocument.List(_document.Tree, "SchemaExtension")).SelectMany(s => GraphQLDocument.List(s, "OperationTypes")))
        {
            string operation = GraphQLDocument.Text(root, "Operation"), name = GraphQLDocument.Text(root, "Type");
            Roots[operation] = Types.TryGetValue(name, out GraphQLType? type) ? type : throw Invalid(root, $"Schema root {operation} refers to a type {name} that does not exist.");
        }
        if (schemas.Length > 0) return;
        foreach ((string operation, string name) in (ReadOnlySpan<(string, string)>)[("query", "Query"), ("mutation", "Mutation"), ("subscription", "Subscription")])
            if (Types.TryGetValue(name, out GraphQLType? type)) Roots.TryAdd(operation, type);
    }

    void CheckName(Value at, string name)
    {
        if (name.StartsWith("__", StringComparison.Ordinal)) throw Invalid(at, $"Name \"{name}\" must not begin with \"__\", which is reserved by GraphQL introspection.");
    }

    void Check(GraphQLType type)
    {
        if (type.IsBuiltIn) return;
        foreach (Value field in type.Fields)
        {
            CheckName(field, GraphQLDocument.Text(field, "Name"));
            Known(field.Get("Type"));
            CheckArguments(GraphQLDocument.List(field, "Arguments"), null);
            CheckDirectives(GraphQLDocument.List(field, "Directives"), type.Kind == "INPUT_OBJECT" ? "INPUT_FIELD_DEFINITION" : "FIELD_DEFINITION", null);
        }
        foreach (string member in type.Members)
        {
            if (!Types.TryGetValue(member, out GraphQLType? found)) throw Invalid(type.Definition, $"Undefined type \"{member}\".");
            if (found.Kind != "OBJECT") throw Invalid(type.Definition, $"{type.Kind} type \"{member}\" must be OBJECT.");
        }
        foreach (string name in type.Interfaces) CheckImplements(type, name);
        CheckContent(type);
        for (int i = 0; i < type.Fields.Count; i++)
        {
            string name = GraphQLDocument.Text(type.Fields[i], "Name");
            if (type.Field(name) != type.Fields[i]) throw Invalid(type.Fields[i], $"Field {type.Name}.{name} can only be defined once.");
        }
        CheckName(type.Definition, type.Name);
        CheckDirectives(type.Directives, type.Kind, null);
    }

    void CheckContent(GraphQLType type)
    {
        switch (type.Kind)
        {
            case "OBJECT" or "INTERFACE":
                if (type.Fields.Count == 0) throw Invalid(type.Definition, $"{type.Kind} {type.Name}: must define one or more fields.");
                if (type.Fields.Find(f => Known(f.Get("Type")).Kind == "INPUT_OBJECT") is { } input)
                    throw Invalid(input, $"{type.Kind} {type.Name}: field must be one of SCALAR, OBJECT, INTERFACE, UNION, ENUM.");
                break;
            case "ENUM":
                if (type.EnumValues.Count == 0) throw Invalid(type.Definition, $"ENUM {type.Name}: must define one or more unique enum values.");
                if (type.EnumValues.Find(v => v is "true" or "false" or "null") is { } word) throw Invalid(type.Definition, $"ENUM {type.Name}: non-enum value {word}.");
                break;
            case "INPUT_OBJECT":
                if (type.Fields.Count == 0) throw Invalid(type.Definition, $"INPUT_OBJECT {type.Name}: must define one or more input fields.");
                if (type.Fields.Find(f => !Known(f.Get("Type")).IsInput) is { } output)
                    throw Invalid(output, $"{Known(output.Get("Type")).Kind} {GraphQLDocument.Text(output, "Name")}: field must be one of SCALAR, ENUM, INPUT_OBJECT.");
                break;
        }
    }

    void CheckImplements(GraphQLType type, string name)
    {
        if (!Types.TryGetValue(name, out GraphQLType? contract)) throw Invalid(type.Definition, $"Undefined type \"{name}\".");
        if (contract.Kind != "INTERFACE") throw Invalid(type.Definition, $"\"{name}\" is a non interface type {contract.Kind}.");
        string must = $"For {type.Name} to implement {name}";
        foreach (Value required in contract.Fields)
        {
            string field = GraphQLDocument.Text(required, "Name");
            if (type.Field(field) is not { } own) throw Invalid(type.Definition, $"{must} it must have a field called {field}.");
            if (!IsCovariant(GraphQLDocument.Part(required, "Type"), GraphQLDocument.Part(own, "Type"))) throw Invalid(own, $"{must} the field {field} must have type {GraphQLDocument.TypeText(required.Get("Type"))}.");
            Value[] wanted = [.. GraphQLDocument.List(required, "Arguments")], given = [.. GraphQLDocument.List(own, "Arguments")];
            foreach (Value argument in wanted)
            {
                string argumentName = GraphQLDocument.Text(argument, "Name");
                if (GraphQLDocument.Named(given, argumentName) is not { } found) throw Invalid(own, $"{must} the field {field} must have the same arguments but it is missing {argumentName}.");
                if (!GraphQLDocument.IsCompatible(GraphQLDocument.Part(argument, "Type"), GraphQLDocument.Part(found, "Type")))
                    throw Invalid(found, $"{must} the field {field} must have the same arguments but {argumentName} has the wrong type.");
            }
            if (given.FirstOrDefault(a => GraphQLDocument.Flag(a.Get("Type"), "NonNull") && a.Get("DefaultValue") is null && GraphQLDocument.Named(wanted, GraphQLDocument.Text(a, "Name")) is null) is { } extra)
                throw Invalid(extra, $"{must} any additional arguments on {field} must be optional or have a default value but {GraphQLDocument.Text(extra, "Name")} is required.");
        }
        foreach (string above in contract.Interfaces)
        {
            if (type.Interfaces.Contains(above)) continue;
            throw Invalid(type.Definition, above == type.Name ? $"Type {type.Name} cannot implement {name} because it would create a circular reference."
                : $"Type {type.Name} must implement {above} because it is implemented by {name}.");
        }
    }

    bool IsCovariant(Value required, Value actual)
    {
        if (GraphQLDocument.Flag(required, "NonNull") && !GraphQLDocument.Flag(actual, "NonNull")) return false;
        if (required.Get("Elem") is { } element) return actual.Get("Elem") is { } own && IsCovariant(element, own);
        string wanted = GraphQLDocument.Text(required, "NamedType"), given = GraphQLDocument.Text(actual, "NamedType");
        return wanted == given || (_possible.TryGetValue(wanted, out List<GraphQLType>? types) && types.Exists(t => t.Name == given));
    }

    GraphQLType Known(Value? type) => Types.TryGetValue(GraphQLDocument.TypeName(type), out GraphQLType? known) ? known : throw Invalid(type, $"Undefined type {GraphQLDocument.TypeName(type)}.");

    void CheckArguments(IEnumerable<Value> arguments, string? directive)
    {
        foreach (Value argument in arguments)
        {
            CheckName(argument, GraphQLDocument.Text(argument, "Name"));
            GraphQLType type = Known(argument.Get("Type"));
            if (!type.IsInput)
                throw Invalid(argument, $"cannot use {GraphQLDocument.TypeText(argument.Get("Type"))} as argument {GraphQLDocument.Text(argument, "Name")} because {type.Kind} is not a valid input type");
            CheckDirectives(GraphQLDocument.List(argument, "Directives"), "ARGUMENT_DEFINITION", directive);
        }
    }

    void CheckDirectives(IEnumerable<Value> used, string location, string? within)
    {
        foreach (Value directive in used)
        {
            string name = GraphQLDocument.Text(directive, "Name");
            CheckName(directive, name);
            if (name == within) throw Invalid(directive, $"Directive {name} cannot refer to itself.");
            if (!Directives.TryGetValue(name, out Value? definition)) throw Invalid(directive, $"Undefined directive {name}.");
            if (!GraphQLDocument.List(definition, "Locations").Contains(Value.From(location))) throw Invalid(directive, $"Directive {name} is not applicable on {location}.");
        }
    }
}
