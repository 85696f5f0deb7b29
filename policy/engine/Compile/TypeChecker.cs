namespace Talos.Policy;

/// <summary>
/// Finds calls whose arguments can never have the type that the function takes, values that can never be equal, and references into values
/// that have no members. Infers from constants, comprehensions, results of builtins and functions, other rules, and variables assigned once;
/// what it cannot know, it lets pass.
/// </summary>
static class TypeChecker
{
    public static void Check(CompilerContext context, DocNode[] nodes)
    {
        var types = new RuleTypes(context);
        foreach (DocNode node in nodes)
        {
            foreach (RuleDefinition rule in node.Rules)
            {
                for (RuleNodeSyntax? part = rule.Syntax; part is not null; part = part.Else)
                {
                    TypeScope scope = types.Scope(part);
                    scope.Body(part.Body);
                    if (part.Head.Key is { } key) scope.Term(key);
                    if (part.Head.Value is { } value) scope.Term(value);
                }
            }
        }
    }
}

/// <summary>What the values of rules and the results of functions can be.</summary>
sealed class RuleTypes(CompilerContext context)
{
    readonly Dictionary<DocNode, TypeSet> _known = [];

    public TypeScope Scope(RuleNodeSyntax part)
    {
        var scope = new TypeScope(context.Errors, this);
        scope.Learn(part.Body);
        return scope;
    }

    public TypeSet OfCall(CallTerm call) => context.FindFunction(call.Operator) is { } function ? Of(function)
        : call.Name is { } name && BuiltinTypes.Find(name) is { } signature ? signature.Result : TypeSet.Any;

    /// <summary>The rule that a reference leads to, if it leads to one and to nothing else, and what of the path is behind it.</summary>
    public (DocNode Node, int Behind)? Find(RefTerm reference)
    {
        if (!reference.HeadIs("data")) return null;
        DocNode node = context.Root;
        for (int i = 0; i < reference.Path.Length; i++)
        {
            if (reference.Path[i] is not ConstantTerm c || !node.Children.TryGetValue(c.Value, out DocNode? child)) return null;
            node = child;
            if (node.HasRules) return node.IsFunction || node.Children.Count > 0 ? null : (node, reference.Path.Length - i - 1);
        }
        return null;
    }

    // Rules do not depend on themselves, so this ends.
    public TypeSet Of(DocNode node)
    {
        if (_known.TryGetValue(node, out TypeSet known)) return known;
        var all = TypeSet.None;
        foreach (RuleDefinition rule in node.Rules)
        {
            for (RuleNodeSyntax? part = rule.Syntax; part is not null; part = part.Else)
            {
                all |= rule.DynamicPath.Length > 0 ? TypeSet.Object : rule.Kind switch
                {
                    RuleKind.PartialSet => TypeSet.Set,
                    RuleKind.PartialObject => TypeSet.Object,
                    _ => part.Head.Value is { } value ? Scope(part).Infer(value) : TypeSet.Boolean,
                };
            }
        }
        return _known[node] = all == TypeSet.None ? TypeSet.Any : all;
    }
}

/// <summary>The types known of one rule's variables.</summary>
sealed class TypeScope(List<PolicyError> errors, RuleTypes types)
{
    const TypeSet WithMembers = TypeSet.Array | TypeSet.Object | TypeSet.Set;

    // Inside an expression with `with`, rules may have values that are not theirs.
    bool _isMocked;

    readonly Dictionary<string, TypeSet> _variables = new(StringComparer.Ordinal);

    /// <summary>Takes the type of each variable that is equated with something whose type is known.</summary>
    public void Learn(Literal[] body)
    {
        foreach (Literal literal in body)
        {
            if (literal is not TermLiteral { Negated: false, Term: CallTerm { Name: "eq", Args: [VarTerm v, var right] } }) continue;
            TypeSet type = Infer(right);
            // All equations of a body hold at once; where two cannot, the first stays and the second is an error.
            if (type != TypeSet.Any) _variables[v.Name] = _variables.TryGetValue(v.Name, out TypeSet known) && (known & type) is var both ? both == TypeSet.None ? known : both : type;
        }
    }

    public void Body(Literal[] body)
    {
        foreach (Literal literal in body)
        {
            bool outer = _isMocked;
            _isMocked |= literal.Withs.Length > 0;
            foreach (Term term in SyntaxParts.Of(literal)) Term(term);
            if (literal is EveryLiteral every)
            {
                Learn(every.Body);
                Body(every.Body);
            }
            _isMocked = outer;
        }
    }

    public void Term(Term term)
    {
        if (term is ComprehensionTerm c)
        {
            Learn(c.Body);
            Body(c.Body);
            foreach (Term part in SyntaxParts.HeadOf(c)) Term(part);
        }
        foreach (Term part in SyntaxParts.Of(term)) Term(part);
        if (term is RefTerm reference) Reference(reference);
        if (term is CallTerm call) Call(call);
    }

    void Reference(RefTerm reference)
    {
        if (_isMocked || types.Find(reference) is not { Behind: > 0 } found) return;
        TypeSet type = types.Of(found.Node);
        if ((type & WithMembers) == TypeSet.None)
            errors.Add(reference.At.Error("rego_type_error", $"undefined ref: `{found.Node}` has no members", $"it is {BuiltinTypes.Describe(type)}"));
    }

    void Call(CallTerm call)
    {
        if (call is { Name: "eq" or "equal", Args: [var left, var right] })
        {
            TypeSet x = Infer(left), y = Infer(right);
            if ((x & y) == TypeSet.None)
                errors.Add(call.At.Error("rego_type_error", "match error: the two sides can never be equal", $"the left is {BuiltinTypes.Describe(x)}, the right is {BuiltinTypes.Describe(y)}"));
            return;
        }
        if (call.Name is not { } name || BuiltinTypes.Find(name) is not { } signature) return;
        for (int i = 0; i < signature.Args.Length && i < call.Args.Length; i++)
        {
            TypeSet actual = Infer(call.Args[i]);
            if ((actual & signature.Args[i]) != TypeSet.None) continue;
            errors.Add(call.Args[i].At.Error("rego_type_error", $"{name}: invalid argument {i + 1}",
                $"it takes {BuiltinTypes.Describe(signature.Args[i])}, and this is {BuiltinTypes.Describe(actual)}"));
        }
    }

    public TypeSet Infer(Term term) => term switch
    {
        ConstantTerm c => BuiltinTypes.Of(c.Value.Kind),
        ArrayTerm or ComprehensionTerm { Kind: ComprehensionKind.Array } => TypeSet.Array,
        SetTerm or ComprehensionTerm { Kind: ComprehensionKind.Set } => TypeSet.Set,
        ObjectTerm or ComprehensionTerm { Kind: ComprehensionKind.Object } => TypeSet.Object,
        TemplateTerm => TypeSet.String,
        VarTerm v => _variables.GetValueOrDefault(v.Name, TypeSet.Any),
        CallTerm call => _isMocked ? TypeSet.Any : types.OfCall(call),
        RefTerm r when !_isMocked && types.Find(r) is { Behind: 0 } rule => types.Of(rule.Node),
        _ => TypeSet.Any,
    };
}
