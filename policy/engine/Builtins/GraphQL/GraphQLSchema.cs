namespace Talos.Policy;

/// <summary>One type of a schema, with its extensions merged in.</summary>
sealed class GraphQLType(string name, string kind)
{
    public string Name { get; } = name;
    public string Kind { get; } = kind;
    public List<string> Interfaces { get; } = [];
    public List<string> Members { get; } = [];
    public List<string> EnumValues { get; } = [];
    public Dictionary<string, Value> Fields { get; } = new(StringComparer.Ordinal);
    public List<Value> Directives { get; } = [];

    public bool IsInput => Kind is "SCALAR" or "ENUM" or "INPUT_OBJECT";
    public bool IsOutput => Kind != "INPUT_OBJECT";
    public bool IsComposite => Kind is "OBJECT" or "INTERFACE" or "UNION";
}

/// <summary>A schema checked by the rules of GraphQL, October 2021, §3.</summary>
sealed class GraphQLSchema
{
    static readonly string[] BuiltInScalars = ["Int", "Float", "String", "Boolean", "ID"];
    static readonly string[] BuiltInDirectives = ["include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"];

    public Dictionary<string, GraphQLType> Types { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, Value?> Directives { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, string> Roots { get; } = new(StringComparer.Ordinal);

    public static IEnumerable<Value> List(Value? o, string name) => o?.Get(name) is ArrayValue a ? a.Items : [];

    public static string Text(Value? o, string name) => (o?.Get(name) as StringValue)?.Text ?? "";

    static BuiltinException Invalid(string message) => new($"{message} in GraphQL string at location 1:1");

    /// <exception cref="BuiltinException">The schema breaks a rule.</exception>
    public static GraphQLSchema Build(ObjectValue document)
    {
        var schema = new GraphQLSchema();
        foreach (string scalar in BuiltInScalars) schema.Types.Add(scalar, new GraphQLType(scalar, "SCALAR"));
        foreach (string directive in BuiltInDirectives) schema.Directives.Add(directive, null);
        foreach (Value definition in List(document, "Definitions")) schema.Define(definition, false);
        foreach (Value extension in List(document, "Extensions")) schema.Define(extension, true);
        foreach (Value directive in List(document, "Directives"))
            if (!schema.Directives.TryAdd(Text(directive, "Name"), directive)) throw Invalid($"Cannot redeclare directive {Text(directive, "Name")}.");
        schema.FindRoots(document);
        foreach (GraphQLType type in schema.Types.Values) schema.Check(type);
        foreach (Value? directive in schema.Directives.Values)
            foreach (Value argument in List(directive, "Arguments")) schema.CheckInput(argument);
        foreach (Value definition in List(document, "Schema").Concat(List(document, "SchemaExtension"))) schema.CheckDirectives(List(definition, "Directives"));
        return schema;
    }

    void Define(Value definition, bool extension)
    {
        string name = Text(definition, "Name"), kind = Text(definition, "Kind");
        if (Types.TryGetValue(name, out GraphQLType? type))
        {
            if (!extension) throw Invalid($"Cannot redeclare type {name}.");
            if (type.Kind != kind) throw Invalid($"Cannot extend type {name} because the base type is a {type.Kind}, not {kind}.");
        }
        else Types.Add(name, type = new GraphQLType(name, kind));
        type.Interfaces.AddRange(List(definition, "Interfaces").OfType<StringValue>().Select(s => s.Text));
        type.Members.AddRange(List(definition, "Types").OfType<StringValue>().Select(s => s.Text));
        type.Directives.AddRange(List(definition, "Directives"));
        foreach (Value value in List(definition, "EnumValues"))
        {
            if (type.EnumValues.Contains(Text(value, "Name"))) throw Invalid($"Enum value {name}.{Text(value, "Name")} can only be defined once.");
            type.EnumValues.Add(Text(value, "Name"));
            type.Directives.AddRange(List(value, "Directives"));
        }
        foreach (Value field in List(definition, "Fields"))
            if (!type.Fields.TryAdd(Text(field, "Name"), field)) throw Invalid($"Field {name}.{Text(field, "Name")} can only be defined once.");
    }

    void FindRoots(ObjectValue document)
    {
        Value[] explicitRoots = [.. List(document, "Schema").Concat(List(document, "SchemaExtension")).SelectMany(s => List(s, "OperationTypes"))];
        if (List(document, "Schema").Skip(1).Any()) throw Invalid("Cannot have multiple schema entry points, consider schema extensions instead.");
        foreach (Value root in explicitRoots)
        {
            string operation = Text(root, "Operation"), type = Text(root, "Type");
            if (!Types.ContainsKey(type)) throw Invalid($"Schema root {operation} refers to a type {type} that does not exist.");
            Roots[operation] = type;
        }
        if (List(document, "Schema").Any()) return;
        foreach ((string operation, string type) in (ReadOnlySpan<(string, string)>)[("query", "Query"), ("mutation", "Mutation"), ("subscription", "Subscription")])
            if (Types.ContainsKey(type)) Roots.TryAdd(operation, type);
    }

    void Check(GraphQLType type)
    {
        if (type.Name.StartsWith("__", StringComparison.Ordinal)) throw Invalid($"Name \"{type.Name}\" must not begin with \"__\", which is reserved by GraphQL introspection.");
        CheckDirectives(type.Directives);
        foreach ((string name, Value field) in type.Fields)
        {
            if (name.StartsWith("__", StringComparison.Ordinal)) throw Invalid($"Name \"{name}\" must not begin with \"__\", which is reserved by GraphQL introspection.");
            if (type.Kind == "INPUT_OBJECT") CheckInput(field);
            else if (!Known(field.Get("Type")).IsOutput) throw Invalid($"{type.Name}.{name}: field must be one of SCALAR, OBJECT, INTERFACE, UNION, ENUM.");
            CheckDirectives(List(field, "Directives"));
            foreach (Value argument in List(field, "Arguments")) CheckInput(argument);
        }
        switch (type.Kind)
        {
            case "OBJECT" or "INTERFACE" or "INPUT_OBJECT" when type.Fields.Count == 0:
                throw Invalid($"{type.Kind} {type.Name}: must define one or more fields.");
            case "ENUM" when type.EnumValues.Count == 0:
                throw Invalid("ENUM must define one or more unique enum values.");
            case "UNION":
                foreach (string member in type.Members)
                    if (!Types.TryGetValue(member, out GraphQLType? m)) throw Invalid($"Undefined type \"{member}\".");
                    else if (m.Kind != "OBJECT") throw Invalid($"UNION type \"{member}\" must be OBJECT.");
                break;
        }
        foreach (string name in type.Interfaces) CheckImplements(type, name);
    }

    void CheckImplements(GraphQLType type, string name)
    {
        if (!Types.TryGetValue(name, out GraphQLType? contract)) throw Invalid($"Undefined type \"{name}\".");
        if (contract.Kind != "INTERFACE") throw Invalid($"{name} is a non interface type {contract.Kind}.");
        foreach (string above in contract.Interfaces)
            if (!type.Interfaces.Contains(above)) throw Invalid($"Type {type.Name} must implement {above} because it is implemented by {name}.");
        foreach ((string field, Value required) in contract.Fields)
        {
            if (!type.Fields.TryGetValue(field, out Value? own)) throw Invalid($"For {type.Name} to implement {name} it must have a field called {field}.");
            if (!IsCovariant(required.Get("Type")!, own.Get("Type")!)) throw Invalid($"For {type.Name} to implement {name} the field {field} must have type {required.Get("Type")}.");
            foreach (Value argument in List(required, "Arguments"))
                if (!List(own, "Arguments").Any(a => Text(a, "Name") == Text(argument, "Name") && a.Get("Type")!.Equals(argument.Get("Type"))))
                    throw Invalid($"For {type.Name} to implement {name} the field {field} must have the same arguments but it is missing {Text(argument, "Name")}.");
        }
    }

    bool IsCovariant(Value required, Value actual)
    {
        if (required.Get("NonNull") == BooleanValue.True && actual.Get("NonNull") != BooleanValue.True) return false;
        if (required.Get("Elem") is { } element) return actual.Get("Elem") is { } own && IsCovariant(element, own);
        if (actual.Get("Elem") is not null) return false;
        string wanted = Text(required, "NamedType"), given = Text(actual, "NamedType");
        return wanted == given || (Types.TryGetValue(wanted, out GraphQLType? w) && Types.TryGetValue(given, out GraphQLType? g) && (w.Members.Contains(given) || g.Interfaces.Contains(wanted)));
    }

    /// <summary>The named type inside lists.</summary>
    public GraphQLType Known(Value? type)
    {
        while (type?.Get("Elem") is { } element) type = element;
        string name = Text(type, "NamedType");
        return Types.TryGetValue(name, out GraphQLType? known) ? known : throw Invalid($"Undefined type {name}.");
    }

    void CheckInput(Value argument)
    {
        if (!Known(argument.Get("Type")).IsInput) throw Invalid($"cannot use {Text(argument.Get("Type"), "NamedType")} as argument {Text(argument, "Name")} because it is no input type");
        CheckDirectives(List(argument, "Directives"));
    }

    void CheckDirectives(IEnumerable<Value> used)
    {
        foreach (Value directive in used)
            if (!Directives.ContainsKey(Text(directive, "Name"))) throw Invalid($"Undefined directive {Text(directive, "Name")}.");
    }
}
