namespace Talos.Policy;

static class TokenBuiltins
{
    public static IEnumerable<Builtin> All => [];
}
