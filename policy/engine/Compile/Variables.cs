namespace Talos.Policy;

/// <summary>Which variables terms and bodies speak of.</summary>
static class Variables
{
    public static bool IsVariable(VarTerm v) => v.Name is not ("input" or "data");

    /// <summary>Variables of a term, without those only inside comprehensions and template expressions.</summary>
    public static void Direct(Term term, ISet<string> into) => Collect(term, into, null);

    /// <summary>Variables inside the closures of a term.</summary>
    public static void InClosures(Term term, ISet<string> into) => Collect(term, null, into);

    public static void Direct(Literal literal, ISet<string> into) => Collect(literal, into, null);

    public static void InClosures(Literal literal, ISet<string> into) => Collect(literal, null, into);

    static void Collect(Term term, ISet<string>? direct, ISet<string>? closed)
    {
        switch (term)
        {
            case VarTerm v:
                if (IsVariable(v)) direct?.Add(v.Name);
                break;
            case RefTerm { Head: VarTerm head }:
                if (IsVariable(head)) direct?.Add(head.Name);
                break;
            case ComprehensionTerm c when closed is not null:
                foreach (Term part in SyntaxParts.HeadOf(c)) Collect(part, closed, closed);
                foreach (Literal literal in c.Body) Collect(literal, closed, closed);
                break;
        }
        // Every variable of a template expression comes from around it.
        foreach (Term part in SyntaxParts.Of(term)) Collect(part, direct, closed);
    }

    static void Collect(Literal literal, ISet<string>? direct, ISet<string>? closed)
    {
        foreach (Term term in SyntaxParts.Of(literal)) Collect(term, direct, closed);
        if (literal is LogicalLiteral logical)
        {
            foreach (LogicalOperand operand in logical.Operands)
                foreach (Literal inner in operand.Body) Collect(inner, operand.IsExplicit ? closed : direct, closed);
            return;
        }
        if (literal is not EveryLiteral every || closed is null) return;
        foreach (Literal inner in every.Body) Collect(inner, closed, closed);
        if (every.Key is not null) closed.Remove(every.Key.Name);
        closed.Remove(every.Value.Name);
    }
}
