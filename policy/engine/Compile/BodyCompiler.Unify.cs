namespace Talos.Policy;

sealed partial class BodyCompiler
{
    void Unify(Term a, Term b)
    {
        // References that iterate come first; what is left are constants, variables and composites of both.
        if (Ready(a) || !Ready(b))
        {
            a = Flatten(a);
            b = Flatten(b);
        }
        else
        {
            b = Flatten(b);
            if (a is not VarTerm && Ground(b)) PreBind(ref a, b);
            a = Flatten(a);
        }
        Solve([(a, b)]);
    }

    /// <summary>Takes the value in a slot apart by a pattern.</summary>
    public void Match(Term pattern, int slot) => Solve([(Flatten(pattern), new CompiledTerm(pattern.At, new SlotExpr(slot)))]);

    // `[x, xs[x]] = …`: binds the plain variables of the pattern before its references need them.
    void PreBind(ref Term pattern, Term value)
    {
        if (pattern is not ArrayTerm array) return;
        int[] temporary = [.. array.Items.Select(_ => slots.Temporary())];
        _steps.Add(new ArrayPatternStep(Expression(value), temporary));
        var rest = new List<(Term, Term)>();
        for (int i = 0; i < temporary.Length; i++)
        {
            var slot = new CompiledTerm(pattern.At, new SlotExpr(temporary[i]));
            if (array.Items[i] is VarTerm) Solve([(array.Items[i], slot)]);
        }
    }

    bool Ready(Term term) => term switch
    {
        RefTerm r => (r.Head is not VarTerm v || !Variables.IsVariable(v) || bound.Contains(v.Name)) && r.Path.All(p => p is VarTerm || Ready(p)),
        CallTerm c => c.Args.All(Ground) || c.Args.All(a => a is not VarTerm v || bound.Contains(v.Name)) && c.Args.All(Ready),
        ArrayTerm a => a.Items.All(Ready),
        SetTerm s => s.Items.All(Ready),
        ObjectTerm o => o.Items.All(i => Ready(i.Key) && Ready(i.Value)),
        _ => true,
    };

    bool Ground(Term term) => Safety.IsGround(term, bound);

    /// <summary>Replaces what computes by its compiled form, leaving patterns in place.</summary>
    Term Flatten(Term term)
    {
        switch (term)
        {
            case VarTerm or ConstantTerm or CompiledTerm:
                return term;
            case ArrayTerm a when !Ground(a):
                return new ArrayTerm(a.At, [.. a.Items.Select(Flatten)]);
            case ObjectTerm o when !Ground(o):
                return new ObjectTerm(o.At, [.. o.Items.Select(i => (Flatten(i.Key), Flatten(i.Value)))]);
            default:
                return new CompiledTerm(term.At, Expression(term));
        }
    }

    void Solve(List<(Term A, Term B)> pairs)
    {
        while (pairs.Count > 0)
        {
            int before = pairs.Count;
            bool progress = false;
            for (int i = 0; i < pairs.Count; i++)
            {
                (Term a, Term b) = pairs[i];
                List<(Term, Term)>? more = Step(a, b);
                if (more is null) continue;
                pairs.RemoveAt(i);
                pairs.InsertRange(i, more);
                progress = true;
                break;
            }
            if (progress) continue;
            foreach ((Term a, Term b) in pairs)
                foreach (Term side in (Term[])[a, b])
                    foreach (string name in Unbound(side)) Unsafe(name, side.At);
            return;
        }
    }

    List<string> Unbound(Term term)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        Variables.Direct(term, names);
        names.RemoveWhere(bound.Contains);
        return [.. names];
    }

    /// <summary>Solves one equation as far as it goes; null when it has to wait, else what remains of it.</summary>
    List<(Term, Term)>? Step(Term a, Term b)
    {
        bool groundA = Ground(a), groundB = Ground(b);
        if (groundA && groundB)
        {
            _steps.Add(new EqualStep(Expression(a), Expression(b)));
            return [];
        }
        if (groundA) (a, b, groundA, groundB) = (b, a, groundB, groundA);
        if (groundB)
        {
            switch (a)
            {
                case VarTerm v:
                    _steps.Add(new AssignStep(slots.Slot(v.Name), Expression(b)));
                    bound.Add(v.Name);
                    return [];
                case ArrayTerm array:
                    int[] items = [.. array.Items.Select(_ => slots.Temporary())];
                    _steps.Add(new ArrayPatternStep(Expression(b), items));
                    return [.. array.Items.Select((item, i) => (item, (Term)new CompiledTerm(item.At, new SlotExpr(items[i]))))];
                case ObjectTerm o when o.Items.All(i => Ground(i.Key)):
                    int[] values = [.. o.Items.Select(_ => slots.Temporary())];
                    _steps.Add(new ObjectPatternStep(Expression(b), [.. o.Items.Select(i => Expression(i.Key))], values));
                    return [.. o.Items.Select((item, i) => (item.Value, (Term)new CompiledTerm(item.Value.At, new SlotExpr(values[i]))))];
                default:
                    return null;
            }
        }
        switch (a, b)
        {
            case (ArrayTerm x, ArrayTerm y):
                return x.Items.Length == y.Items.Length ? [.. x.Items.Zip(y.Items)] : Never(a, b);
            case (ObjectTerm x, ObjectTerm y):
                if (x.Items.Length != y.Items.Length) return Never(a, b);
                var pairs = new List<(Term, Term)>();
                foreach ((Term key, Term value) in x.Items)
                {
                    if (key is not ConstantTerm k) return null;
                    (Term Key, Term Value) other = y.Items.FirstOrDefault(i => i.Key is ConstantTerm c && c.Value.Equals(k.Value));
                    if (other.Key is null) return Never(a, b);
                    pairs.Add((value, other.Value));
                }
                return pairs;
            case (VarTerm, _) or (_, VarTerm):
                return null;
            default:
                return Never(a, b);
        }
    }

    List<(Term, Term)> Never(Term a, Term b)
    {
        _steps.Add(new FailStep());
        foreach (string name in Unbound(a).Concat(Unbound(b))) bound.Add(name);
        return [];
    }
}
