namespace Talos.Policy;

sealed partial class GraphQLParser
{
    static readonly HashSet<string> Locations =
    [
        "QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT", "VARIABLE_DEFINITION", "SCHEMA", "SCALAR", "OBJECT",
        "FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INTERFACE", "UNION", "ENUM", "ENUM_VALUE", "INPUT_OBJECT", "INPUT_FIELD_DEFINITION",
    ];

    ObjectValue SchemaDocument()
    {
        List<Value> schema = [], schemaExtensions = [], directives = [], definitions = [], extensions = [];
        while (_token.Kind != GraphQLTokenKind.End)
        {
            GraphQLToken first = _token;
            bool described = _token.Kind is GraphQLTokenKind.String or GraphQLTokenKind.BlockString;
            string description = Description();
            if (IsWord("extend"))
            {
                if (described) throw Fail($"Unexpected {first.Described}", first);
                Take();
                if (IsWord("schema")) schemaExtensions.Add(SchemaDefinition("", true));
                else extensions.Add(Definition("", true));
            }
            else if (IsWord("schema")) schema.Add(SchemaDefinition(description, false));
            else if (IsWord("directive")) directives.Add(DirectiveDefinition(description));
            else definitions.Add(Definition(description, false));
        }
        return Object(("Schema", schema), ("SchemaExtension", schemaExtensions), ("Directives", directives), ("Definitions", definitions), ("Extensions", extensions));
    }

    string Description() => _token.Kind is GraphQLTokenKind.String or GraphQLTokenKind.BlockString ? Take().Text : "";

    ObjectValue SchemaDefinition(string description, bool extension)
    {
        GraphQLToken first = _token;
        Word("schema");
        List<Value> directives = Directives(true);
        List<Value> types = Some("{", "}", () =>
        {
            GraphQLToken entry = _token;
            string operation = Name();
            if (operation is not ("query" or "mutation" or "subscription")) throw Fail($"Unexpected Name \"{operation}\"", _token);
            Expect(":");
            return At(entry, Object(("Operation", operation), ("Type", Name())));
        });
        if (types.Count == 0 && (!extension || directives.Count == 0)) throw extension ? Unexpected() : Fail($"Expected {{, found {_token.KindName}", _token);
        return At(first, Object(("Description", description), ("Directives", directives), ("OperationTypes", types)));
    }

    ObjectValue DirectiveDefinition(string description)
    {
        Word("directive");
        Expect("@");
        GraphQLToken first = _token;
        string name = Name();
        List<Value> arguments = Some("(", ")", ArgumentDefinition);
        bool repeatable = IsWord("repeatable");
        if (repeatable) Take();
        Word("on");
        TrySkip("|");
        var locations = new List<Value>();
        do
        {
            if (_token.Kind != GraphQLTokenKind.Name) throw Fail($"Expected Name, found {_token.KindName}", _token);
            if (!Locations.Contains(_token.Text)) throw Unexpected();
            locations.Add(Value.From(Name()));
        }
        while (TrySkip("|"));
        return At(first, Object(("Description", description), ("Name", name), ("Arguments", arguments), ("Locations", locations), ("IsRepeatable", repeatable)));
    }

    ObjectValue Definition(string description, bool extension)
    {
        string? kind = _token.Kind == GraphQLTokenKind.Name ? _token.Text switch
        {
            "scalar" => "SCALAR",
            "type" => "OBJECT",
            "interface" => "INTERFACE",
            "union" => "UNION",
            "enum" => "ENUM",
            "input" => "INPUT_OBJECT",
            _ => null,
        } : null;
        if (kind is null) throw Unexpected();
        Take();
        GraphQLToken first = _token;
        string name = Name();
        List<Value> interfaces = [], fields = [], types = [], values = [];
        if (kind is "OBJECT" or "INTERFACE") interfaces = Interfaces();
        List<Value> directives = Directives(true);
        switch (kind)
        {
            case "OBJECT" or "INTERFACE":
                fields = Some("{", "}", FieldDefinition);
                break;
            case "INPUT_OBJECT":
                fields = Some("{", "}", InputDefinition);
                break;
            case "UNION":
                types = Members();
                break;
            case "ENUM":
                values = Some("{", "}", () => Object(("Description", Description()), ("Name", Name()), ("Directives", Directives(true))));
                break;
        }
        if (extension && interfaces.Count + directives.Count + fields.Count + types.Count + values.Count == 0) throw Unexpected();
        return At(first, Object(("Kind", kind), ("Description", description), ("Name", name), ("Interfaces", interfaces), ("Directives", directives), ("Fields", fields), ("Types", types),
            ("EnumValues", values), ("BuiltIn", false)));
    }

    List<Value> Interfaces()
    {
        var interfaces = new List<Value>();
        if (!IsWord("implements")) return interfaces;
        Take();
        TrySkip("&");
        do interfaces.Add(Value.From(Name()));
        while (TrySkip("&"));
        return interfaces;
    }

    List<Value> Members()
    {
        var members = new List<Value>();
        if (!TrySkip("=")) return members;
        TrySkip("|");
        do members.Add(Value.From(Name()));
        while (TrySkip("|"));
        return members;
    }

    ObjectValue FieldDefinition()
    {
        GraphQLToken first = _token;
        string description = Description(), name = Name();
        List<Value> arguments = Some("(", ")", ArgumentDefinition);
        Expect(":");
        return At(first, Object(("Description", description), ("Name", name), ("Arguments", arguments), ("Type", Type()), ("Directives", Directives(true))));
    }

    Value ArgumentDefinition() => InputDefinition();

    Value InputDefinition()
    {
        GraphQLToken first = _token;
        string description = Description(), name = Name();
        Expect(":");
        return At(first, Object(("Description", description), ("Name", name), ("Type", Type()), ("DefaultValue", TrySkip("=") ? Literal(true) : null), ("Directives", Directives(true))));
    }
}
