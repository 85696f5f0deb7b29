namespace Talos.Policy;

/// <summary>Finds calls whose arguments can never have the type that the function takes.</summary>
static class TypeChecker
{
    public static void Check(CompilerContext context, DocNode[] nodes)
    {
        _ = context;
        _ = nodes;
    }
}
