namespace Talos.Policy;

/// <summary>What one schema asks for; null where it does not.</summary>
sealed class SchemaNode
{
    /// <summary>True and false are schemas since draft 6.</summary>
    public bool? Verdict { get; init; }

    /// <summary>Where <c>$ref</c> leads; nothing beside it counts.</summary>
    public SchemaNode? Target { get; set; }

    public List<string> Types { get; } = [];
    public List<(string Name, SchemaNode Node)> Properties { get; } = [];
    public List<(GoRegex Pattern, SchemaNode Node)> PatternProperties { get; } = [];
    public SchemaNode? AdditionalProperties { get; set; }
    public SchemaNode? PropertyNames { get; set; }
    public Dictionary<string, (List<string> Names, SchemaNode? Node)> Dependencies { get; } = new(StringComparer.Ordinal);
    public List<string> Required { get; } = [];
    public int? MinProperties { get; set; }
    public int? MaxProperties { get; set; }

    public SchemaNode? EachItem { get; set; }
    public List<SchemaNode> Items { get; } = [];
    public SchemaNode? AdditionalItems { get; set; }
    public SchemaNode? Contains { get; set; }
    public int? MinItems { get; set; }
    public int? MaxItems { get; set; }
    public bool UniqueItems { get; set; }

    public NumberValue? MultipleOf { get; set; }
    public NumberValue? Minimum { get; set; }
    public NumberValue? Maximum { get; set; }
    public NumberValue? ExclusiveMinimum { get; set; }
    public NumberValue? ExclusiveMaximum { get; set; }

    public int? MinLength { get; set; }
    public int? MaxLength { get; set; }
    public (string Text, GoRegex Regex)? Pattern { get; set; }
    public string? Format { get; set; }

    public string? Constant { get; set; }
    public List<string>? Enumeration { get; set; }

    public List<SchemaNode> AnyOf { get; } = [];
    public List<SchemaNode> OneOf { get; } = [];
    public List<SchemaNode> AllOf { get; } = [];
    public SchemaNode? Not { get; set; }
    public SchemaNode? If { get; set; }
    public SchemaNode? Then { get; set; }
    public SchemaNode? Else { get; set; }
}
