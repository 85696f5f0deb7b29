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
            case RefTerm r:
                Collect(r.Head, direct, closed);
                foreach (Term part in r.Path) Collect(part, direct, closed);
                break;
            case ArrayTerm a:
                foreach (Term item in a.Items) Collect(item, direct, closed);
                break;
            case SetTerm s:
                foreach (Term item in s.Items) Collect(item, direct, closed);
                break;
            case ObjectTerm o:
                foreach ((Term key, Term value) in o.Items)
                {
                    Collect(key, direct, closed);
                    Collect(value, direct, closed);
                }
                break;
            case CallTerm c:
                foreach (Term arg in c.Args) Collect(arg, direct, closed);
                break;
            case ComprehensionTerm c:
                if (closed is null) break;
                if (c.Key is not null) Collect(c.Key, closed, closed);
                Collect(c.Value, closed, closed);
                foreach (Literal literal in c.Body) Collect(literal, closed, closed);
                break;
            case TemplateTerm t:
                foreach (Term part in t.Parts) Collect(part, direct, closed);
                break;
            case TemplateExpression e:
                // Every variable of a template expression comes from around it.
                Collect(e.Value, direct, closed);
                foreach (With with in e.Withs) Collect(with.Value, direct, closed);
                break;
        }
    }

    static void Collect(Literal literal, ISet<string>? direct, ISet<string>? closed)
    {
        foreach (With with in literal.Withs)
        {
            Collect(with.Value, direct, closed);
        }
        switch (literal)
        {
            case TermLiteral t:
                Collect(t.Term, direct, closed);
                break;
            case SomeLiteral { Member: { } member }:
                Collect(member, direct, closed);
                break;
            case EveryLiteral e:
                Collect(e.Domain, direct, closed);
                if (closed is null) break;
                foreach (Literal inner in e.Body) Collect(inner, closed, closed);
                if (e.Key is not null) closed.Remove(e.Key.Name);
                closed.Remove(e.Value.Name);
                break;
        }
    }
}
