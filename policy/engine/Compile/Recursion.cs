namespace Talos.Policy;

/// <summary>Refuses rules that depend on themselves; so every evaluation ends.</summary>
static class Recursion
{
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
            else if (seen == 1 && reported.Add(next))
            {
                string cycle = string.Join(" -> ", path.Skip(path.IndexOf(next)).Append(next));
                errors.Add(next.Rules[0].Syntax.At.Error("rego_recursion_error", $"rule `{next}` is recursive: {cycle}"));
            }
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
        foreach (With with in literal.Withs) Visit(root, with.Value, found);
        switch (literal)
        {
            case TermLiteral t:
                Visit(root, t.Term, found);
                break;
            case SomeLiteral { Member: { } member }:
                Visit(root, member, found);
                break;
            case EveryLiteral e:
                Visit(root, e.Domain, found);
                foreach (Literal inner in e.Body) Visit(root, inner, found);
                break;
        }
    }

    static void Visit(DocNode root, Term term, HashSet<DocNode> found)
    {
        switch (term)
        {
            case VarTerm { Name: "data" }:
                Reach(root, [], found);
                break;
            case RefTerm r:
                if (r.HeadIs("data")) Reach(root, r.Path, found);
                else if (r.Head is not VarTerm) Visit(root, r.Head, found);
                foreach (Term part in r.Path) Visit(root, part, found);
                break;
            case ArrayTerm a:
                foreach (Term item in a.Items) Visit(root, item, found);
                break;
            case SetTerm s:
                foreach (Term item in s.Items) Visit(root, item, found);
                break;
            case ObjectTerm o:
                foreach ((Term key, Term value) in o.Items)
                {
                    Visit(root, key, found);
                    Visit(root, value, found);
                }
                break;
            case CallTerm c:
                if (c.Operator is RefTerm op && op.HeadIs("data")) Reach(root, op.Path, found);
                foreach (Term arg in c.Args) Visit(root, arg, found);
                break;
            case ComprehensionTerm c:
                if (c.Key is not null) Visit(root, c.Key, found);
                Visit(root, c.Value, found);
                foreach (Literal literal in c.Body) Visit(root, literal, found);
                break;
            case TemplateTerm t:
                foreach (Term part in t.Parts) Visit(root, part, found);
                break;
            case TemplateExpression e:
                Visit(root, e.Value, found);
                foreach (With with in e.Withs) Visit(root, with.Value, found);
                break;
        }
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
