namespace Talos.Policy;

/// <summary>
/// Finds the rules whose ground equalities can hold: a tree that asks one expression at a time and branches on its value, so
/// that the cost does not grow with the rules that cannot match.
/// </summary>
sealed class RuleIndex
{
    // Below this, trying every rule costs no more than asking the index.
    const int MinRules = 4;

    readonly Expr? _expression;
    readonly int _arg = -1;
    readonly Dictionary<Value, RuleIndex>? _branches;
    readonly RuleIndex? _others;
    readonly CompiledRule[] _rules = [];

    RuleIndex(CompiledRule[] rules) => _rules = rules;

    RuleIndex(IndexKey key, Dictionary<Value, RuleIndex> branches, RuleIndex? others)
    {
        _expression = key.Path is null ? null : new InputPathExpr(key.Path);
        _arg = key.Arg;
        _branches = branches;
        _others = others;
    }

    /// <summary>What an equality tests: a path below input, or an argument.</summary>
    public sealed record IndexKey(Value[]? Path, int Arg, string Name);

    public static RuleIndex? Build(IReadOnlyList<(CompiledRule Rule, IReadOnlyList<(IndexKey Key, Value Value)> Tests)> rules) =>
        rules.Count < MinRules ? null : Divide(rules, []) is { _branches: not null } index ? index : null;

    static RuleIndex Divide(IReadOnlyList<(CompiledRule Rule, IReadOnlyList<(IndexKey Key, Value Value)> Tests)> rules, HashSet<string> asked)
    {
        if (rules.Count < MinRules) return new RuleIndex([.. rules.Select(r => r.Rule)]);
        IndexKey? best = rules.SelectMany(r => r.Tests).Where(t => !asked.Contains(t.Key.Name)).GroupBy(t => t.Key.Name, StringComparer.Ordinal)
            .OrderByDescending(g => g.Count()).ThenByDescending(g => g.Select(t => t.Value).Distinct().Count()).FirstOrDefault()?.First().Key;
        if (best is null) return new RuleIndex([.. rules.Select(r => r.Rule)]);
        var below = new HashSet<string>(asked, StringComparer.Ordinal) { best.Name };
        var groups = new Dictionary<Value, List<(CompiledRule, IReadOnlyList<(IndexKey, Value)>)>>();
        var others = new List<(CompiledRule, IReadOnlyList<(IndexKey, Value)>)>();
        foreach ((CompiledRule rule, IReadOnlyList<(IndexKey Key, Value Value)> tests) in rules)
        {
            Value? value = tests.Where(t => t.Key.Name == best.Name).Select(t => t.Value).FirstOrDefault();
            if (value is null) others.Add((rule, tests));
            else if (groups.TryGetValue(value, out List<(CompiledRule, IReadOnlyList<(IndexKey, Value)>)>? group)) group.Add((rule, tests));
            else groups.Add(value, [(rule, tests)]);
        }
        return new RuleIndex(best, groups.ToDictionary(g => g.Key, g => Divide(g.Value, below)), others.Count == 0 ? null : Divide(others, below));
    }

    public void Find(Evaluation e, Value[]? args, List<CompiledRule> into)
    {
        if (_branches is null)
        {
            into.AddRange(_rules);
            return;
        }
        Value? value = _expression is null ? args![_arg] : _expression.Eval(e.IndexFrame);
        if (value is not null && _branches.TryGetValue(value, out RuleIndex? branch)) branch.Find(e, args, into);
        _others?.Find(e, args, into);
    }
}

sealed partial class Evaluation
{
    Frame? _indexFrame;

    /// <summary>A frame without variables, for expressions that read documents only.</summary>
    public Frame IndexFrame => _indexFrame ??= new Frame(this, 0, 0);
}
