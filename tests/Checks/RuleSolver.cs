using Talos.Checks;
using Talos.Checks.Probes;
using Talos.Checks.Rules;

namespace Talos.Checks.Tests;

/// <summary>Finds facts under which a rule has a wanted verdict. Fails the test when there are none: such a check could never pass, or never fail.</summary>
static class RuleSolver
{
    public static FactStore Unreadable(Rule rule) => StoreOf(Keys(rule).ToDictionary(k => k, _ => Reading.Unreadable("test", "the test hides it")));

    public static FactStore Solve(Rule rule, Verdict wanted)
    {
        var keys = Keys(rule).ToArray();
        var candidates = keys.ToDictionary(k => k, k => CandidatesOf(rule, k).ToArray());
        var random = new Random(1);
        // Coordinate search: start somewhere, change one fact at a time. Rules have at most a dozen facts with a handful of values each.
        for (var attempt = 0; attempt < 100; attempt++)
        {
            var chosen = keys.ToDictionary(k => k, k => attempt == 0 ? Straight(rule, k, candidates[k], wanted) : candidates[k][random.Next(candidates[k].Length)]);
            for (var round = 0; round < 3; round++)
                foreach (var key in keys)
                    foreach (var candidate in candidates[key])
                    {
                        if (rule.Evaluate(StoreOf(chosen)).Verdict == wanted) return StoreOf(chosen);
                        chosen[key] = candidate;
                        if (rule.Evaluate(StoreOf(chosen)).Verdict == wanted) return StoreOf(chosen);
                    }
        }
        throw new InvalidOperationException($"no facts make `{rule}` {wanted}");
    }

    // The value that gives the wanted verdict to the first fact that is asked for it: right at once for most rules.
    static Reading Straight(Rule rule, Key key, Reading[] candidates, Verdict wanted)
    {
        var fact = rule.FactRules().FirstOrDefault(f => KeyOf(f) == key);
        return candidates.FirstOrDefault(c => fact?.Other is null && fact?.Evaluate(StoreOf(new() { [key] = c })).Verdict == wanted) ?? candidates[0];
    }

    readonly record struct Key(ProbeDefinition Probe, string Arguments);

    static Key KeyOf(FactRule fact) => new(fact.Probe, string.Join('\n', fact.Arguments));

    static IEnumerable<Key> Keys(Rule rule) =>
        rule.FactRules().SelectMany(f => f.Other is null ? [KeyOf(f)] : new[] { KeyOf(f), new Key(f.Other.Probe, string.Join('\n', f.Other.Arguments)) }).Distinct();

    static IEnumerable<Reading> CandidatesOf(Rule rule, Key key)
    {
        var items = rule.FactRules().Where(f => KeyOf(f) == key && f is { Probe.Shape: ValueShape.Text, Expectation.Operator: Operator.Has }).ToArray();
        if (items.Length > 1) yield return Reading.Of(string.Join(',', items.Select(i => i.Expectation.Operand)), "test");
        foreach (var fact in rule.FactRules().Where(f => KeyOf(f) == key))
        {
            foreach (var reading in SatisfyingOf(fact)) yield return reading;
            foreach (var reading in ViolatingOf(fact)) yield return reading;
        }
        yield return Reading.Of("32", "test");
    }

    static IEnumerable<Reading> SatisfyingOf(FactRule fact)
    {
        var operand = fact.Expectation.Operand;
        if (fact.Probe.Shape == ValueShape.Items)
            return fact.Expectation.Operator == Operator.Has ? [Reading.Of([new Fact(operand.Replace("*", "x"), "test")], "test")] : [Reading.Of([], "test")];
        string[] values = fact.Expectation.Operator switch
        {
            Operator.IsNot or Operator.NotIn or Operator.Lacks => ["something"],
            Operator.In or Operator.Within => [operand.Split(',')[0]],
            Operator.Matches => ["1", "10", "0000", "127.0.0.1", "/dev/dm-0", "verity", "aescbc", "", "-1"],
            Operator.MatchesNot => ["core", "0 x linear"],
            Operator.Present => ["x"],
            Operator.NotSet => ["is not set"],
            Operator.NotOff => ["on"],
            Operator.IsTrue => ["true"],
            Operator.IsFalse => ["false"],
            Operator.IsValueOf => ["32"],
            Operator.Absent => [],
            _ => [operand],
        };
        return [.. values.Select(v => Reading.Of(v, "test")), .. fact.Expectation.AbsentVerdict == Verdict.Pass ? new[] { Reading.Absent("test") } : []];
    }

    static IEnumerable<Reading> ViolatingOf(FactRule fact)
    {
        var operand = fact.Expectation.Operand;
        if (fact.Probe.Shape == ValueShape.Items)
            return [fact.Expectation.Operator switch
            {
                Operator.Has => Reading.Of([], "test"),
                Operator.Lacks => Reading.Of([new Fact(operand.Replace("*", "x"), "test")], "test"),
                _ => Reading.Of([new Fact("/intruder", "test")], "test"),
            }];
        string[] values = (fact.Expectation.Operator, fact.Probe.Shape) switch
        {
            (_, ValueShape.Mode) => ["07777"],
            (_, ValueShape.Version) => ["2.6.0"],
            (Operator.IsNot, _) => [operand],
            (Operator.NotIn or Operator.Lacks, _) => [operand.Split(',')[0]],
            (Operator.MatchesNot, _) => ["|/bin/x", "ignore_corruption"],
            (Operator.AtLeast, _) => ["-9"],
            (Operator.AtMost, _) => ["999999"],
            (Operator.NotOff, _) => ["off"],
            (Operator.IsTrue, _) => ["false"],
            (Operator.IsFalse, _) => ["true"],
            (Operator.NotSet, _) => ["y"],
            (Operator.Present, _) => [],
            _ => ["wrong"],
        };
        return [.. values.Select(v => Reading.Of(v, "test")), .. fact.Expectation.AbsentVerdict == Verdict.Fail ? new[] { Reading.Absent("test") } : []];
    }

    static FactStore StoreOf(Dictionary<Key, Reading> readings)
    {
        var store = new FactStore(ProbeRoot.Node("/nonexistent"), TimeProvider.System);
        foreach (var (key, reading) in readings) store.Preset(key.Probe, key.Arguments.Split('\n'), reading);
        return store;
    }
}
