namespace Talos.Policy;

/// <summary>What all rules of one compilation share.</summary>
sealed class CompilerContext(DocNode root, Value data, IReadOnlyList<ModuleSyntax> modules, List<PolicyError> errors)
{
    public DocNode Root { get; } = root;
    public Value Data { get; } = data;
    public IReadOnlyList<ModuleSyntax> Modules { get; } = modules;
    public List<PolicyError> Errors { get; } = errors;

    /// <summary>Adds a step for each expression that notes that it held.</summary>
    public bool WithCoverage { get; init; }

    readonly Dictionary<Literal[], Literal[]> _inOrder = [];

    /// <summary>Notes in which order the expressions of a body are evaluated.</summary>
    public void Order(Literal[] body, Literal[] inOrder) => _inOrder[body] = inOrder;

    public Literal[] InOrder(Literal[] body) => _inOrder.GetValueOrDefault(body, body);

    public DocNode? FindFunction(Term op)
    {
        if (op is not RefTerm r || !r.HeadIs("data")) return null;
        DocNode node = Root;
        foreach (Term part in r.Path)
        {
            if (part is not ConstantTerm c || !node.Children.TryGetValue(c.Value, out DocNode? child)) return null;
            node = child;
        }
        return node.IsFunction ? node : null;
    }

    public int? Arity(CallTerm call) =>
        FindFunction(call.Operator) is { } node ? node.Rules[0].Syntax.Head.Args!.Length
        : call.Name is { } name && BuiltinRegistry.Find(name) is { } builtin ? builtin.Arity : null;

    /// <summary>Whether the call has one argument more than the function takes: the last is a pattern for the result.</summary>
    public bool CapturesResult(CallTerm call) => Arity(call) is { } arity && arity >= 0 && call.Args.Length == arity + 1;
}

/// <summary>A builtin named as a replacement.</summary>
sealed class FunctionTerm(Position at, string name) : Term(at)
{
    public string Name { get; } = name;
}

/// <summary>A term that was compiled already.</summary>
sealed class CompiledTerm(Position at, Expr expr) : Term(at)
{
    public Expr Expr { get; } = expr;
}

/// <summary>Numbers the variables of one rule.</summary>
sealed class SlotTable
{
    readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);

    public int Slots { get; private set; }

    public int Cells { get; private set; }

    public int Slot(string name)
    {
        if (!_slots.TryGetValue(name, out int slot)) _slots.Add(name, slot = Slots++);
        return slot;
    }

    public int Temporary() => Slots++;

    public int Cell() => Cells++;
}
