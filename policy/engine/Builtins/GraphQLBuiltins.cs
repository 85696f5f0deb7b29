namespace Talos.Policy;

/// <summary>Queries and schemas come as text or as the objects that parsing gave.</summary>
static class GraphQLBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("graphql.parse_query", q => GraphQLParser.Query(Operand.Text(q, 1))),
        Builtin.Of("graphql.parse_schema", s => GraphQLParser.Schema(Operand.Text(s, 1))),
        Builtin.Of("graphql.schema_is_valid", s => Value.From(Holds(() => GraphQLSchema.Build(Schema(s, 1))))),
        Builtin.Of("graphql.is_valid", (q, s) => Value.From(Holds(() => GraphQLValidator.Validate(Query(q), GraphQLSchema.Build(Schema(s, 2)))))),
        Builtin.Of("graphql.parse", (q, s) =>
        {
            ObjectValue query = Query(q), schema = Schema(s, 2);
            GraphQLValidator.Validate(query, GraphQLSchema.Build(schema));
            return new ArrayValue(query, schema);
        }),
        Builtin.Of("graphql.parse_and_verify", (q, s) =>
        {
            ObjectValue? query = null, schema = null;
            bool valid = Holds(() =>
            {
                (query, schema) = (Query(q), Schema(s, 2));
                GraphQLValidator.Validate(query, GraphQLSchema.Build(schema));
            });
            return valid ? new ArrayValue(BooleanValue.True, query!, schema!) : new ArrayValue(BooleanValue.False, ObjectValue.Empty, ObjectValue.Empty);
        }),
    ];

    static ObjectValue Query(Value v) => v switch
    {
        StringValue s => GraphQLParser.Query(s.Text),
        ObjectValue o => o,
        _ => throw BuiltinException.Type(1, v, "string", "object"),
    };

    static ObjectValue Schema(Value v, int position) => v switch
    {
        StringValue s => GraphQLParser.Schema(s.Text),
        ObjectValue o => o,
        _ => throw BuiltinException.Type(position, v, "string", "object"),
    };

    static bool Holds(Action check)
    {
        try
        {
            check();
            return true;
        }
        catch (BuiltinException e) when (!e.IsOperandError)
        {
            return false; // the answer to the question
        }
    }
}
