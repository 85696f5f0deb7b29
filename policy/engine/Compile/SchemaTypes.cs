namespace Talos.Policy;

/// <summary>
/// What annotations say of <c>input</c> and <c>data</c>: a JSON schema written out in <c>schemas</c>, as a type for the rules it is for. A schema by name
/// (<c>schema.x</c>) is one that the host gives; none does, so it says nothing.
/// </summary>
static class SchemaTypes
{
    // LIMIT: how deep schemas nest; what is below may be anything.
    const int MaxDepth = 32;

    public static bool AnyIn(CompilerContext context) =>
        context.Modules.Any(m => m.Annotations.Concat(m.Rules.SelectMany(r => r.Annotations)).Any(a => a.Document.Get("schemas") is not null));

    /// <summary>The types by their paths; what is closer to the rule wins.</summary>
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
                if (schema.Get("path") is ArrayValue path && schema.Get("definition") is ObjectValue definition) found.Add((path.Items, Type(definition, 0)));
        }
        return found;
    }

    static bool Covers(string[] of, string[] package, string scope) =>
        scope == "subpackages" ? package.AsSpan().StartsWith(of) : scope == "package" && package.AsSpan().SequenceEqual(of);

    static RegoType Type(Value schema, int depth)
    {
        if (schema is not ObjectValue o || depth > MaxDepth || o.Get("$ref") is not null || o.Get("allOf") is not null || o.Get("oneOf") is not null) return RegoType.Any;
        if (o.Get("anyOf") is ArrayValue any) return o.Get("type") is null ? Either(any.Items.Select(a => Type(a, depth + 1))) : RegoType.Any;
        return o.Get("type") switch
        {
            StringValue name => Named(name.Text, o, depth),
            ArrayValue names => Either(names.Items.Select(n => n is StringValue name ? Named(name.Text, o, depth) : RegoType.Any)),
            _ => o.Get("properties") is not null ? Named("object", o, depth) : o.Get("items") is not null ? Named("array", o, depth) : RegoType.Any,
        };
    }

    static RegoType Either(IEnumerable<RegoType> types) => types.Aggregate(default(RegoType), RegoType.Or) ?? RegoType.Any;

    static RegoType Named(string name, ObjectValue schema, int depth)
    {
        switch (name)
        {
            case "null": return RegoType.Null;
            case "boolean": return RegoType.Boolean;
            case "string": return RegoType.String;
            case "integer" or "number": return RegoType.Number;
            case "array":
                return schema.Get("items") switch
                {
                    ArrayValue { Items.Length: > 0 } items => RegoType.ArrayOf([.. items.Items.Select(i => Type(i, depth + 1))]),
                    ObjectValue item => RegoType.ArrayOf(Type(item, depth + 1)),
                    _ => RegoType.AnyArray,
                };
            case "object" when schema.Get("properties") is ObjectValue { Count: > 0 } properties:
                // As in OPA an object has the properties that its schema names, unless it says that there may be others.
                bool isOpen = schema.Get("additionalProperties") is { IsFalse: false } || schema.Get("patternProperties") is not null;
                RegoType? other = isOpen ? RegoType.Any : null;
                return RegoType.ObjectOf(properties.Pairs.ToDictionary(p => p.Key, p => Type(p.Value, depth + 1)), other, other);
            case "object": return RegoType.AnyObject;
            default: return RegoType.Any;
        }
    }
}
