namespace Talos.Policy;

/// <summary>One rule ready to run; `else` follows in the chain.</summary>
sealed class CompiledRule(RuleDefinition definition, int slots, int cells, int[] argSlots, Step? argMatch, (Step Body, Position At)[] chain)
{
    public RuleDefinition Definition { get; } = definition;

    /// <summary>Null when the value may differ between solutions; otherwise the constant that every solution gives.</summary>
    public Value? Constant { get; init; }

    public Value? Run(Evaluation e, Value[]? args)
    {
        var frame = new Frame(e, slots, cells);
        if (args is not null)
        {
            for (int i = 0; i < args.Length; i++) frame.Slots[argSlots[i]] = args[i];
            if (argMatch is not null && !argMatch.Run(frame)) return null;
        }
        foreach ((Step body, Position at) in chain)
        {
            body.Run(frame);
            if (frame.Result is null) continue;
            e.Options.Trace?.Add((Definition, at, frame.Result));
            return frame.Result;
        }
        return null;
    }

    public void Collect(Evaluation e, DocumentBuilder into)
    {
        var frame = new Frame(e, slots, cells);
        frame.Target = into;
        foreach ((Step body, _) in chain) body.Run(frame);
    }
}

/// <summary>All rules at one node.</summary>
sealed class NodeRules
{
    readonly DocNode _node;
    readonly CompiledRule[] _rules;
    readonly CompiledRule? _default;
    readonly RuleIndex? _index;
    readonly bool _isPartial, _isSet, _sameConstant;

    public NodeRules(DocNode node, CompiledRule[] rules, CompiledRule? defaultRule, RuleIndex? index)
    {
        _node = node;
        _rules = rules;
        _default = defaultRule;
        _index = index;
        _isPartial = node.Rules.Any(r => r.Kind is RuleKind.PartialObject or RuleKind.PartialSet);
        _isSet = node.Rules.All(r => r.Kind == RuleKind.PartialSet && r.DynamicPath.Length == 0);
        _sameConstant = rules.Length > 0 && rules[0].Constant is { } first && rules.All(r => first.Equals(r.Constant));
    }

    public Value? Evaluate(Evaluation e)
    {
        if (_isPartial || _node.Children.Count > 0)
        {
            var builder = new DocumentBuilder();
            Collect(e, builder);
            return builder.Build();
        }
        return Complete(e, null, "complete rules must not produce multiple outputs");
    }

    public Value? Call(Evaluation e, Value[] args) => Complete(e, args, "functions must not produce multiple outputs for same inputs");

    void Collect(Evaluation e, DocumentBuilder into)
    {
        if (_isPartial)
        {
            into.Define(_isSet);
            if (_index is null)
            {
                foreach (CompiledRule rule in _rules) rule.Collect(e, into);
            }
            else
            {
                List<CompiledRule> candidates = e.RentCandidates();
                _index.Find(e, null, candidates);
                foreach (CompiledRule rule in candidates) rule.Collect(e, into);
                e.ReturnCandidates(candidates);
            }
        }
        foreach (DocNode child in _node.Children.Values) CollectChild(e, child, into, []);
    }

    static void CollectChild(Evaluation e, DocNode node, DocumentBuilder into, Value[] path)
    {
        if (e.IsMasked(node) || node.IsFunction) return;
        Value[] here = [.. path, node.Key!];
        if (node.HasRules)
        {
            NodeRules rules = node.Compiled!;
            if (!rules._isPartial && node.Children.Count == 0)
            {
                if (e.Rule(node) is { } value) into.Add(here, value, false);
                return;
            }
            DocumentBuilder at = into;
            foreach (Value key in here) at = at.Branch(key);
            rules.Collect(e, at);
            return;
        }
        foreach (DocNode child in node.Children.Values) CollectChild(e, child, into, here);
    }

    Value? Complete(Evaluation e, Value[]? args, string conflict)
    {
        Value? result = null;
        if (_index is null)
        {
            foreach (CompiledRule rule in _rules)
                if (Merge(rule.Run(e, args), ref result, conflict)) break;
        }
        else
        {
            List<CompiledRule> candidates = e.RentCandidates();
            _index.Find(e, args, candidates);
            foreach (CompiledRule rule in candidates)
                if (Merge(rule.Run(e, args), ref result, conflict)) break;
            e.ReturnCandidates(candidates);
        }
        return result ?? _default?.Run(e, args);
    }

    bool Merge(Value? value, ref Value? result, string conflict)
    {
        if (value is null) return false;
        if (result is not null && !result.Equals(value)) throw new EvaluationException("eval_conflict_error", $"{_node}: {conflict}");
        result = value;
        return _sameConstant;
    }
}

sealed partial class Evaluation
{
    Stack<List<CompiledRule>>? _candidates;

    public List<CompiledRule> RentCandidates() => _candidates is not null && _candidates.TryPop(out List<CompiledRule>? list) ? list : [];

    public void ReturnCandidates(List<CompiledRule> list)
    {
        list.Clear();
        (_candidates ??= new()).Push(list);
    }
}
