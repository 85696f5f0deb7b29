namespace Talos.Policy;

static class TemplateBuiltins
{
    public static IEnumerable<Builtin> All => [];
}
