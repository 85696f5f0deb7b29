namespace Talos.Policy;

/// <summary>Reads schemas keyword by keyword, in the order and with the complaints of the library that OPA uses.</summary>
sealed class SchemaCompiler(Evaluation evaluation, Value document)
{
    enum Draft
    {
        Unknown = 0,
        Four = 4,
        Six = 6,
        Seven = 7,
        All,
    }

    static readonly string[] TypeNames = ["array", "boolean", "integer", "number", "null", "object", "string"];

    readonly SchemaPool _pool = new(evaluation, document);
    readonly Dictionary<string, SchemaNode> _compiled = new(StringComparer.Ordinal);
    Draft _draft;

    public SchemaNode Root()
    {
        _draft = DraftOf(document);
        return Read(document);
    }

    static Draft DraftOf(Value document)
    {
        if (document is BooleanValue) return Draft.All;
        if (document is not ObjectValue o) throw new BuiltinException("schema is invalid");
        if (o.Get("$schema") is not { } schema) return Draft.All;
        if (schema is not StringValue { Text: var name }) throw new BuiltinException("$schema must be of type string");
        return name.TrimEnd('#') switch
        {
            "http://json-schema.org/draft-04/schema" => Draft.Four,
            "http://json-schema.org/draft-06/schema" => Draft.Six,
            "http://json-schema.org/draft-07/schema" => Draft.Seven,
            _ => Draft.All,
        };
    }

    static BuiltinException InvalidType(string expected, string given) => new($"Invalid type. Expected: {expected}, given: {given}");

    SchemaNode Read(Value value)
    {
        evaluation.Tick();
        evaluation.CheckStack();
        if (value is BooleanValue && _draft >= Draft.Six) return new SchemaNode { Verdict = !value.IsFalse };
        if (value is not ObjectValue o) throw new BuiltinException("Expected: schema, given: Invalid JSON");
        var node = new SchemaNode();
        Text(o, _draft == Draft.Four || (_draft == Draft.All && o.Get("id") is not null) ? "id" : "$id");
        if (o.Get("definitions") is { } definitions)
        {
            if (definitions is not ObjectValue group || group.Values.Any(d => d is not (ObjectValue or BooleanValue))) throw InvalidType("array of schemas", "definitions");
            foreach (Value definition in group.Values) Read(definition);
        }
        Text(o, "title");
        Text(o, "description");
        if (Text(o, "$ref") is { } written)
        {
            string reference = _pool.Reference(o, written);
            if (!_compiled.TryGetValue(reference, out SchemaNode? target))
            {
                // Entered before it is read: schemas may refer to themselves.
                _compiled[reference] = target = new SchemaNode();
                Value found = _pool.Find(reference);
                if (found is not (ObjectValue or BooleanValue)) throw new BuiltinException("schema must be of type object");
                target.Target = Read(found);
                node.Target = target;
                return node;
            }
            node.Target = target;
        }
        Types(o, node);
        Members(o, node);
        ItemsOf(o, node);
        Numbers(o, node);
        Sizes(o, node);
        Values(o, node);
        Combinations(o, node);
        return node;
    }

    static void Types(ObjectValue o, SchemaNode node)
    {
        if (o.Get("type") is not { } type) return;
        foreach (Value one in type is ArrayValue list ? list.Items : [type])
        {
            if (one is not StringValue { Text: var name }) throw InvalidType("type", "string/array of strings");
            if (!TypeNames.Contains(name)) throw new BuiltinException($"has a primitive type that is NOT VALID -- given: /{name}/ Expected valid values are:[{string.Join(' ', TypeNames)}]");
            if (node.Types.Contains(name)) throw new BuiltinException($"{name} type is duplicated");
            node.Types.Add(name);
        }
    }

    void Members(ObjectValue o, SchemaNode node)
    {
        if (o.Get("properties") is { } properties)
        {
            if (properties is not ObjectValue group) throw new BuiltinException("properties must be of type object");
            foreach ((Value name, Value sub) in group.Pairs) node.Properties.Add((((StringValue)name).Text, Read(sub)));
        }
        node.AdditionalProperties = SchemaOrBoolean(o, "additionalProperties");
        if (o.Get("patternProperties") is { } patterns)
        {
            if (patterns is not ObjectValue group) throw InvalidType("schema", "patternProperties");
            foreach ((Value name, Value sub) in group.Pairs)
                node.PatternProperties.Add((Regex(((StringValue)name).Text) ?? throw new BuiltinException($"Invalid regex pattern '{((StringValue)name).Text}'"), Read(sub)));
        }
        if (_draft >= Draft.Six && o.Get("propertyNames") is { } names) node.PropertyNames = names is ObjectValue or BooleanValue ? Read(names) : throw InvalidType("schema", "patternProperties");
        if (o.Get("dependencies") is not { } dependencies) return;
        if (dependencies is not ObjectValue all) throw new BuiltinException("dependencies must be of type object");
        foreach ((Value name, Value needs) in all.Pairs)
        {
            node.Dependencies[((StringValue)name).Text] = needs switch
            {
                ArrayValue a when a.Items.All(i => i is StringValue) => ([.. a.Items.Select(i => ((StringValue)i).Text)], null),
                ObjectValue or BooleanValue => ([], Read(needs)),
                _ => throw new BuiltinException("dependency must be of type schema or array of strings"),
            };
        }
    }

    // As a keyword's value, a boolean is one in every draft.
    SchemaNode? SchemaOrBoolean(ObjectValue o, string name) => o.Get(name) switch
    {
        null => null,
        BooleanValue b => new SchemaNode { Verdict = !b.IsFalse },
        ObjectValue sub => Read(sub),
        _ => throw InvalidType("boolean/schema", name),
    };

    void ItemsOf(ObjectValue o, SchemaNode node)
    {
        switch (o.Get("items"))
        {
            case null:
                break;
            case ArrayValue tuple when tuple.Items.All(i => i is ObjectValue or BooleanValue):
                foreach (Value item in tuple.Items) node.Items.Add(Read(item));
                break;
            case { } each and (ObjectValue or BooleanValue):
                node.EachItem = Read(each);
                break;
            default:
                throw InvalidType("schema/array of schemas", "items");
        }
        node.AdditionalItems = SchemaOrBoolean(o, "additionalItems");
    }

    void Numbers(ObjectValue o, SchemaNode node)
    {
        if (o.Get("multipleOf") is { } multiple)
        {
            node.MultipleOf = multiple as NumberValue ?? throw InvalidType("number", "multipleOf");
            if (node.MultipleOf.Sign <= 0) throw new BuiltinException("multipleOf must be strictly greater than 0");
        }
        (node.Minimum, node.ExclusiveMinimum) = Bound(o, "minimum", "exclusiveMinimum");
        (node.Maximum, node.ExclusiveMaximum) = Bound(o, "maximum", "exclusiveMaximum");
    }

    // Draft 4 has a boolean beside the bound, later ones a bound of its own.
    (NumberValue? Inclusive, NumberValue? Exclusive) Bound(ObjectValue o, string name, string exclusiveName)
    {
        NumberValue? bound = o.Get(name) is { } given ? given as NumberValue ?? throw new BuiltinException($"{name} must be of a number") : null;
        switch (o.Get(exclusiveName))
        {
            case null:
                return (bound, null);
            case BooleanValue b when _draft is Draft.Four or Draft.All:
                if (bound is null) throw new BuiltinException($"{exclusiveName} cannot be used without {name}");
                return b.IsFalse ? (bound, null) : (null, bound);
            case NumberValue n when _draft != Draft.Four:
                return (bound, n);
            default:
                throw InvalidType(_draft switch { Draft.Four => "boolean", Draft.All => "boolean/number", _ => "number" }, exclusiveName);
        }
    }

    static void Sizes(ObjectValue o, SchemaNode node)
    {
        (node.MinLength, node.MaxLength) = (Size(o, "minLength"), Size(o, "maxLength"));
        if (node.MinLength > node.MaxLength) throw new BuiltinException("minLength cannot be greater than maxLength");
        if (Text(o, "pattern") is { } pattern) node.Pattern = (pattern, Regex(pattern) ?? throw new BuiltinException("pattern must be a valid regex"));
        node.Format = Text(o, "format") is { Length: > 0 } format ? format : null;
        (node.MinProperties, node.MaxProperties) = (Size(o, "minProperties"), Size(o, "maxProperties"));
        if (node.MinProperties > node.MaxProperties) throw new BuiltinException("minProperties cannot be greater than maxProperties");
        foreach (Value name in List(o, "required"))
        {
            if (name is not StringValue { Text: var text }) throw InvalidType("string", "required");
            if (node.Required.Contains(text)) throw new BuiltinException("required items must be unique");
            node.Required.Add(text);
        }
        (node.MinItems, node.MaxItems) = (Size(o, "minItems"), Size(o, "maxItems"));
        node.UniqueItems = o.Get("uniqueItems") switch { null => false, BooleanValue b => !b.IsFalse, _ => throw new BuiltinException("uniqueItems must be of a boolean") };
    }

    void Values(ObjectValue o, SchemaNode node)
    {
        if (_draft >= Draft.Six && o.Get("contains") is { } contains) node.Contains = Read(contains);
        if (_draft >= Draft.Six && o.Get("const") is { } constant) node.Constant = JsonSchema.Canonical(constant);
        if (o.Get("enum") is null) return;
        node.Enumeration = [];
        foreach (Value value in List(o, "enum"))
        {
            string text = JsonSchema.Canonical(value);
            if (node.Enumeration.Contains(text)) throw new BuiltinException("enum items must be unique");
            node.Enumeration.Add(text);
        }
    }

    void Combinations(ObjectValue o, SchemaNode node)
    {
        foreach (Value sub in List(o, "oneOf")) node.OneOf.Add(Read(sub));
        foreach (Value sub in List(o, "anyOf")) node.AnyOf.Add(Read(sub));
        foreach (Value sub in List(o, "allOf")) node.AllOf.Add(Read(sub));
        node.Not = Schema(o, "not");
        if (_draft < Draft.Seven) return;
        (node.If, node.Then, node.Else) = (Schema(o, "if"), Schema(o, "then"), Schema(o, "else"));
    }

    SchemaNode? Schema(ObjectValue o, string name) => o.Get(name) switch
    {
        null => null,
        { } sub and (ObjectValue or BooleanValue) => Read(sub),
        _ => throw new BuiltinException($"{name} must be of an object"),
    };

    static string? Text(ObjectValue o, string name) => o.Get(name) switch { null => null, StringValue s => s.Text, _ => throw InvalidType("string", name) };

    static Value[] List(ObjectValue o, string name) => o.Get(name) switch { null => [], ArrayValue a => a.Items, _ => throw new BuiltinException($"{name} must be of an array") };

    static int? Size(ObjectValue o, string name)
    {
        if (o.Get(name) is not { } given) return null;
        if (given is not NumberValue n || !n.TryGetInt64(out long size)) throw new BuiltinException($"{name} must be of an integer");
        return size >= 0 ? (int)Math.Min(size, int.MaxValue) : throw new BuiltinException($"{name} must be greater than or equal to 0");
    }

    static GoRegex? Regex(string pattern)
    {
        try
        {
            return GoRegex.Parse(pattern);
        }
        catch (BuiltinException)
        {
            return null; // whoever asks says which keyword had it
        }
    }
}
