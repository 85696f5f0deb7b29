namespace Talos.Policy;

/// <summary>Queries and schemas come as text or as the objects that parsing gave.</summary>
static class GraphQLBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("graphql.parse_query", q => GraphQLParser.Query(Operand.Text(q, 1)).Tree),
        Builtin.Of("graphql.parse_schema", s => GraphQLParser.Schema(Operand.Text(s, 1)).Tree),
        Builtin.Of("graphql.schema_is_valid", s => Value.From(Holds(() => GraphQLSchema.Build(Document(s, 0, GraphQLParser.Schema))))),
        new("graphql.is_valid", 2, (e, a) => Value.From(Holds(() => Parse(e, a)))),
        new("graphql.parse", 2, (e, a) => Parse(e, a) is var (query, schema) ? new ArrayValue(query, schema) : null),
        new("graphql.parse_and_verify", 2, (e, a) =>
        {
            (ObjectValue Query, ObjectValue Schema) parsed = (ObjectValue.Empty, ObjectValue.Empty);
            bool valid = Holds(() => parsed = Parse(e, a));
            return new ArrayValue(Value.From(valid), parsed.Query, parsed.Schema);
        }),
    ];

    static (ObjectValue Query, ObjectValue Schema) Parse(Evaluation e, Value[] args)
    {
        GraphQLDocument query = Document(args[0], 0, GraphQLParser.Query), schema = Document(args[1], 1, GraphQLParser.Schema);
        GraphQLValidator.Validate(e, query, GraphQLSchema.Build(schema));
        return (query.Tree, schema.Tree);
    }

    // OPA counts these operands from 0.
    static GraphQLDocument Document(Value v, int position, Func<string, GraphQLDocument> parse) => v switch
    {
        StringValue s => parse(s.Text),
        ObjectValue o => new(o),
        _ => throw BuiltinException.Type(position, v, "string", "object"),
    };

    static bool Holds(Action check)
    {
        try
        {
            check();
            return true;
        }
        catch (BuiltinException)
        {
            return false; // the answer to the question
        }
    }
}
