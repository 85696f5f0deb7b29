namespace Talos.Policy;

static class CertificateBuiltins
{
    public static IEnumerable<Builtin> All => [];
}
