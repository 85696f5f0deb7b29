namespace Talos.Policy;

/// <summary>
/// Finds calls whose arguments can never have the type that the function takes. Infers from constants, comprehensions, results of
/// builtins and variables assigned once; what it cannot know, it lets pass.
/// </summary>
static class TypeChecker
{
    public static void Check(CompilerContext context, DocNode[] nodes)
    {
        foreach (DocNode node in nodes)
        {
            foreach (RuleDefinition rule in node.Rules)
            {
                for (RuleNodeSyntax? part = rule.Syntax; part is not null; part = part.Else)
                {
                    var scope = new TypeScope(context.Errors);
                    scope.Learn(part.Body);
                    scope.Body(part.Body);
                    if (part.Head.Key is { } key) scope.Term(key);
                    if (part.Head.Value is { } value) scope.Term(value);
                }
            }
        }
    }
}

/// <summary>The types known of one rule's variables.</summary>
sealed class TypeScope(List<PolicyError> errors)
{
    readonly Dictionary<string, TypeSet> _variables = new(StringComparer.Ordinal);

    /// <summary>Takes the type of each variable that is equated with something whose type is known.</summary>
    public void Learn(Literal[] body)
    {
        foreach (Literal literal in body)
        {
            if (literal is not TermLiteral { Negated: false, Term: CallTerm { Name: "eq", Args: [VarTerm v, var right] } }) continue;
            TypeSet type = Infer(right);
            if (type != TypeSet.Any) _variables[v.Name] = _variables.TryGetValue(v.Name, out TypeSet known) ? known | type : type;
        }
    }

    public void Body(Literal[] body)
    {
        foreach (Literal literal in body)
        {
            foreach (With with in literal.Withs) Term(with.Value);
            switch (literal)
            {
                case TermLiteral t:
                    Term(t.Term);
                    break;
                case SomeLiteral { Member: { } member }:
                    foreach (Term arg in member.Args) Term(arg);
                    break;
                case EveryLiteral e:
                    Term(e.Domain);
                    Learn(e.Body);
                    Body(e.Body);
                    break;
            }
        }
    }

    public void Term(Term term)
    {
        switch (term)
        {
            case RefTerm r:
                foreach (Term part in r.Path) Term(part);
                if (r.Head is not VarTerm) Term(r.Head);
                break;
            case ArrayTerm a:
                foreach (Term item in a.Items) Term(item);
                break;
            case SetTerm s:
                foreach (Term item in s.Items) Term(item);
                break;
            case ObjectTerm o:
                foreach ((Term key, Term value) in o.Items)
                {
                    Term(key);
                    Term(value);
                }
                break;
            case ComprehensionTerm c:
                Learn(c.Body);
                Body(c.Body);
                if (c.Key is not null) Term(c.Key);
                Term(c.Value);
                break;
            case TemplateTerm t:
                foreach (Term part in t.Parts) Term(part);
                break;
            case TemplateExpression e:
                Term(e.Value);
                break;
            case CallTerm call:
                foreach (Term arg in call.Args) Term(arg);
                Call(call);
                break;
        }
    }

    void Call(CallTerm call)
    {
        if (call.Name is not { } name || BuiltinTypes.Find(name) is not { } signature) return;
        for (int i = 0; i < signature.Args.Length && i < call.Args.Length; i++)
        {
            TypeSet actual = Infer(call.Args[i]);
            if ((actual & signature.Args[i]) != TypeSet.None) continue;
            errors.Add(call.Args[i].At.Error("rego_type_error", $"{name}: invalid argument {i + 1}",
                $"it takes {BuiltinTypes.Describe(signature.Args[i])}, and this is {BuiltinTypes.Describe(actual)}"));
        }
    }

    TypeSet Infer(Term term) => term switch
    {
        ConstantTerm c => BuiltinTypes.Of(c.Value.Kind),
        ArrayTerm or ComprehensionTerm { Kind: ComprehensionKind.Array } => TypeSet.Array,
        SetTerm or ComprehensionTerm { Kind: ComprehensionKind.Set } => TypeSet.Set,
        ObjectTerm or ComprehensionTerm { Kind: ComprehensionKind.Object } => TypeSet.Object,
        TemplateTerm => TypeSet.String,
        VarTerm v => _variables.GetValueOrDefault(v.Name, TypeSet.Any),
        CallTerm { Name: { } name } when BuiltinTypes.Find(name) is { } signature => signature.Result,
        _ => TypeSet.Any,
    };
}
