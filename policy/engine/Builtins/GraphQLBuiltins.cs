namespace Talos.Policy;

static class GraphQLBuiltins
{
    public static IEnumerable<Builtin> All => [];
}
