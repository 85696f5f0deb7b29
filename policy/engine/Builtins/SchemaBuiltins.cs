namespace Talos.Policy;

static class SchemaBuiltins
{
    public static IEnumerable<Builtin> All => [];
}
