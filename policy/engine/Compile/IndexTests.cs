namespace Talos.Policy;

/// <summary>Finds the equalities of a rule that an index can decide: input or an argument against a constant.</summary>
static class IndexTests
{
    public static IReadOnlyList<(RuleIndex.IndexKey Key, Value Value)> Find(RuleDefinition definition)
    {
        // With `else`, a first part that fails still leaves the next.
        if (definition.Syntax.Else is not null) return [];
        var tests = new List<(RuleIndex.IndexKey, Value)>();
        var args = new Dictionary<string, int>(StringComparer.Ordinal);
        Term[] head = definition.Syntax.Head.Args ?? [];
        for (int i = 0; i < head.Length; i++)
        {
            if (head[i] is VarTerm v) args.TryAdd(v.Name, i);
            else if (head[i] is ConstantTerm c) tests.Add((new(null, i, $"#{i}"), c.Value));
        }
        foreach (Literal literal in definition.Syntax.Body)
        {
            if (literal is not TermLiteral { Negated: false, Withs.Length: 0, Term: CallTerm { Name: "eq" or "equal", Args.Length: 2, IsInfix: true } call }) continue;
            Add(call.Args[0], call.Args[1], args, tests);
            Add(call.Args[1], call.Args[0], args, tests);
        }
        return tests;
    }

    static void Add(Term left, Term right, Dictionary<string, int> args, List<(RuleIndex.IndexKey, Value)> tests)
    {
        if (right is not ConstantTerm { Value: var value }) return;
        switch (left)
        {
            case VarTerm v when args.TryGetValue(v.Name, out int arg):
                tests.Add((new(null, arg, $"#{arg}"), value));
                break;
            case RefTerm r when r.HeadIs("input") && r.Path.Length > 0 && r.Path.All(p => p is ConstantTerm):
                Value[] path = [.. r.Path.Select(p => ((ConstantTerm)p).Value)];
                tests.Add((new(path, -1, ValueText.Reference("input", path)), value));
                break;
        }
    }
}
