namespace Talos.Policy;

/// <summary>One rule that had a value on the way to a decision.</summary>
public sealed record RuleTrace(string Rule, string File, int Line, string Value);

/// <summary>One value of the input that the decision depends on.</summary>
public sealed record InputRead(string Path, string Value);

/// <summary>A decision, the rules that held, and the values that were read.</summary>
public sealed record Explanation(Decision Decision, IReadOnlyList<RuleTrace> Rules, IReadOnlyList<InputRead> Reads)
{
    internal static Explanation Make(Ruleset rules, AuthorizationInput input)
    {
        var trace = new List<(RuleDefinition Rule, Position At, Value Value)>();
        var reads = new List<(string Path, Value? Value)>();
        Decision decision = rules.Evaluate(input, rules.Options with { Trace = trace }, reads, out _);
        return new Explanation(decision,
            [.. trace.Select(t => new RuleTrace(t.Rule.Node!.ToString(), t.At.Source.File, t.At.Line, t.Value.ToString()))],
            [.. reads.DistinctBy(r => r.Path).Select(r => new InputRead(r.Path, r.Value?.ToString() ?? "undefined"))]);
    }
}
