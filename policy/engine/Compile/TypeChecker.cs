namespace Talos.Policy;

/// <summary>
/// Finds calls whose arguments can never have the type that the function takes, values that can never be equal, and references to members that cannot
/// be there, as OPA's checker does: types are inferred from constants, patterns, results of functions, and other rules, an expression at a time in the
/// order in which they are evaluated. What it cannot know, it lets pass.
/// </summary>
static class TypeChecker
{
    public static void Check(CompilerContext context, DocNode[] nodes)
    {
        var types = new RuleTypes(context);
        foreach (DocNode node in nodes) types.Check(node);
    }
}

/// <summary>What the values of rules and the arguments and results of functions can be.</summary>
sealed class RuleTypes(CompilerContext context)
{
    readonly Dictionary<DocNode, RegoType> _values = [];
    readonly Dictionary<DocNode, FunctionType> _functions = [];
    readonly HashSet<DocNode> _begun = [];
    readonly bool _hasSchemas = SchemaTypes.AnyIn(context);

    /// <summary>Checks the rules of a node after all that they depend on.</summary>
    public void Check(DocNode start)
    {
        // Iterative, because a long chain of rules is legal.
        var stack = new Stack<(DocNode Node, bool Ready)>();
        stack.Push((start, false));
        while (stack.TryPop(out (DocNode Node, bool Ready) next))
        {
            if (next.Ready)
            {
                Learn(next.Node);
                continue;
            }
            if (!_begun.Add(next.Node)) continue;
            stack.Push((next.Node, true));
            foreach (RuleDefinition rule in next.Node.Rules)
                foreach (DocNode dependency in rule.DependsOn) stack.Push((dependency, false));
        }
    }

    void Learn(DocNode node)
    {
        foreach (RuleDefinition rule in node.Rules)
        {
            List<(Value[], RegoType)> schemas = _hasSchemas ? SchemaTypes.Of(context, rule) : [];
            for (RuleNodeSyntax? part = rule.Syntax; part is not null; part = part.Else)
            {
                int before = context.Errors.Count;
                var scope = new TypeScope(context, this, null) { Schemas = schemas };
                scope.Body(part.Body);
                RegoType value = Value(rule, part, scope);
                if (context.Errors.Count > before) value = RegoType.Any; // one mistake, one error
                if (part.Head.Args is { } args) LearnFunction(node, args, scope, value, context.Errors.Count > before);
                _values[node] = RegoType.Or(_values.GetValueOrDefault(node), value)!;
            }
        }
    }

    void LearnFunction(DocNode node, Term[] args, TypeScope scope, RegoType result, bool isWrong)
    {
        RegoType[] types = [.. args.Select(a => isWrong ? RegoType.Any : scope.Argument(a))];
        _functions[node] = _functions.TryGetValue(node, out FunctionType? before)
            ? new FunctionType([.. before.Args.Zip(types, (x, y) => RegoType.Or(x, y)!)], RegoType.Or(before.Result, result)!)
            : new FunctionType(types, result);
    }

    static RegoType Value(RuleDefinition rule, RuleNodeSyntax part, TypeScope scope)
    {
        RegoType[] path = [.. rule.DynamicPath.Select(scope.Result)];
        RegoType? key = part.Head.Key is { } member ? scope.Result(member) : null;
        RegoType value = part.Head.Value is { } term ? scope.Result(term) : RegoType.Boolean;
        RegoType inner = key is null ? value : RegoType.SetOf(key);
        return path.Length switch
        {
            0 => inner,
            1 => RegoType.ObjectOf([], path[0], inner),
            // What several rules put into one object further down is not known.
            _ => RegoType.ObjectOf([], path[0], RegoType.Any),
        };
    }

    public FunctionType? OfFunction(CallTerm call) => context.FindFunction(call.Operator) is { } function ? _functions.GetValueOrDefault(function)
        : call.Name is { } name ? BuiltinTypes.Find(name) : null;

    /// <summary>How much of the path leads to a function, when one is named without being called.</summary>
    public int? IsFunction(RefTerm reference)
    {
        if (!reference.HeadIs("data")) return null;
        DocNode node = context.Root;
        for (int i = 0; i < reference.Path.Length; i++)
        {
            if (reference.Path[i] is not ConstantTerm c || !node.Children.TryGetValue(c.Value, out DocNode? child)) return null;
            node = child;
            if (node.IsFunction && node.Children.Count == 0) return i + 1;
        }
        return null;
    }

    /// <summary>The rule that a reference leads to, if it leads to one and to nothing else, and how much of the path was taken to get there.</summary>
    public (RegoType Type, int Taken)? Find(RefTerm reference)
    {
        if (!reference.HeadIs("data")) return null;
        DocNode node = context.Root;
        for (int i = 0; i < reference.Path.Length; i++)
        {
            if (reference.Path[i] is not ConstantTerm c || !node.Children.TryGetValue(c.Value, out DocNode? child)) return null;
            node = child;
            if (node.HasRules) return !node.IsFunction && node.Children.Count == 0 && _values.TryGetValue(node, out RegoType? type) ? (type, i + 1) : null;
        }
        return null;
    }
}
