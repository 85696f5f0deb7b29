namespace Talos.Policy;

static class CryptoBuiltins
{
    public static IEnumerable<Builtin> All => [];
}
