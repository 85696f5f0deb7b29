using System.Text.Json;

namespace Talos.Policy;

static class SchemaBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        new("json.verify_schema", 1, (e, a) =>
        {
            try
            {
                JsonSchema.Compile(e, Document(a[0]));
                return new ArrayValue(BooleanValue.True, NullValue.Instance);
            }
            catch (BuiltinException x)
            {
                return new ArrayValue(BooleanValue.False, Value.From("jsonschema: " + x.Message));
            }
        }),
        new("json.match_schema", 2, (e, a) =>
        {
            Value document = Document(a[0]);
            IReadOnlyList<SchemaError> errors = JsonSchema.Compile(e, Document(a[1])).Validate(e, document);
            return new ArrayValue(Value.From(errors.Count == 0), new ArrayValue([.. errors.Select(x => ObjectValue.From(
                ("error", Value.From($"{x.Field}: {x.Description}")), ("type", Value.From(x.Type)), ("field", Value.From(x.Field)), ("desc", Value.From(x.Description))))]));
        }),
    ];

    // By way of JSON: sets are arrays there, and every key is text.
    static Value Document(Value v)
    {
        try
        {
            return v switch
            {
                StringValue s => ValueJson.Parse(s.Text),
                ObjectValue or ArrayValue => ValueJson.Parse(ValueJson.Format(v)),
                _ => throw new BuiltinException("wrong type, expected string or object"),
            };
        }
        catch (JsonException)
        {
            throw new BuiltinException("invalid JSON string");
        }
    }
}
