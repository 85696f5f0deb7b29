namespace Talos.Policy;

/// <summary>
/// What annotations say of <c>input</c> and <c>data</c>: a JSON schema written out in <c>schemas</c>, as a type for the rules it is for. A schema by name
/// (<c>schema.x</c>) is one that the host gives; none does, so it says nothing.
/// </summary>
sealed class SchemaTypes
{
    // LIMIT: how deep schemas nest; what is below may be anything.
    const int MaxDepth = 32;

    readonly Value _root;

    // What references lead to. Those that are being followed are anything: what a schema says of itself.
    readonly Dictionary<string, RegoType> _referred = new(StringComparer.Ordinal);

    SchemaTypes(Value root) => _root = root;

    public static bool AnyIn(CompilerContext context) =>
        context.Modules.Any(m => m.Annotations.Concat(m.Rules.SelectMany(r => r.Annotations)).Any(a => a.Document.Get("schemas") is not null));

    /// <summary>The types by their paths; what is closer to the rule wins. What is no schema is an error of the rule.</summary>
    public static List<(Value[] Path, RegoType Type)> Of(CompilerContext context, RuleDefinition rule)
    {
        var found = new List<(Value[], RegoType)>();
        string[] package = [.. rule.Module.PackagePath];
        IEnumerable<Annotation> wide = context.Modules
            .SelectMany(m => m.Annotations.Where(a => Covers([.. m.PackagePath], package, a.Scope)).Select(a => (m, a)))
            .OrderBy(p => p.a.Scope == "package").ThenBy(p => p.m.PackagePath.Count()).Select(p => p.a);
        IEnumerable<Annotation> document = rule.Node!.Rules.SelectMany(r => r.Syntax.Annotations).Where(a => a.Scope == "document");
        foreach (Annotation annotation in wide.Concat(document).Concat(rule.Syntax.Annotations.Where(a => a.Scope == "rule")))
        {
            if (annotation.Document.Get("schemas") is not ArrayValue schemas) continue;
            foreach (Value schema in schemas.Items)
            {
                if (schema.Get("path") is not ArrayValue path || schema.Get("definition") is not ObjectValue definition) continue;
                try
                {
                    var nothing = new Program(new DocNode(null, null), ObjectValue.Empty, []);
                    JsonSchema.Compile(new Evaluation(nothing, null, EvaluationOptions.Default), definition);
                    found.Add((path.Items, new SchemaTypes(definition).Type(definition, 0)));
                }
                catch (Exception e) when (e is BuiltinException or EvaluationException)
                {
                    context.Errors.Add(rule.Syntax.At.Error("rego_type_error", $"unable to compile the schema: {e.Message}",
                        $"it is in the annotation at {annotation.At}"));
                }
            }
        }
        return found;
    }

    static bool Covers(string[] of, string[] package, string scope) =>
        scope == "subpackages" ? package.AsSpan().StartsWith(of) : scope == "package" && package.AsSpan().SequenceEqual(of);

    RegoType Type(Value schema, int depth)
    {
        if (schema is not ObjectValue o || depth > MaxDepth) return RegoType.Any;
        if (o.Get("$ref") is StringValue { Text: var reference }) return Referred(reference, depth);
        if (o.Get("anyOf") is ArrayValue any)
        {
            // As in OPA, what stands beside the choices counts only when it is an object with known properties.
            RegoType? core = o.Get("type") is null ? null : Own(o, depth);
            return any.Items.Select(a => Type(a, depth + 1)).Aggregate(core is ObjectType { Key: null } ? core : null, RegoType.Or) ?? RegoType.Any;
        }
        return o.Get("allOf") is ArrayValue { Items.Length: > 0 } all ? Together([.. all.Items.Select(Follow), o], depth) : Own(o, depth);
    }

    RegoType Referred(string reference, int depth)
    {
        if (_referred.TryGetValue(reference, out RegoType? known)) return known;
        _referred.Add(reference, RegoType.Any);
        return _referred[reference] = Type(Follow(reference), depth + 1);
    }

    Value Follow(Value schema) => schema.Get("$ref") is StringValue { Text: var reference } ? Follow(reference) : schema;

    // Only what is in the same document; a schema elsewhere says nothing.
    Value Follow(string reference) => reference.StartsWith('#') ? SchemaPool.Pointed(_root, reference[1..]) : NullValue.Instance;

    // Objects have the properties of all, arrays the items that one of them gives; of other kinds there is only what all say.
    RegoType Together(Value[] schemas, int depth)
    {
        ObjectValue[] parts = [.. schemas.OfType<ObjectValue>().Where(p => Kind(p) is not null)];
        if (parts.Length == 0) return RegoType.Any;
        string?[] kinds = [.. parts.Select(Kind).Distinct()];
        if (kinds.Length > 1) throw new BuiltinException($"unable to merge these schemas: type mismatch: {kinds[0]} and {kinds[1]}");
        if (kinds[0] != "object") return Own(parts.FirstOrDefault(p => p.Get("items") is not null) ?? parts[0], depth);
        var properties = new Dictionary<Value, RegoType>();
        foreach ((Value key, Value property) in parts.Select(p => p.Get("properties")).OfType<ObjectValue>().SelectMany(p => p.Pairs))
            properties[key] = Type(property, depth + 1);
        return Object(properties, parts.Any(IsOpen));
    }

    // Of several types OPA takes the first of these; of those without any, what their other words are for.
    static string? Kind(ObjectValue schema)
    {
        string[] names = schema.Get("type") switch
        {
            StringValue name => [name.Text],
            ArrayValue several => [.. several.Items.OfType<StringValue>().Select(n => n.Text)],
            _ => [],
        };
        foreach (string name in (ReadOnlySpan<string>)["boolean", "string", "integer", "number", "object", "array"])
            if (names.Contains(name)) return name == "integer" ? "number" : name;
        return schema.Get("properties") is ObjectValue { Count: > 0 } ? "object" : schema.Get("items") is not null ? "array" : null;
    }

    RegoType Own(ObjectValue schema, int depth)
    {
        switch (Kind(schema))
        {
            case "boolean": return RegoType.Boolean;
            case "string": return RegoType.String;
            case "number": return RegoType.Number;
            case "array":
                return schema.Get("items") switch
                {
                    ArrayValue { Items.Length: > 0 } items => RegoType.ArrayOf([.. items.Items.Select(i => Type(i, depth + 1))]),
                    ObjectValue item => RegoType.ArrayOf(Type(item, depth + 1)),
                    _ => RegoType.AnyArray,
                };
            case "object" when schema.Get("properties") is ObjectValue { Count: > 0 } properties:
                return Object(properties.Pairs.ToDictionary(p => p.Key, p => Type(p.Value, depth + 1)), IsOpen(schema));
            case "object": return RegoType.AnyObject;
            default: return RegoType.Any;
        }
    }

    // As in OPA an object has the properties that its schema names, unless it says that there may be others.
    static bool IsOpen(ObjectValue schema) => schema.Get("additionalProperties") is { IsFalse: false } || schema.Get("patternProperties") is not null;

    static RegoType Object(Dictionary<Value, RegoType> properties, bool isOpen) =>
        RegoType.ObjectOf(properties, isOpen ? RegoType.Any : null, isOpen ? RegoType.Any : null);
}
