namespace Talos.Policy;

enum WithTargetKind
{
    Input = 0,
    Data,
    Function,
}

/// <summary>What a <c>with</c> replaces.</summary>
sealed record WithTarget(WithTargetKind Kind, Value[] Path, string Function);

/// <summary>Names a function as a replacement; has no value of its own.</summary>
sealed class FunctionNameExpr(DocNode? node, Builtin? builtin) : Expr
{
    public DocNode? Node { get; } = node;
    public Builtin? Builtin { get; } = builtin;

    public override Value? Eval(Frame f) => throw new InvalidOperationException("a function has no value");
}

/// <summary>The documents in force: input, data, and what <c>with</c> put in their place. Caches live as long as it does.</summary>
sealed class EvaluationContext(Value? input, Value data)
{
    public Value? Input { get; private init; } = input;
    public Value Data { get; private init; } = data;

    /// <summary>Rules that are hidden behind replaced data.</summary>
    public HashSet<DocNode>? Masks { get; private init; }

    /// <summary>Functions replaced by functions or by values.</summary>
    public Dictionary<string, object>? Mocks { get; private init; }

    /// <summary>What rules gave, by <see cref="DocNode.Id"/>; <see cref="Undefined"/> when nothing, null when not asked yet.</summary>
    public Value?[]? Cache { get; set; }

    /// <summary>Stands in the cache for no value; nobody else sees it.</summary>
    public static readonly Value Undefined = new UndefinedMark();

    sealed class UndefinedMark : Value
    {
        public override ValueKind Kind => throw new InvalidOperationException("undefined has no kind");
        public override int GetHashCode() => 0;
        protected override bool EqualsSameKind(Value other) => false;
        protected override int CompareSameKind(Value other) => 0;
    }

    public EvaluationContext With(Evaluation evaluation, WithTarget[] targets, Expr[] values, Value[] evaluated, Frame frame)
    {
        _ = frame;
        Value? input = Input;
        Value data = Data;
        HashSet<DocNode>? masks = Masks;
        Dictionary<string, object>? mocks = Mocks;
        for (int i = 0; i < targets.Length; i++)
        {
            WithTarget target = targets[i];
            switch (target.Kind)
            {
                case WithTargetKind.Input:
                    input = Replace(input is LazyDocument lazy ? lazy.Force() : input, target.Path, evaluated[i]);
                    break;
                case WithTargetKind.Data:
                    data = Replace(data, target.Path, evaluated[i]);
                    if (evaluation.Program.Find(target.Path) is { } node) masks = [.. masks ?? [], .. node.Subtree];
                    break;
                case WithTargetKind.Function:
                    mocks = mocks is null ? [] : new(mocks);
                    mocks[target.Function] = values[i] is FunctionNameExpr f ? (object?)f.Node ?? f.Builtin! : evaluated[i];
                    break;
            }
        }
        return new EvaluationContext(input, data) { Masks = masks, Mocks = mocks };
    }

    public EvaluationContext WithoutMock(string function)
    {
        Dictionary<string, object>? mocks = new(Mocks!);
        mocks.Remove(function);
        return new EvaluationContext(Input, Data) { Masks = Masks, Mocks = mocks.Count == 0 ? null : mocks };
    }

    // What stands in the way of the path is replaced by an object.
    static Value Replace(Value? root, ReadOnlySpan<Value> path, Value value)
    {
        if (path.Length == 0) return value;
        ObjectValue o = root as ObjectValue ?? ObjectValue.Empty;
        return o.With(path[0], Replace(o.Get(path[0]), path[1..], value));
    }
}
