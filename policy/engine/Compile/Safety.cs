namespace Talos.Policy;

/// <summary>
/// Finds which variables an expression binds, given those bound before it. An expression is ready when nothing it reads stays unbound.
/// </summary>
sealed class Safety(CompilerContext context)
{
    /// <summary>The variables that the expression reads but nobody has bound.</summary>
    public HashSet<string> Unready(Literal literal, VariableSet bound, VariableSet bodyVariables)
    {
        var needed = new HashSet<string>(StringComparer.Ordinal);
        var reached = new VariableSet(bound);
        // What a negated expression would bind cannot be seen outside of it.
        if (literal is not TermLiteral { Negated: true }) Bind(literal, reached);
        Variables.Direct(literal, needed);
        var closed = new HashSet<string>(StringComparer.Ordinal);
        Variables.InClosures(literal, closed);
        closed.RemoveWhere(name => !bodyVariables.Contains(name));
        needed.UnionWith(closed);
        needed.RemoveWhere(reached.Contains);
        // A value given by `with` cannot come from the expression it applies to.
        var withNeeds = new HashSet<string>(StringComparer.Ordinal);
        foreach (With with in literal.Withs) Variables.Direct(with.Value, withNeeds);
        withNeeds.RemoveWhere(bound.Contains);
        needed.UnionWith(withNeeds);
        return needed;
    }

    void Bind(Literal literal, VariableSet bound)
    {
        switch (literal)
        {
            case TermLiteral { Term: CallTerm { Name: "eq" or "assign" } eq } when eq.Args.Length == 2:
                BindTerm(eq.Args[0], bound);
                BindTerm(eq.Args[1], bound);
                Unify(eq.Args[0], eq.Args[1], bound);
                // A side that became known can make the references of the other ready.
                BindTerm(eq.Args[0], bound);
                BindTerm(eq.Args[1], bound);
                Unify(eq.Args[0], eq.Args[1], bound);
                break;
            case TermLiteral { Term: CallTerm call }:
                BindTerm(call, bound);
                if (context.CapturesResult(call) && IsGround(call.Args[..^1], bound)) BindPattern(call.Args[^1], bound);
                break;
            case TermLiteral t:
                BindTerm(t.Term, bound);
                break;
            case SomeLiteral { Member: { } member }:
                BindTerm(member.Args[^1], bound);
                if (IsGround(member.Args[^1], bound))
                    foreach (Term pattern in member.Args[..^1]) BindPattern(pattern, bound);
                break;
            case EveryLiteral e:
                BindTerm(e.Domain, bound);
                break;
        }
    }

    /// <summary>References iterate over what they leave open, wherever they stand in the term.</summary>
    void BindTerm(Term term, VariableSet bound)
    {
        switch (term)
        {
            case RefTerm r:
                foreach (Term part in r.Path) BindNested(part, bound);
                if (r.Head is not VarTerm) BindTerm(r.Head, bound);
                if (r.Head is VarTerm v ? !Variables.IsVariable(v) || bound.Contains(v.Name) : IsGround(r.Head, bound))
                    foreach (Term part in r.Path) BindPattern(part, bound);
                break;
            default:
                BindNested(term, bound);
                break;
        }
    }

    void BindNested(Term term, VariableSet bound)
    {
        switch (term)
        {
            case RefTerm:
                BindTerm(term, bound);
                break;
            case ArrayTerm a:
                foreach (Term item in a.Items) BindNested(item, bound);
                break;
            case SetTerm s:
                foreach (Term item in s.Items) BindNested(item, bound);
                break;
            case ObjectTerm o:
                foreach ((Term key, Term value) in o.Items)
                {
                    BindNested(key, bound);
                    BindNested(value, bound);
                }
                break;
            case CallTerm c:
                foreach (Term arg in c.Args) BindNested(arg, bound);
                break;
        }
    }

    static void BindPattern(Term pattern, VariableSet bound)
    {
        switch (pattern)
        {
            case VarTerm v:
                if (Variables.IsVariable(v)) bound.Add(v.Name);
                break;
            case ArrayTerm a:
                foreach (Term item in a.Items) BindPattern(item, bound);
                break;
            case ObjectTerm o:
                foreach ((_, Term value) in o.Items) BindPattern(value, bound);
                break;
        }
    }

    static void Unify(Term a, Term b, VariableSet bound)
    {
        bool groundA = IsGround(a, bound), groundB = IsGround(b, bound);
        if (groundA && groundB) return;
        if (groundA)
        {
            BindPattern(b, bound);
            return;
        }
        if (groundB)
        {
            BindPattern(a, bound);
            return;
        }
        if (a is ArrayTerm x && b is ArrayTerm y && x.Items.Length == y.Items.Length)
        {
            // Twice: what a later pair binds can make an earlier one ready.
            for (int round = 0; round < 2; round++)
                for (int i = 0; i < x.Items.Length; i++) Unify(x.Items[i], y.Items[i], bound);
        }
        else if (a is ObjectTerm ao && b is ObjectTerm bo)
        {
            for (int round = 0; round < 2; round++)
                foreach ((Term key, Term value) in ao.Items)
                    if (key is ConstantTerm k)
                        foreach ((Term otherKey, Term otherValue) in bo.Items)
                            if (otherKey is ConstantTerm o && o.Value.Equals(k.Value)) Unify(value, otherValue, bound);
        }
    }

    static bool IsGround(Term[] terms, VariableSet bound) => terms.All(t => IsGround(t, bound));

    public static bool IsGround(Term term, VariableSet bound)
    {
        var variables = new HashSet<string>(StringComparer.Ordinal);
        Variables.Direct(term, variables);
        return variables.All(bound.Contains);
    }
}
