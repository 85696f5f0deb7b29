namespace Talos.Policy;

/// <summary>
/// Turns a body into a chain of steps. Orders the expressions so that each finds its variables bound; since the order is
/// fixed here, every variable is either always or never bound when a step runs.
/// </summary>
sealed partial class BodyCompiler(CompilerContext context, SlotTable slots, VariableSet bound, VariableSet outerVariables, RuleDefinition? rule)
{
    // Each step calls the next one: in a long body the stack is asked at one of so many.
    const int StackInterval = 64;

    VariableSet _bodyVariables = outerVariables;
    readonly List<Step> _steps = [];
    readonly Safety _safety = new(context);

    public VariableSet Bound => bound;

    /// <summary>Where to say that a variable of a rule's head is unsafe: at the rule, unless what computes names the place.</summary>
    public Position? Place { get; set; }

    public void Body(Literal[] body)
    {
        var variables = new VariableSet(_bodyVariables);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (Literal literal in body) Variables.Direct(literal, names);
        foreach (string name in names) variables.Add(name);
        _bodyVariables = variables;
        Literal[] inOrder = [.. InOrder(body, variables).Select(i => body[i])];
        if (inOrder.Length < body.Length) ReportUnsafe(body.Except(inOrder), variables);
        else context.Order(body, inOrder);
    }

    // Passes over the body, each taking what is ready, until nothing more is: as OPA orders it. Who is not ready is asked again only
    // when a variable of it is bound, in that pass if it comes later and else in the next.
    List<int> InOrder(Literal[] body, VariableSet variables)
    {
        var taken = new List<int>(body.Length);
        var isTaken = new bool[body.Length];
        var next = new PriorityQueue<int, (int Pass, int Index)>();
        next.EnqueueRange(Enumerable.Range(0, body.Length).Select(i => (i, (0, i))));
        var waiting = new Dictionary<string, SortedSet<int>>(StringComparer.Ordinal);
        while (next.TryDequeue(out int i, out (int Pass, int Index) at))
        {
            if (isTaken[i]) continue;
            if (_safety.Unready(body[i], bound, variables).Count > 0)
            {
                var reads = new HashSet<string>(StringComparer.Ordinal);
                Variables.Direct(body[i], reads);
                Variables.InClosures(body[i], reads);
                foreach (string name in reads)
                {
                    if (bound.Contains(name)) continue;
                    if (!waiting.TryGetValue(name, out SortedSet<int>? those)) waiting.Add(name, those = []);
                    those.Add(i);
                }
                continue;
            }
            isTaken[i] = true;
            taken.Add(i);
            int before = bound.Added.Count;
            Emit(body[i]);
            for (int added = before; added < bound.Added.Count; added++)
                if (waiting.Remove(bound.Added[added], out SortedSet<int>? those))
                    next.EnqueueRange(those.Select(w => (w, (w > i ? at.Pass : at.Pass + 1, w))));
        }
        return taken;
    }

    void ReportUnsafe(IEnumerable<Literal> waiting, VariableSet variables)
    {
        var reported = new HashSet<string>(StringComparer.Ordinal);
        foreach (Literal literal in waiting)
            foreach (string name in _safety.Unready(literal, bound, variables).Order(StringComparer.Ordinal))
            {
                if (!reported.Add(name)) continue;
                if (literal is TermLiteral { Term: CallTerm { Name: "print" } }) Undeclared(name, literal.At);
                else Unsafe(name, PlaceOf(name, literal));
            }
    }

    // The call that needs it, since calls are evaluated one by one; else the expression.
    static Position PlaceOf(string name, Literal literal)
    {
        Position? place = literal is not TermLiteral { Negated: false, Term: var term } ? null
            : term is CallTerm call ? call.Args.Select(a => PlaceIn(name, a, literal.At)).Min() : PlaceIn(name, term, literal.At);
        return place ?? literal.At;
    }

    static Position? PlaceIn(string name, Term term, Position at) => term switch
    {
        VarTerm v => v.Name == name ? at : null,
        RefTerm { Head: VarTerm head } when head.Name == name => at,
        _ => SyntaxParts.Of(term).Select(part => PlaceIn(name, part, term is CallTerm ? term.At : at)).Min(),
    };

    void Undeclared(string name, Position at)
    {
        context.Errors.Add(at.Error("rego_compile_error", $"var `{Resolver.Written(name)}` is undeclared", "what is printed must have a value before"));
        bound.Add(name);
    }

    void Unsafe(string name, Position at)
    {
        string written = Resolver.Written(name);
        context.Errors.Add((Place ?? at).Error("rego_unsafe_var_error", $"var `{written}` is unsafe",
            written == "_" ? "a wildcard cannot stand where a value is needed" : "bind it in an expression that is not negated, for instance with `some … in`"));
        bound.Add(name);
    }

    /// <summary>Links the steps; the last one leads to `final`.</summary>
    public Step Finish(Step final)
    {
        Step next = final;
        for (int i = _steps.Count - 1; i >= 0; i--)
        {
            _steps[i].Next = next;
            next = _steps[i];
            if (i % StackInterval == StackInterval - 1) next = new StackStep { Next = next };
        }
        return next;
    }

    BodyCompiler Nested() => new(context, slots, new VariableSet(bound), _bodyVariables, rule);

    void Emit(Literal literal)
    {
        int? withCell = literal.Withs.Length == 0 ? null : EmitWith(literal.Withs);
        switch (literal)
        {
            case TermLiteral { Negated: true, Term: not CallTerm { Name: "print" or "internal.print" or "internal.test_case" } } t:
                EmitNegated(t);
                break;
            case TermLiteral t:
                EmitTerm(t.Term);
                break;
            case SomeLiteral { Member: { } member }:
                EmitSome(member);
                break;
            case EveryLiteral every:
                EmitEvery(every);
                break;
            case LogicalLiteral logical:
                Step[] bodies = [.. logical.Operands.Select(BodyOf)];
                _steps.Add(logical.Kind switch
                {
                    LogicalKind.Not => new NotStep(bodies[0]),
                    LogicalKind.And => new BothStep(bodies[0], bodies[1]),
                    _ => new EitherStep(bodies[0], bodies[1]),
                });
                break;
        }
        if (withCell is { } cell) _steps.Add(new WithEndStep(cell));
        if (context.WithCoverage) _steps.Add(new CoverageStep(literal.At));
    }

    int EmitWith(With[] withs)
    {
        var targets = new WithTarget[withs.Length];
        var values = new Expr[withs.Length];
        for (int i = 0; i < withs.Length; i++)
        {
            var target = (RefTerm)withs[i].Target;
            targets[i] = Target(target);
            FunctionNameExpr? replacement = targets[i].Kind == WithTargetKind.Function ? FunctionName(withs[i].Value) : null;
            if (replacement is not null) CheckArity(target, withs[i].Value);
            values[i] = replacement ?? Expression(withs[i].Value);
        }
        int cell = slots.Cell();
        _steps.Add(new WithStep(targets, values, cell));
        return cell;
    }

    void CheckArity(RefTerm target, Term replacement)
    {
        Term[] none = [];
        int? wanted = context.Arity(new CallTerm(target.At, target.Path.Length == 0 ? target.Head : target, none));
        int? given = context.Arity(new CallTerm(target.At, replacement is FunctionTerm f ? new VarTerm(f.At, f.Name) : replacement, none));
        if (wanted != given)
            context.Errors.Add(target.At.Error("rego_type_error", $"{target.DottedName}: arity mismatch",
                $"it takes {wanted} arguments, and its replacement {given}"));
    }

    WithTarget Target(RefTerm target)
    {
        var path = new List<Value>();
        foreach (Term part in target.Path)
        {
            if (part is ConstantTerm c) path.Add(c.Value);
            else context.Errors.Add(part.At.Error("rego_type_error", "with keyword target must be a ground reference"));
        }
        if (target.HeadIs("input")) return new(WithTargetKind.Input, [.. path], "");
        if (!target.HeadIs("data")) return new(WithTargetKind.Function, [], target.DottedName ?? "");
        if (context.FindFunction(target) is { } function) return new(WithTargetKind.Function, [], function.ToString());
        CheckPartialReplacement(target, path);
        return new(WithTargetKind.Data, [.. path], "");
    }

    void CheckPartialReplacement(RefTerm target, List<Value> path)
    {
        DocNode node = context.Root;
        for (int i = 0; i < path.Count; i++)
        {
            if (!node.Children.TryGetValue(path[i], out DocNode? child)) return;
            node = child;
            if (node.HasRules && i < path.Count - 1)
            {
                context.Errors.Add(target.At.Error("rego_compile_error", "with keyword cannot partially replace virtual document(s)", $"replace all of `{node}`"));
                return;
            }
        }
    }

    FunctionNameExpr? FunctionName(Term value)
    {
        if (context.FindFunction(value) is { } node) return new FunctionNameExpr(node, null);
        return value is FunctionTerm f ? new FunctionNameExpr(null, BuiltinRegistry.Find(f.Name)) : null;
    }

    void EmitTerm(Term term)
    {
        switch (term)
        {
            case CallTerm { Name: "eq" or "assign", Args.Length: 2 } eq:
                Unify(eq.Args[0], eq.Args[1]);
                break;
            case CallTerm { Name: "print" or "internal.print" or "internal.test_case" }:
                break; // NOTE: printing is for tools that trace; an evaluation does not depend on it
            case CallTerm call when context.CapturesResult(call):
                Expr result = Call(new CallTerm(call.At, call.Operator, call.Args[..^1], call.IsInfix));
                int slot = slots.Temporary();
                _steps.Add(new AssignStep(slot, result));
                Unify(call.Args[^1], new CompiledTerm(call.At, new SlotExpr(slot)));
                break;
            default:
                _steps.Add(new TestStep(Expression(term)));
                break;
        }
    }

    // OPA takes nested references and calls out of a negated expression: `not f(input.x)` is undefined when `input.x` is.
    void EmitNegated(TermLiteral literal)
    {
        Term term = literal.Term switch
        {
            CallTerm { Name: "eq", Args.Length: 2 } eq => new CallTerm(eq.At, eq.Operator, [TakeOutBelow(eq.Args[0]), TakeOutBelow(eq.Args[1])], eq.IsInfix),
            CallTerm call => new CallTerm(call.At, call.Operator, [.. call.Args.Select(TakeOut)], call.IsInfix),
            _ => TakeOutBelow(literal.Term),
        };
        BodyCompiler nested = Nested();
        nested.EmitTerm(term);
        _steps.Add(new NotStep(nested.Finish(new FoundStep())));
    }

    Term TakeOutBelow(Term term) => term is RefTerm r ? new RefTerm(r.At, r.Head is VarTerm ? r.Head : TakeOut(r.Head), [.. r.Path.Select(TakeOut)]) : TakeOut(term);

    Term TakeOut(Term term)
    {
        switch (term)
        {
            case RefTerm or CallTerm:
                int slot = slots.Temporary();
                _steps.Add(new AssignStep(slot, Expression(term)));
                return new CompiledTerm(term.At, new SlotExpr(slot));
            case ArrayTerm a:
                return new ArrayTerm(a.At, [.. a.Items.Select(TakeOut)]);
            case SetTerm s:
                return new SetTerm(s.At, [.. s.Items.Select(TakeOut)]);
            case ObjectTerm o:
                return new ObjectTerm(o.At, [.. o.Items.Select(i => (TakeOut(i.Key), TakeOut(i.Value)))]);
            default:
                return term;
        }
    }

    void EmitSome(CallTerm member)
    {
        Expr collection = Expression(member.Args[^1]);
        int key = slots.Temporary(), value = slots.Temporary();
        _steps.Add(new IterateStep(collection, key, value));
        Unify(member.Args[^2], new CompiledTerm(member.At, new SlotExpr(value)));
        if (member.Args.Length == 3) Unify(member.Args[0], new CompiledTerm(member.At, new SlotExpr(key)));
    }

    Step BodyOf(LogicalOperand operand)
    {
        BodyCompiler nested = Nested();
        nested.Body(operand.Body);
        return nested.Finish(new FoundStep());
    }

    void EmitEvery(EveryLiteral every)
    {
        Expr domain = Expression(every.Domain);
        BodyCompiler nested = Nested();
        int key = every.Key is null ? slots.Temporary() : slots.Slot(every.Key.Name), value = slots.Slot(every.Value.Name);
        if (every.Key is not null) nested.Bound.Add(every.Key.Name);
        nested.Bound.Add(every.Value.Name);
        nested.Body(every.Body);
        _steps.Add(new EveryStep(domain, key, value, nested.Finish(new FoundStep())));
    }
}
