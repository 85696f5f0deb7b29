namespace Talos.Policy;

/// <summary>Compiled modules and their base data; immutable, shared by all evaluations.</summary>
sealed class Program(DocNode root, Value data, IReadOnlyList<ModuleSyntax> modules)
{
    /// <summary>How many nodes have rules; their ids are below it.</summary>
    public int RuleNodes { get; } = root.Subtree.Count(n => n.HasRules);

    public DocNode Root { get; } = root;
    public Value Data { get; } = data;
    public IReadOnlyList<ModuleSyntax> Modules { get; } = modules;

    readonly Dictionary<string, DocNode> _functions = root.Subtree.Where(n => n.IsFunction).ToDictionary(n => n.ToString(), StringComparer.Ordinal);

    public DocNode? FindFunction(string reference) => _functions.GetValueOrDefault(reference);

    public DocNode? Find(IReadOnlyList<Value> path)
    {
        DocNode node = Root;
        foreach (Value key in path)
        {
            if (!node.Children.TryGetValue(key, out DocNode? child)) return null;
            node = child;
        }
        return node;
    }

    /// <summary>The same rules over other data.</summary>
    public Program WithData(Value data) => new(Root, data, Modules);
}

/// <summary>A body compiled outside of any rule.</summary>
sealed class Query(Step first, int slots, int cells)
{
    /// <summary>One object of bindings for each solution.</summary>
    /// <exception cref="EvaluationException">The evaluation failed or ran into a limit.</exception>
    public List<ObjectValue> Run(Program program, Value? input, EvaluationOptions options) => Run(new Evaluation(program, input, options));

    public List<ObjectValue> Run(Evaluation evaluation)
    {
        var frame = new Frame(evaluation, slots, cells);
        var results = new List<ObjectValue>();
        frame.Target = results;
        first.Run(frame);
        foreach (ObjectValue result in results) evaluation.CheckResult(result);
        return results;
    }
}
