namespace Talos.Policy;

/// <summary>
/// Finds which variables an expression binds, given those bound before it. An expression is ready when nothing it reads stays unbound.
/// </summary>
sealed class Safety(CompilerContext context)
{
    /// <summary>Null when the expression has to wait for others.</summary>
    public HashSet<string>? Outputs(Literal literal, IReadOnlySet<string> bound, IReadOnlySet<string> bodyVariables) =>
        Unready(literal, bound, bodyVariables, out HashSet<string> now).Count == 0 ? now : null;

    /// <summary>The variables that the expression reads but nobody has bound; `now` is what is bound after it.</summary>
    public HashSet<string> Unready(Literal literal, IReadOnlySet<string> bound, IReadOnlySet<string> bodyVariables, out HashSet<string> now)
    {
        now = new HashSet<string>(bound, StringComparer.Ordinal);
        var needed = new HashSet<string>(StringComparer.Ordinal);
        var withNeeds = new HashSet<string>(StringComparer.Ordinal);
        foreach (With with in literal.Withs)
        {
            Variables.Direct(with.Value, withNeeds);
            References(with.Value, now, withNeeds);
        }
        Variables.Direct(literal, needed);
        var reached = new HashSet<string>(now, StringComparer.Ordinal);
        if (literal is not TermLiteral { Negated: true }) Bind(literal, reached);
        else BindHoisted(((TermLiteral)literal).Term, reached);
        var closed = new HashSet<string>(StringComparer.Ordinal);
        Variables.InClosures(literal, closed);
        foreach (string name in closed)
            if (bodyVariables.Contains(name)) needed.Add(name);
        needed.UnionWith(withNeeds);
        // A value given by `with` cannot come from the expression it applies to.
        withNeeds.ExceptWith(now);
        needed.ExceptWith(reached);
        needed.UnionWith(withNeeds);
        now = reached;
        return needed;
    }

    static void References(Term term, HashSet<string> bound, HashSet<string> needs)
    {
        _ = term;
        needs.ExceptWith(bound);
    }

    void Bind(Literal literal, HashSet<string> bound)
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

    // What the compiler takes out of a negated expression may bind: nothing, since all of its variables must be bound anyway.
    static void BindHoisted(Term term, HashSet<string> bound)
    {
        _ = term;
        _ = bound;
    }

    /// <summary>References iterate over what they leave open, wherever they stand in the term.</summary>
    void BindTerm(Term term, HashSet<string> bound)
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

    void BindNested(Term term, HashSet<string> bound)
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

    static void BindPattern(Term pattern, HashSet<string> bound)
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

    static void Unify(Term a, Term b, HashSet<string> bound)
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

    static bool IsGround(Term[] terms, HashSet<string> bound) => terms.All(t => IsGround(t, bound));

    public static bool IsGround(Term term, IReadOnlySet<string> bound)
    {
        var variables = new HashSet<string>(StringComparer.Ordinal);
        Variables.Direct(term, variables);
        return variables.IsSubsetOf(bound);
    }
}
