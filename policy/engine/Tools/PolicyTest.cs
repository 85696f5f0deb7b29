namespace Talos.Policy;

public enum PolicyTestOutcome
{
    Error = 0,
    Failed,
    Skipped,
    Passed,
}

/// <summary>What one <c>test_</c> rule did.</summary>
public sealed record PolicyTestResult(string Name, string File, int Line, PolicyTestOutcome Outcome, string Detail);

/// <summary>Which lines with expressions ran, of one file.</summary>
public sealed record PolicyCoverage(string File, int Covered, IReadOnlyList<int> NotCovered)
{
    public double Percent => Covered + NotCovered.Count == 0 ? 100 : 100.0 * Covered / (Covered + NotCovered.Count);
}

/// <summary>All results of one run.</summary>
public sealed record PolicyTestReport(IReadOnlyList<PolicyTestResult> Results, IReadOnlyList<PolicyCoverage> Coverage)
{
    public bool IsSuccess => Results.Count > 0 && Results.All(r => r.Outcome is PolicyTestOutcome.Passed or PolicyTestOutcome.Skipped);
}

/// <summary>Runs the rules named <c>test_…</c> of a bundle's <c>_test.rego</c> files; <c>todo_test_…</c> are skipped.</summary>
public static class PolicyTest
{
    /// <exception cref="PolicyException">The bundle does not load or compile.</exception>
    public static PolicyTestReport Run(string directoryOrTarGz)
    {
        IReadOnlyList<BundleFile> files = BundleReader.Read(directoryOrTarGz);
        var errors = new List<PolicyError>();
        Program? program = Compiler.Compile(BundleContent.Modules(files, true), BundleContent.Data(files, errors), errors, withCoverage: true);
        if (program is null || errors.Count > 0) throw new PolicyException(errors);
        var coverage = new Coverage();
        var options = new EvaluationOptions { Limits = EvaluationLimits.Offline, Coverage = coverage };
        var results = new List<PolicyTestResult>();
        foreach (DocNode node in program.Root.Subtree)
        {
            if (!node.HasRules || node.IsFunction || node.Key is not StringValue { Text: var name }) continue;
            if (name.StartsWith("todo_test_", StringComparison.Ordinal)) results.Add(Result(node, PolicyTestOutcome.Skipped, ""));
            else if (name.StartsWith("test_", StringComparison.Ordinal)) results.Add(RunOne(program, node, options));
        }
        return new PolicyTestReport(results, [.. program.Modules.Where(m => !m.Source.File.EndsWith("_test.rego", StringComparison.Ordinal)).Select(m => Measure(m, coverage))]);
    }

    static PolicyTestResult Result(DocNode node, PolicyTestOutcome outcome, string detail)
    {
        Position at = node.Rules[0].Syntax.At;
        return new PolicyTestResult(node.ToString(), at.Source.File, at.Line, outcome, detail);
    }

    static PolicyTestResult RunOne(Program program, DocNode node, EvaluationOptions options)
    {
        try
        {
            Value? value = new Evaluation(program, null, options).Rule(node);
            return Result(node, value == BooleanValue.True ? PolicyTestOutcome.Passed : PolicyTestOutcome.Failed, value?.ToString() ?? "undefined");
        }
        catch (EvaluationException e)
        {
            return Result(node, PolicyTestOutcome.Error, $"{e.Code}: {e.Message}");
        }
    }

    static PolicyCoverage Measure(ModuleSyntax module, Coverage coverage)
    {
        var positions = new Dictionary<int, bool>();
        void Visit(Literal[] body)
        {
            foreach (Literal literal in body)
            {
                if (literal is not SomeLiteral { Member: null } && literal is not TermLiteral { Term: ConstantTerm })
                    positions[literal.At.Line] = positions.GetValueOrDefault(literal.At.Line) || coverage.IsCovered(literal.At);
                if (literal is EveryLiteral every) Visit(every.Body);
                if (literal is LogicalLiteral logical)
                    foreach (LogicalOperand operand in logical.Operands) Visit(operand.Body);
            }
        }
        foreach (RuleNodeSyntax rule in module.Rules)
            for (RuleNodeSyntax? part = rule; part is not null; part = part.Else) Visit(part.Body);
        return new PolicyCoverage(module.Source.File, positions.Count(p => p.Value), [.. positions.Where(p => !p.Value).Select(p => p.Key).Order()]);
    }
}
