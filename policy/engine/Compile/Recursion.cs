namespace Talos.Policy;

/// <summary>Refuses rules that depend on themselves; so every evaluation ends.</summary>
static class Recursion
{
    // LIMIT: rules that are named; a circle of thousands says nothing more.
    const int MaxReported = 10;

    public static void Check(DocNode root, List<PolicyError> errors)
    {
        DocNode[] nodes = [.. root.Subtree.Where(n => n.HasRules)];
        var edges = nodes.ToDictionary(n => n, n => Dependencies(root, n));
        var state = new Dictionary<DocNode, int>();
        var reported = new HashSet<DocNode>();
        foreach (DocNode node in nodes) Visit(node, edges, state, reported, errors);
    }

    // Iterative, because a long chain of rules is legal.
    static void Visit(DocNode start, Dictionary<DocNode, HashSet<DocNode>> edges, Dictionary<DocNode, int> state, HashSet<DocNode> reported, List<PolicyError> errors)
    {
        if (state.ContainsKey(start)) return;
        var path = new List<DocNode>();
        var stack = new Stack<(DocNode Node, IEnumerator<DocNode> Next)>();
        state[start] = 1;
        path.Add(start);
        stack.Push((start, edges[start].GetEnumerator()));
        while (stack.TryPeek(out (DocNode Node, IEnumerator<DocNode> Next) top))
        {
            if (!top.Next.MoveNext())
            {
                state[top.Node] = 2;
                stack.Pop();
                path.RemoveAt(path.Count - 1);
                continue;
            }
            DocNode next = top.Next.Current;
            if (!state.TryGetValue(next, out int seen))
            {
                state[next] = 1;
                path.Add(next);
                stack.Push((next, edges[next].GetEnumerator()));
            }
            else if (seen == 1)
            {
                Report(path[path.IndexOf(next)..], reported, errors);
            }
        }
    }

    // Each rule of the circle, as if it were the first.
    static void Report(List<DocNode> cycle, HashSet<DocNode> reported, List<PolicyError> errors)
    {
        for (int i = 0; i < cycle.Count && reported.Count < MaxReported; i++)
        {
            if (!reported.Add(cycle[i])) continue;
            string way = string.Join(" -> ", cycle[i..].Concat(cycle[..(i + 1)]));
            errors.Add(cycle[i].Rules[0].Syntax.At.Error("rego_recursion_error", $"rule `{cycle[i]}` is recursive: {way}"));
        }
    }

    static HashSet<DocNode> Dependencies(DocNode root, DocNode node)
    {
        var found = new HashSet<DocNode>();
        foreach (RuleDefinition rule in node.Rules)
        {
            for (RuleNodeSyntax? part = rule.Syntax; part is not null; part = part.Else)
            {
                foreach (Literal literal in part.Body) Visit(root, literal, found);
                foreach (Term term in rule.DynamicPath) Visit(root, term, found);
                if (part.Head.Key is { } key) Visit(root, key, found);
                if (part.Head.Value is { } value) Visit(root, value, found);
            }
            rule.DependsOn.UnionWith(found);
        }
        return found;
    }

    static void Visit(DocNode root, Literal literal, HashSet<DocNode> found)
    {
        foreach (Term term in SyntaxParts.Of(literal)) Visit(root, term, found);
        if (literal is LogicalLiteral logical)
            foreach (Literal inner in logical.Operands.SelectMany(o => o.Body)) Visit(root, inner, found);
        if (literal is not EveryLiteral every) return;
        foreach (Literal inner in every.Body) Visit(root, inner, found);
    }

    static void Visit(DocNode root, Term term, HashSet<DocNode> found)
    {
        switch (term)
        {
            case VarTerm { Name: "data" }:
                Reach(root, [], found);
                break;
            case RefTerm r when r.HeadIs("data"):
                Reach(root, r.Path, found);
                break;
            case CallTerm { Operator: RefTerm op } when op.HeadIs("data"):
                Reach(root, op.Path, found);
                break;
            case ComprehensionTerm c:
                foreach (Term part in SyntaxParts.HeadOf(c)) Visit(root, part, found);
                foreach (Literal literal in c.Body) Visit(root, literal, found);
                break;
        }
        foreach (Term part in SyntaxParts.Of(term)) Visit(root, part, found);
    }

    // A variable in a path can be any key there.
    static void Reach(DocNode node, ReadOnlySpan<Term> path, HashSet<DocNode> found)
    {
        if (node.HasRules) found.Add(node);
        if (path.Length == 0)
        {
            foreach (DocNode below in node.Subtree)
                if (below.HasRules) found.Add(below);
            return;
        }
        if (path[0] is ConstantTerm c)
        {
            if (node.Children.TryGetValue(c.Value, out DocNode? child)) Reach(child, path[1..], found);
            return;
        }
        foreach (DocNode child in node.Children.Values) Reach(child, path[1..], found);
    }
}
