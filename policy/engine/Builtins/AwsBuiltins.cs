namespace Talos.Policy;

static class AwsBuiltins
{
    public static IEnumerable<Builtin> All => [];
}
