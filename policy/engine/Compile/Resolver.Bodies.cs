namespace Talos.Policy;

sealed partial class Resolver
{
    Literal[] Body(Literal[] body, Scope scope)
    {
        var resolved = new List<Literal>(body.Length);
        foreach (Literal literal in body)
        {
            _statement = literal.At;
            if (literal is SomeLiteral { Member: null } some)
            {
                foreach (VarTerm v in some.Vars)
                {
                    if (v.IsGenerated) continue;
                    if (Declare(v, scope, false) is { } declared) _someDeclared.Add(declared);
                }
                continue;
            }
            resolved.Add(Literal(literal, scope));
        }
        return [.. resolved];
    }

    Literal Literal(Literal literal, Scope scope)
    {
        With[] withs = [.. literal.Withs.Select(w => WithClause(w, scope))];
        switch (literal)
        {
            case TermLiteral { Term: CallTerm { Name: "assign", Args.Length: 2 } assign } t when assign.IsInfix || Means(assign, scope) is null:
                Term right = Term(assign.Args[1], scope);
                _statement = t.At;
                CheckAssignable(assign.Args[0]);
                DeclarePattern(assign.Args[0], scope, true);
                return new TermLiteral(t.At, false, new CallTerm(assign.At, new VarTerm(assign.At, "eq"), [Pattern(assign.Args[0], scope), right], true), withs);
            case TermLiteral { Term: CallTerm { IsInfix: false } call } t:
                return new TermLiteral(t.At, t.Negated, new CallTerm(call.At, Function(call, scope, true), Terms(call.Args, scope)), withs);
            case TermLiteral t:
                return new TermLiteral(t.At, t.Negated, Term(t.Term, scope), withs);
            case SomeLiteral { Member: { } member } some:
                Term domain = Term(member.Args[^1], scope);
                var inDomain = new HashSet<string>(StringComparer.Ordinal);
                Variables.Direct(member.Args[^1], inDomain);
                foreach (Term pattern in member.Args[..^1]) DeclareSome(pattern, scope, inDomain);
                return new SomeLiteral(some.At, [], new CallTerm(member.At, member.Operator, [.. member.Args[..^1].Select(a => Term(a, scope)), domain], true), withs);
            case LogicalLiteral logical:
                return new LogicalLiteral(logical.At, logical.Kind, [.. logical.Operands.Select(o => OperandOf(o, scope))], withs);
            case EveryLiteral every:
                Term over = Term(every.Domain, scope);
                var inner = new Scope(scope);
                _statement = every.Body[0].At; // where OPA says that a key or value is not used
                foreach (VarTerm? variable in (VarTerm?[])[every.Key, every.Value])
                    if (variable is { IsGenerated: false } && Declare(variable, inner, false) is { } declared) _someDeclared.Add(declared);
                Literal[] body = Body(every.Body, inner);
                ReportUnused(inner);
                return new EveryLiteral(every.At, every.Key is null ? null : (VarTerm)Term(every.Key, inner), (VarTerm)Term(every.Value, inner), over, body, withs);
            default:
                throw new InvalidOperationException("unknown kind of literal");
        }
    }

    LogicalOperand OperandOf(LogicalOperand operand, Scope scope)
    {
        if (!operand.IsExplicit) return new LogicalOperand([Literal(operand.Body[0], scope)], false);
        var inside = new Scope(scope) { Declares = DeclaredIn(operand.Body) };
        Literal[] body = Body(operand.Body, inside);
        ReportUnused(inside);
        return new LogicalOperand(body, true);
    }

    // What the domain itself names is no new variable.
    void DeclareSome(Term pattern, Scope scope, HashSet<string> inDomain)
    {
        switch (pattern)
        {
            case VarTerm { IsGenerated: false } v when !inDomain.Contains(v.Name):
                Declare(v, scope, false);
                break;
            case ArrayTerm array:
                foreach (Term item in array.Items) DeclareSome(item, scope, inDomain);
                break;
            case ObjectTerm o:
                foreach ((_, Term value) in o.Items) DeclareSome(value, scope, inDomain);
                break;
        }
    }

    void CheckAssignable(Term left)
    {
        switch (left)
        {
            case VarTerm:
                break;
            case ArrayTerm array:
                foreach (Term item in array.Items) CheckAssignable(item);
                break;
            case ObjectTerm o:
                foreach ((_, Term value) in o.Items) CheckAssignable(value);
                break;
            default:
                _errors.Add(left.At.Error("rego_compile_error", $"cannot assign to {Describe(left)}", "only variables, and arrays and objects of them, can stand left of `:=`"));
                break;
        }
    }

    static string Describe(Term term) => term switch
    {
        ConstantTerm c => c.Value.TypeName,
        RefTerm => "ref",
        CallTerm => "call",
        SetTerm => "set",
        ComprehensionTerm { Kind: ComprehensionKind.Array } => "arraycomprehension",
        ComprehensionTerm { Kind: ComprehensionKind.Set } => "setcomprehension",
        ComprehensionTerm => "objectcomprehension",
        _ => "term",
    };

    Term Pattern(Term term, Scope scope) => term switch
    {
        ArrayTerm a => new ArrayTerm(a.At, [.. a.Items.Select(i => Pattern(i, scope))]),
        ObjectTerm o => new ObjectTerm(o.At, [.. o.Items.Select(i => (Term(i.Key, scope), Pattern(i.Value, scope)))]),
        VarTerm { IsGenerated: false } v when scope.FindHere(v.Name) is { } declared => new VarTerm(v.At, declared.Unique),
        _ => Term(term, scope),
    };

    With WithClause(With with, Scope scope)
    {
        Term value = Term(with.Value, scope);
        string? name = value is VarTerm v ? v.Name : value is RefTerm r && !r.HeadIs("data") && !r.HeadIs("input") ? r.DottedName : null;
        if (name is not null && BuiltinRegistry.Exists(name)) value = new FunctionTerm(value.At, name);
        return new With(WithTarget((RefTerm)with.Target, scope), value);
    }

    RefTerm WithTarget(RefTerm target, Scope scope)
    {
        var head = (VarTerm)target.Head;
        Term[] path = [.. target.Path.Select(p => Term(p, scope))];
        if (head.Name is "input" or "data") return new RefTerm(target.At, head, path);
        if (scope.Find(head.Name) is null && Global(head) is { } global)
            return global is RefTerm g ? new RefTerm(target.At, g.Head, [.. g.Path, .. path]) : new RefTerm(target.At, global, path);
        string name = target.DottedName ?? head.Name;
        if (!BuiltinRegistry.Exists(name))
            _errors.Add(target.At.Error("rego_type_error", $"with keyword target must reference existing input, data, or a function, not `{name}`"));
        else if (NotReplaceable(name) is { } problem)
            _errors.Add(target.At.Error("rego_compile_error", $"with keyword replacing built-in function: {problem}"));
        return target;
    }

    static string? NotReplaceable(string name) => name switch
    {
        "eq" or "rego.metadata.chain" or "rego.metadata.rule" => $"replacement of `{name}` invalid",
        "walk" => "target must not be a relation",
        "print" => "target must not be a void function",
        _ => name.StartsWith("internal.", StringComparison.Ordinal) ? $"replacement of internal function `{name}` invalid" : null,
    };

    Term Term(Term term, Scope scope)
    {
        switch (term)
        {
            case ConstantTerm:
                return term;
            case VarTerm v:
                return Variable(v, scope);
            case RefTerm r:
                Term head = r.Head is VarTerm name ? Variable(name, scope) : Term(r.Head, scope);
                Term[] path = [.. r.Path.Select(p => Term(p, scope))];
                return head is RefTerm inner ? new RefTerm(r.At, inner.Head, [.. inner.Path, .. path]) : new RefTerm(r.At, head, path);
            case ArrayTerm a:
                return new ArrayTerm(a.At, Terms(a.Items, scope));
            case SetTerm s:
                return new SetTerm(s.At, Terms(s.Items, scope));
            case ObjectTerm o:
                return new ObjectTerm(o.At, [.. o.Items.Select(i => (Term(i.Key, scope), Term(i.Value, scope)))]);
            case CallTerm c:
                return new CallTerm(c.At, c.IsInfix ? c.Operator : Function(c, scope, false), Terms(c.Args, scope), c.IsInfix);
            case ComprehensionTerm c:
                var inside = new Scope(scope) { Declares = DeclaredIn(c.Body) };
                Literal[] body = Body(c.Body, inside);
                var resolved = new ComprehensionTerm(c.At, c.Kind, c.Key is null ? null : Term(c.Key, inside), Term(c.Value, inside), body);
                ReportUnused(inside);
                return resolved;
            case TemplateTerm t:
                return new TemplateTerm(t.At, Terms(t.Parts, scope));
            case TemplateExpression e:
                return new TemplateExpression(e.At, Term(e.Value, scope), [.. e.Withs.Select(w => WithClause(w, scope))]);
            default:
                throw new InvalidOperationException("unknown kind of term");
        }
    }

    Term[] Terms(Term[] terms, Scope scope) => [.. terms.Select(t => Term(t, scope))];

    Term Variable(VarTerm v, Scope scope)
    {
        if (v.IsGenerated || v.Name is "input" or "data") return v;
        if (scope.Find(v.Name) is { } declared)
        {
            declared.Used = true;
            return new VarTerm(v.At, declared.Unique);
        }
        if (!scope.IsDeclaredSomewhere(v.Name) && Global(v) is { } global) return global;
        scope.Seen.Add(v.Name);
        return v;
    }

    Term? Global(VarTerm v)
    {
        if (_rules.Contains(v.Name)) return new RefTerm(v.At, new VarTerm(v.At, "data"), [.. _package, new ConstantTerm(v.At, Value.From(v.Name))]);
        if (!_imports.TryGetValue(v.Name, out RefTerm? import)) return null;
        _usedImports.Add(v.Name);
        return import.Path.Length == 0 ? import.Head : new RefTerm(v.At, import.Head, import.Path);
    }

    static VarTerm? HeadOf(CallTerm call) => call.Operator as VarTerm ?? (call.Operator as RefTerm)?.Head as VarTerm;

    // Whether the module, and not the language, says what is called.
    object? Means(CallTerm call, Scope scope) => HeadOf(call) is { } head ? (object?)scope.Find(head.Name) ?? Global(head) : null;

    Term Function(CallTerm call, Scope scope, bool isStatement)
    {
        VarTerm? head = HeadOf(call);
        if (head is null || head.Name is "data" or "input") return call.Operator;
        Term[] path = call.Operator is RefTerm r ? r.Path : [];
        if (scope.Find(head.Name) is { } shadow)
        {
            shadow.Used = true;
            _errors.Add(isStatement ? call.At.Error("rego_type_error", $"undefined function `{head.Name}`", "it is a variable here")
                : call.At.Error("rego_compile_error", $"called function `{call.Name}` shadowed", "a variable has its name"));
            return call.Operator;
        }
        if (!scope.IsDeclaredSomewhere(head.Name) && Global(head) is { } global)
            return new RefTerm(call.At, global is RefTerm g ? g.Head : global, [.. global is RefTerm p ? p.Path : [], .. path]);
        if (!isStatement && call.Name is "print" or "internal.print" or "internal.test_case")
            _errors.Add(call.At.Error("rego_type_error", $"`{call.Name}` used as value", "its calls have none; let it stand alone"));
        return call.Operator;
    }
}
