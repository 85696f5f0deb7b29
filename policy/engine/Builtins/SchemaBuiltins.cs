using System.Text.Json;

namespace Talos.Policy;

static class SchemaBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("json.verify_schema", s =>
        {
            try
            {
                _ = new JsonSchema(Document(s, 1));
                return new ArrayValue(BooleanValue.True, NullValue.Instance);
            }
            catch (BuiltinException e) when (!e.IsOperandError)
            {
                return new ArrayValue(BooleanValue.False, Value.From("jsonschema: " + e.Message));
            }
        }),
        Builtin.Of("json.match_schema", (d, s) =>
        {
            Value document = Document(d, 1);
            List<SchemaError> errors = new JsonSchema(Document(s, 2)).Validate(document);
            return new ArrayValue(Value.From(errors.Count == 0), new ArrayValue([.. errors.Select(e => ObjectValue.From(
                ("error", Value.From($"{e.Field}: {e.Description}")), ("type", Value.From(e.Type)), ("field", Value.From(e.Field)), ("desc", Value.From(e.Description))))]));
        }),
    ];

    static Value Document(Value v, int position)
    {
        switch (v)
        {
            case ObjectValue:
                return v;
            case StringValue s:
                try
                {
                    return ValueJson.Parse(s.Text);
                }
                catch (JsonException)
                {
                    throw BuiltinException.Operand(position, "invalid JSON string");
                }
            default:
                throw BuiltinException.Type(position, v, "string", "object");
        }
    }
}
