using System.Globalization;

namespace Talos.Policy;

/// <summary>Violations, and how well the rest fitted: of alternatives that all fail, the errors of the best are told.</summary>
sealed class SchemaResult
{
    readonly List<SchemaError> _errors = [];

    public IReadOnlyList<SchemaError> Errors => _errors;
    public bool IsValid => _errors.Count == 0;
    public int Score { get; private set; }

    public void Add(string field, string type, string description)
    {
        _errors.Add(new(field, type, description));
        Score -= 2;
    }

    public void Credit() => Score++;

    public void Merge(SchemaResult other)
    {
        _errors.AddRange(other._errors);
        Score += other.Score;
    }
}

/// <summary>A document against a schema, in the order of the library that OPA uses.</summary>
sealed class SchemaValidation(Evaluation evaluation)
{
    // LIMIT: schemas entered on one way down; one may refer to itself without end.
    const int MaxDepth = 500;

    int _depth;

    SchemaResult Try(SchemaNode node, Value value, string field)
    {
        var result = new SchemaResult();
        Visit(node, value, field, result);
        return result;
    }

    static string Below(string field, string name) => field == "(root)" ? name : field + "." + name;

    static string TypeOf(Value value) => value is NumberValue n ? n.IsInteger ? "integer" : "number" : value.TypeName;

    public void Visit(SchemaNode node, Value value, string field, SchemaResult result)
    {
        evaluation.Tick();
        evaluation.CheckStack();
        if (node.Verdict is { } verdict)
        {
            if (!verdict) result.Add(field, "false", "False always fails validation");
            return;
        }
        if (++_depth > MaxDepth) throw new BuiltinException("the schema refers to itself without end");
        if (node.Target is { } target) Visit(target, value, field, result);
        else Check(node, value, field, result);
        _depth--;
    }

    void Check(SchemaNode node, Value value, string field, SchemaResult result)
    {
        string type = TypeOf(value);
        if (node.Types.Count > 0 && !node.Types.Contains(type) && !(type == "integer" && node.Types.Contains("number")))
        {
            string expected = node.Types.Count > 1 ? $"[{string.Join(',', node.Types)}]" : node.Types[0];
            result.Add(field, "invalid_type", $"Invalid type. Expected: {expected}, given: {type}");
            return;
        }
        Combinations(node, value, field, result);
        switch (value)
        {
            case NumberValue number:
                Number(node, number, field, result);
                Common(node, value, field, result);
                break;
            case StringValue text:
                Common(node, value, field, result);
                Text(node, text.Text, field, result);
                break;
            case ArrayValue array:
                Array(node, array.Items, field, result);
                Common(node, value, field, result);
                break;
            case ObjectValue o:
                Object(node, o, field, result);
                Common(node, value, field, result);
                foreach ((string name, SchemaNode property) in node.Properties)
                    if (o.Get(name) is { } member) Visit(property, member, Below(field, name), result);
                break;
            default:
                Common(node, value, field, result);
                break;
        }
        result.Credit();
    }

    void Combinations(SchemaNode node, Value value, string field, SchemaResult result)
    {
        if (node.AnyOf.Count > 0)
        {
            (int valid, SchemaResult? best) = Alternatives(node.AnyOf, value, field, true);
            if (valid == 0) result.Add(field, "number_any_of", "Must validate at least one schema (anyOf)");
            if (valid == 0 && best is not null) result.Merge(best);
        }
        if (node.OneOf.Count > 0)
        {
            (int valid, SchemaResult? best) = Alternatives(node.OneOf, value, field, false);
            if (valid != 1) result.Add(field, "number_one_of", "Must validate one and only one schema (oneOf)");
            if (valid == 0 && best is not null) result.Merge(best);
        }
        int failed = 0;
        foreach (SchemaNode sub in node.AllOf)
        {
            SchemaResult one = Try(sub, value, field);
            if (!one.IsValid) failed++;
            result.Merge(one);
        }
        if (failed > 0) result.Add(field, "number_all_of", "Must validate all the schemas (allOf)");
        if (node.Not is { } not && Try(not, value, field).IsValid) result.Add(field, "number_not", "Must not validate the schema (not)");
        if (value is ObjectValue o && node.Dependencies.Count > 0) Dependencies(node, o, field, result);
        if (node.If is { } condition) Branch(node, Try(condition, value, field).IsValid, value, field, result);
        result.Credit();
    }

    (int Valid, SchemaResult? Best) Alternatives(List<SchemaNode> nodes, Value value, string field, bool stopAtFirst)
    {
        int valid = 0;
        SchemaResult? best = null;
        foreach (SchemaNode sub in nodes)
        {
            SchemaResult one = Try(sub, value, field);
            if (one.IsValid) valid++;
            else if (valid == 0 && (best is null || one.Score > best.Score)) best = one;
            if (valid > 0 && stopAtFirst) break;
        }
        return (valid, best);
    }

    void Dependencies(SchemaNode node, ObjectValue o, string field, SchemaResult result)
    {
        foreach ((Value key, _) in o.Pairs)
        {
            if (!node.Dependencies.TryGetValue(((StringValue)key).Text, out (List<string> Names, SchemaNode? Node) needs)) continue;
            foreach (string name in needs.Names)
                if (o.Get(name) is null) result.Add(field, "missing_dependency", $"Has a dependency on {name}");
            if (needs.Node is { } sub) Visit(sub, o, field, result);
        }
    }

    void Branch(SchemaNode node, bool holds, Value value, string field, SchemaResult result)
    {
        if ((holds ? node.Then : node.Else) is not { } branch || Try(branch, value, field) is not { IsValid: false } failed) return;
        if (holds) result.Add(field, "condition_then", "Must validate \"then\" as \"if\" was valid");
        else result.Add(field, "condition_else", "Must validate \"else\" as \"if\" was not valid");
        result.Merge(failed);
    }

    static void Common(SchemaNode node, Value value, string field, SchemaResult result)
    {
        if (node.Constant is { } constant && JsonSchema.Canonical(value) != constant) result.Add(field, "const", $"{field} does not match: {constant}");
        if (node.Enumeration is { } allowed && !allowed.Contains(JsonSchema.Canonical(value)))
            result.Add(field, "enum", $"{field} must be one of the following: {(allowed.Count == 0 ? "(none)" : string.Join(", ", allowed))}");
        if (node.Format is { } format && value is StringValue s && !SchemaFormats.Has(format, s.Text)) result.Add(field, "format", $"Does not match format '{format}'");
        result.Credit();
    }

    void Array(SchemaNode node, Value[] items, string field, SchemaResult result)
    {
        for (int i = 0; i < items.Length; i++)
        {
            SchemaNode? item = node.EachItem ?? (i < node.Items.Count ? node.Items[i] : node.Items.Count > 0 ? node.AdditionalItems : null);
            if (item is null) break;
            if (item is { Verdict: false } && item == node.AdditionalItems)
            {
                result.Add(field, "array_no_additional_items", "No additional items allowed on array");
                break;
            }
            result.Merge(Try(item, items[i], Below(field, i.ToString(CultureInfo.InvariantCulture))));
        }
        if (items.Length < node.MinItems) result.Add(field, "array_min_items", $"Array must have at least {node.MinItems} items");
        if (items.Length > node.MaxItems) result.Add(field, "array_max_items", $"Array must have at most {node.MaxItems} items");
        if (node.UniqueItems)
        {
            var seen = new Dictionary<string, int>(StringComparer.Ordinal);
            for (int j = 0; j < items.Length; j++)
            {
                string text = JsonSchema.Canonical(items[j]);
                if (seen.TryGetValue(text, out int i)) result.Add(field, "unique", $"array items[{i},{j}] must be unique");
                seen[text] = j;
            }
        }
        if (node.Contains is { } contains) Contains(contains, items, field, result);
        result.Credit();
    }

    void Contains(SchemaNode node, Value[] items, string field, SchemaResult result)
    {
        SchemaResult? best = null;
        for (int i = 0; i < items.Length; i++)
        {
            SchemaResult one = Try(node, items[i], Below(field, i.ToString(CultureInfo.InvariantCulture)));
            if (one.IsValid) return;
            if (best is null || one.Score > best.Score) best = one;
        }
        result.Add(field, "contains", "At least one of the items must match");
        if (best is not null) result.Merge(best);
    }

    void Object(SchemaNode node, ObjectValue o, string field, SchemaResult result)
    {
        if (o.Count < node.MinProperties) result.Add(field, "array_min_properties", $"Must have at least {node.MinProperties} properties");
        if (o.Count > node.MaxProperties) result.Add(field, "array_max_properties", $"Must have at most {node.MaxProperties} properties");
        foreach (string name in node.Required)
        {
            if (o.Get(name) is null) result.Add(field, "required", $"{name} is required");
            else result.Credit();
        }
        foreach ((Value key, Value member) in o.Pairs)
        {
            string name = ((StringValue)key).Text;
            bool matched = false;
            foreach ((GoRegex pattern, SchemaNode sub) in node.PatternProperties)
            {
                if (!pattern.IsMatch(name)) continue;
                matched = true;
                result.Merge(Try(sub, member, Below(field, name)));
            }
            if (matched) result.Credit();
            if (matched || node.AdditionalProperties is not { } additional || node.Properties.Exists(p => p.Name == name)) continue;
            if (additional.Verdict == false) result.Add(field, "additional_property_not_allowed", $"Additional property {name} is not allowed");
            else result.Merge(Try(additional, member, Below(field, name)));
        }
        foreach ((Value key, _) in node.PropertyNames is null ? [] : o.Pairs)
        {
            SchemaResult one = Try(node.PropertyNames!, key, field);
            if (one.IsValid) continue;
            result.Add(field, "invalid_property_name", $"Property name of \"{((StringValue)key).Text}\" does not match");
            result.Merge(one);
        }
        result.Credit();
    }

    static void Text(SchemaNode node, string text, string field, SchemaResult result)
    {
        int length = text.EnumerateRunes().Count();
        if (length < node.MinLength) result.Add(field, "string_gte", $"String length must be greater than or equal to {node.MinLength}");
        if (length > node.MaxLength) result.Add(field, "string_lte", $"String length must be less than or equal to {node.MaxLength}");
        if (node.Pattern is { } pattern && !pattern.Regex.IsMatch(text)) result.Add(field, "pattern", $"Does not match pattern '{pattern.Text}'");
        result.Credit();
    }

    static void Number(SchemaNode node, NumberValue n, string field, SchemaResult result)
    {
        if (node.MultipleOf is { } step && !IsMultiple(n, step)) result.Add(field, "multiple_of", $"Must be a multiple of {JsonSchema.Text(step)}");
        if (node.Maximum is { } max && Value.Compare(n, max) > 0) result.Add(field, "number_lte", $"Must be less than or equal to {JsonSchema.Text(max)}");
        if (node.ExclusiveMaximum is { } below && Value.Compare(n, below) >= 0) result.Add(field, "number_lt", $"Must be less than {JsonSchema.Text(below)}");
        if (node.Minimum is { } min && Value.Compare(n, min) < 0) result.Add(field, "number_gte", $"Must be greater than or equal to {JsonSchema.Text(min)}");
        if (node.ExclusiveMinimum is { } above && Value.Compare(n, above) <= 0) result.Add(field, "number_gt", $"Must be greater than {JsonSchema.Text(above)}");
        result.Credit();
    }

    // Exactly: 0.3 is a multiple of 0.1.
    static bool IsMultiple(NumberValue n, NumberValue step)
    {
        int common = Math.Min(n.Exact.Exponent, step.Exact.Exponent);
        var scaled = n.Exact.Digits * System.Numerics.BigInteger.Pow(10, n.Exact.Exponent - common);
        return (scaled % (step.Exact.Digits * System.Numerics.BigInteger.Pow(10, step.Exact.Exponent - common))).IsZero;
    }
}
