namespace Talos.Policy;

static class GraphBuiltins
{
    // LIMIT: paths that reachable_paths may find; their number grows exponentially in the graph.
    const int MaxPaths = 100_000;

    // LIMIT: nodes on one path; each costs stack.
    const int MaxPathLength = 5_000;

    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("graph.reachable", Reachable),
        Builtin.Of("graph.reachable_paths", ReachablePaths),
    ];

    static IEnumerable<Value> Initial(Value v) => v switch
    {
        SetValue s => s.Members.Sorted,
        ArrayValue a => a.Items,
        _ => throw BuiltinException.Type(2, v, "array", "set"),
    };

    static Value[] Edges(Value? v) => v switch
    {
        ArrayValue a => a.Items,
        SetValue s => s.Members.Sorted,
        _ => [],
    };

    static SetValue Reachable(Value g, Value initial)
    {
        ObjectValue graph = Operand.Object(g, 1);
        var seen = new HashSet<Value>();
        var open = new Queue<Value>(Initial(initial));
        while (open.TryDequeue(out Value? node))
        {
            if (graph.Get(node) is not { } edges || !seen.Add(node)) continue;
            foreach (Value next in Edges(edges)) open.Enqueue(next);
        }
        return SetValue.From(seen);
    }

    static SetValue ReachablePaths(Value g, Value initial)
    {
        ObjectValue graph = Operand.Object(g, 1);
        var found = new HashSet<Value>();
        foreach (Value start in Initial(initial))
        {
            if (graph.Get(start) is not { } edges) continue;
            if (edges is not (ArrayValue or SetValue or NullValue)) throw BuiltinException.Type(1, edges, "array", "set");
            if (Edges(edges).Length == 0) found.Add(new ArrayValue(start));
            foreach (Value edge in Edges(edges)) Follow(graph, edge, [start], [start], found);
        }
        return SetValue.From(found);
    }

    static void Follow(ObjectValue graph, Value node, List<Value> path, HashSet<Value> left, HashSet<Value> found)
    {
        if (found.Count > MaxPaths || path.Count > MaxPathLength) throw Evaluation.Limit("paths");
        if (!graph.TryGet(node, out Value? edges))
        {
            found.Add(new ArrayValue([.. path])); // a node that is no key ends the path before it
            return;
        }
        path.Add(node);
        Value[] next = Edges(edges);
        if (next.Length == 0) found.Add(new ArrayValue([.. path]));
        foreach (Value neighbour in next)
        {
            if (left.Contains(neighbour)) found.Add(new ArrayValue([.. path]));
            else
            {
                left.Add(node);
                Follow(graph, neighbour, path, left, found);
            }
        }
        path.RemoveAt(path.Count - 1);
    }
}
