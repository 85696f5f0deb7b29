using System.Globalization;
using System.Numerics;

namespace Talos.Policy;

/// <summary>One violation, in the words of the library that OPA uses.</summary>
sealed record SchemaError(string Field, string Type, string Description);

/// <summary>JSON Schema, drafts 4 to 7, without references to other documents.</summary>
sealed class JsonSchema
{
    // LIMIT: references followed from one place; a schema may refer to itself.
    const int MaxDepth = 100;

    static readonly string[] Types = ["array", "boolean", "integer", "number", "null", "object", "string"];

    readonly Value _root;
    readonly List<SchemaError> _errors = [];

    /// <exception cref="BuiltinException">Not a schema.</exception>
    public JsonSchema(Value schema)
    {
        _root = schema;
        Check(schema, 0);
    }

    public List<SchemaError> Validate(Value document)
    {
        _errors.Clear();
        Visit(_root, document, "(root)", 0, _errors);
        return [.. _errors];
    }

    static IEnumerable<Value> Items(Value? v) => v is ArrayValue a ? a.Items : [];

    void Check(Value schema, int depth)
    {
        if (depth > MaxDepth) throw new BuiltinException("the schema nests too deeply");
        if (schema is BooleanValue) return;
        if (schema is not ObjectValue o) throw new BuiltinException("schema is invalid: must be an object or a boolean");
        foreach (Value type in o.Get("type") is ArrayValue list ? list.Items : o.Get("type") is { } one ? [one] : [])
            if (type is not StringValue s || !Types.Contains(s.Text))
                throw new BuiltinException($"has a primitive type that is NOT VALID -- given: /{(type as StringValue)?.Text ?? type.ToString()}/ Expected valid values are:[{string.Join(' ', Types)}]");
        foreach (string name in (string[])["properties", "patternProperties", "definitions", "$defs"])
        {
            if (o.Get(name) is not { } group) continue;
            if (group is not ObjectValue members) throw new BuiltinException($"Invalid type. Expected: object, given: {name}");
            foreach (Value member in members.Values) Check(member, depth + 1);
        }
        foreach (string name in (string[])["additionalProperties", "additionalItems", "contains", "propertyNames", "not", "if", "then", "else"])
            if (o.Get(name) is { } sub) Check(sub, depth + 1);
        foreach (string name in (string[])["allOf", "anyOf", "oneOf"])
        {
            if (o.Get(name) is not { } group) continue;
            if (group is not ArrayValue { Items.Length: > 0 } subs) throw new BuiltinException($"{name} must be valid: a non-empty array of schemas");
            foreach (Value sub in subs.Items) Check(sub, depth + 1);
        }
        if (o.Get("items") is { } items)
            foreach (Value item in items is ArrayValue tuple ? tuple.Items : [items]) Check(item, depth + 1);
        if (o.Get("required") is { } required && (required is not ArrayValue r || r.Items.Any(i => i is not StringValue))) throw new BuiltinException("required items must be string");
        if (o.Get("pattern") is StringValue pattern) GoRegex.Parse(pattern.Text);
        if (o.Get("$ref") is StringValue reference) Resolve(reference.Text);
    }

    Value Resolve(string reference)
    {
        if (!reference.StartsWith('#')) throw new BuiltinException($"reference `{reference}` leaves the document: remote reference loading disabled");
        Value? at = _root;
        foreach (string part in reference.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            string name = Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            at = at is ArrayValue a ? int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int i) && i < a.Items.Length ? a.Items[i] : null : at?.Get(name);
        }
        return at ?? throw new BuiltinException($"Object has no key '{reference}'");
    }

    bool Matches(Value schema, Value value, int depth)
    {
        var errors = new List<SchemaError>();
        Visit(schema, value, "", depth + 1, errors);
        return errors.Count == 0;
    }

    static string Below(string field, string name) => field == "(root)" ? name : field + "." + name;

    static string TypeOf(Value value) => value is NumberValue n ? n.IsInteger ? "integer" : "number" : value is SetValue ? "array" : value.TypeName;

    void Visit(Value schema, Value value, string field, int depth, List<SchemaError> errors)
    {
        if (depth > MaxDepth) throw new BuiltinException("the schema refers to itself without end");
        if (schema is BooleanValue)
        {
            if (schema.IsFalse) errors.Add(new(field, "false", "False always fails validation"));
            return;
        }
        var s = (ObjectValue)schema;
        if (s.Get("$ref") is StringValue reference)
        {
            Visit(Resolve(reference.Text), value, field, depth + 1, errors);
            return;
        }
        if (s.Get("type") is { } type && !HasType(value, type))
        {
            string expected = type is StringValue t ? t.Text : string.Join(',', Items(type).OfType<StringValue>().Select(x => x.Text));
            errors.Add(new(field, "invalid_type", $"Invalid type. Expected: {expected}, given: {TypeOf(value)}"));
            return;
        }
        if (s.Get("enum") is ArrayValue allowed && !allowed.Items.Contains(value)) errors.Add(new(field, "enum", $"{field} must be one of the following: {string.Join(", ", allowed.Items.Select(i => ValueJson.Format(i)))}"));
        if (s.Get("const") is { } constant && !constant.Equals(value)) errors.Add(new(field, "const", $"{field} does not match: {ValueJson.Format(constant)}"));
        Combine(s, value, field, depth, errors);
        switch (value)
        {
            case ObjectValue o: Object(s, o, field, depth, errors); break;
            case ArrayValue a: Array(s, a.Items, field, depth, errors); break;
            case SetValue set: Array(s, set.Members.Sorted, field, depth, errors); break;
            case StringValue text: Text(s, text.Text, field, errors); break;
            case NumberValue n: Number(s, n, field, errors); break;
        }
    }

    static bool HasType(Value value, Value type)
    {
        string actual = TypeOf(value);
        return (type is StringValue one ? [one] : Items(type)).OfType<StringValue>().Any(t => t.Text == actual || (t.Text == "number" && actual == "integer"));
    }

    void Combine(ObjectValue s, Value value, string field, int depth, List<SchemaError> errors)
    {
        if (s.Get("anyOf") is ArrayValue any && !any.Items.Any(x => Matches(x, value, depth))) errors.Add(new(field, "number_any_of", "Must validate at least one schema (anyOf)"));
        if (s.Get("oneOf") is ArrayValue one && one.Items.Count(x => Matches(x, value, depth)) != 1) errors.Add(new(field, "number_one_of", "Must validate one and only one schema (oneOf)"));
        if (s.Get("allOf") is ArrayValue all)
        {
            int before = errors.Count;
            foreach (Value sub in all.Items) Visit(sub, value, field, depth + 1, errors);
            if (errors.Count > before) errors.Add(new(field, "number_all_of", "Must validate all the schemas (allOf)"));
        }
        if (s.Get("not") is { } not && Matches(not, value, depth)) errors.Add(new(field, "number_not", "Must not validate the schema (not)"));
        if (s.Get("if") is not { } condition) return;
        bool holds = Matches(condition, value, depth);
        if ((holds ? s.Get("then") : s.Get("else")) is not { } branch || Matches(branch, value, depth)) return;
        errors.Add(new(field, holds ? "condition_then" : "condition_else", holds ? "Must validate \"then\" as \"if\" was valid" : "Must validate \"else\" as \"if\" was not valid"));
        Visit(branch, value, field, depth + 1, errors);
    }

    void Object(ObjectValue s, ObjectValue o, string field, int depth, List<SchemaError> errors)
    {
        foreach (StringValue name in Items(s.Get("required")).OfType<StringValue>())
            if (o.Get(name) is null) errors.Add(new(field, "required", $"{name.Text} is required"));
        if (Bound(s, "minProperties") is { } min && o.Count < min) errors.Add(new(field, "array_min_properties", $"Must have at least {min} properties"));
        if (Bound(s, "maxProperties") is { } max && o.Count > max) errors.Add(new(field, "array_max_properties", $"Must have at most {max} properties"));
        var properties = s.Get("properties") as ObjectValue;
        var patterns = s.Get("patternProperties") as ObjectValue;
        foreach ((Value key, Value member) in o.Pairs)
        {
            string name = ValueJson.KeyText(key);
            bool known = properties?.Get(name) is not null;
            if (known) Visit(properties!.Get(name)!, member, Below(field, name), depth + 1, errors);
            foreach ((Value pattern, Value sub) in patterns?.Pairs ?? [])
            {
                if (!GoRegex.Parse(((StringValue)pattern).Text).IsMatch(name)) continue;
                known = true;
                Visit(sub, member, Below(field, name), depth + 1, errors);
            }
            if (s.Get("propertyNames") is { } names && !Matches(names, Value.From(name), depth)) errors.Add(new(field, "invalid_property_name", $"Property name of \"{name}\" does not match"));
            if (known || s.Get("additionalProperties") is not { } additional) continue;
            if (additional.IsFalse) errors.Add(new(field, "additional_property_not_allowed", $"Additional property {name} is not allowed"));
            else Visit(additional, member, Below(field, name), depth + 1, errors);
        }
        foreach ((Value key, Value needs) in (s.Get("dependencies") as ObjectValue)?.Pairs ?? [])
        {
            if (o.Get(key) is null) continue;
            if (needs is ObjectValue sub) Visit(sub, o, field, depth + 1, errors);
            foreach (StringValue name in Items(needs).OfType<StringValue>())
                if (o.Get(name) is null) errors.Add(new(field, "missing_dependency", $"Has a dependency on {name.Text}"));
        }
    }

    void Array(ObjectValue s, Value[] items, string field, int depth, List<SchemaError> errors)
    {
        if (Bound(s, "minItems") is { } min && items.Length < min) errors.Add(new(field, "array_min_items", $"Array must have at least {min} items"));
        if (Bound(s, "maxItems") is { } max && items.Length > max) errors.Add(new(field, "array_max_items", $"Array must have at most {max} items"));
        if (s.Get("uniqueItems") == BooleanValue.True && items.Distinct().Count() != items.Length) errors.Add(new(field, "unique", "array items must be unique"));
        if (s.Get("contains") is { } contains && !items.Any(i => Matches(contains, i, depth))) errors.Add(new(field, "contains", "At least one of the items must match"));
        Value? each = s.Get("items");
        for (int i = 0; i < items.Length; i++)
        {
            string name = Below(field, i.ToString(CultureInfo.InvariantCulture));
            if (each is ArrayValue tuple)
            {
                if (i < tuple.Items.Length) Visit(tuple.Items[i], items[i], name, depth + 1, errors);
                else if (s.Get("additionalItems") is { } more)
                {
                    if (!more.IsFalse) Visit(more, items[i], name, depth + 1, errors);
                    else
                    {
                        errors.Add(new(field, "array_no_additional_items", "No additional items allowed on array"));
                        return;
                    }
                }
            }
            else if (each is not null) Visit(each, items[i], name, depth + 1, errors);
        }
    }

    static int? Bound(ObjectValue s, string name) => s.Get(name) is NumberValue n && n.TryGetInt32(out int i) ? i : null;

    static void Text(ObjectValue s, string text, string field, List<SchemaError> errors)
    {
        int length = text.EnumerateRunes().Count();
        if (Bound(s, "minLength") is { } min && length < min) errors.Add(new(field, "string_gte", $"String length must be greater than or equal to {min}"));
        if (Bound(s, "maxLength") is { } max && length > max) errors.Add(new(field, "string_lte", $"String length must be less than or equal to {max}"));
        if (s.Get("pattern") is StringValue pattern && !GoRegex.Parse(pattern.Text).IsMatch(text)) errors.Add(new(field, "pattern", $"Does not match pattern '{pattern.Text}'"));
        if (s.Get("format") is StringValue format && !SchemaFormats.Has(format.Text, text)) errors.Add(new(field, "format", $"Does not match format '{format.Text}'"));
    }

    static void Number(ObjectValue s, NumberValue n, string field, List<SchemaError> errors)
    {
        if (s.Get("minimum") is NumberValue min)
        {
            bool exclusive = s.Get("exclusiveMinimum") == BooleanValue.True;
            int order = Value.Compare(n, min);
            if (exclusive && order <= 0) errors.Add(new(field, "number_gt", $"Must be greater than {min}"));
            else if (order < 0) errors.Add(new(field, "number_gte", $"Must be greater than or equal to {min}"));
        }
        if (s.Get("maximum") is NumberValue max)
        {
            bool exclusive = s.Get("exclusiveMaximum") == BooleanValue.True;
            int order = Value.Compare(n, max);
            if (exclusive && order >= 0) errors.Add(new(field, "number_lt", $"Must be less than {max}"));
            else if (order > 0) errors.Add(new(field, "number_lte", $"Must be less than or equal to {max}"));
        }
        if (s.Get("exclusiveMinimum") is NumberValue above && Value.Compare(n, above) <= 0) errors.Add(new(field, "number_gt", $"Must be greater than {above}"));
        if (s.Get("exclusiveMaximum") is NumberValue below && Value.Compare(n, below) >= 0) errors.Add(new(field, "number_lt", $"Must be less than {below}"));
        if (s.Get("multipleOf") is NumberValue { Sign: > 0 } step && !IsMultiple(n, step)) errors.Add(new(field, "multiple_of", $"Must be a multiple of {step}"));
    }

    static bool IsMultiple(NumberValue n, NumberValue step) => n.IsInteger && step.IsInteger
        ? (n.ToBigInteger() % step.ToBigInteger()).IsZero
        : (n.ToBigFloat() / step.ToBigFloat()).IsInteger;
}
