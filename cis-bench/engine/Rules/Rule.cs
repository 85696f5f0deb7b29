using Talos.Checks.Probes;

namespace Talos.Checks.Rules;

/// <summary>A demand on facts. Three-valued: what cannot be read is Unknown and decides nothing in a check's favour.</summary>
abstract record Rule
{
    public abstract Evidence Evaluate(FactStore facts);

    public abstract IEnumerable<FactRule> FactRules();
}

sealed record AnyRule(IReadOnlyList<Rule> Parts) : Rule
{
    public override Evidence Evaluate(FactStore facts)
    {
        var parts = Parts.Select(p => p.Evaluate(facts)).ToArray();
        if (Array.Find(parts, p => p.Verdict == Verdict.Pass) is { } pass) return Evidence.OfParts(EvidenceKind.Any, Verdict.Pass, pass.Sentence, parts);
        if (Array.Find(parts, p => p.Verdict == Verdict.Unknown) is { } unknown)
            return Evidence.OfParts(EvidenceKind.Any, Verdict.Unknown, unknown.Sentence, parts);
        return Evidence.OfParts(EvidenceKind.Any, Verdict.Fail, $"{parts[0].Sentence}; nor does an alternative hold", parts);
    }

    public override IEnumerable<FactRule> FactRules() => Parts.SelectMany(p => p.FactRules());

    public override string ToString() => $"any({string.Join("; ", Parts)})";
}

sealed record AllRule(IReadOnlyList<Rule> Parts) : Rule
{
    public override Evidence Evaluate(FactStore facts)
    {
        var parts = Parts.Select(p => p.Evaluate(facts)).ToArray();
        if (Array.Find(parts, p => p.Verdict == Verdict.Fail) is { } fail) return Evidence.OfParts(EvidenceKind.All, Verdict.Fail, fail.Sentence, parts);
        if (Array.Find(parts, p => p.Verdict == Verdict.Unknown) is { } unknown)
            return Evidence.OfParts(EvidenceKind.All, Verdict.Unknown, unknown.Sentence, parts);
        return Evidence.OfParts(EvidenceKind.All, Verdict.Pass, string.Join("; ", parts.Select(p => p.Sentence)), parts);
    }

    public override IEnumerable<FactRule> FactRules() => Parts.SelectMany(p => p.FactRules());

    public override string ToString() => $"all({string.Join("; ", Parts)})";
}

sealed record NotRule(Rule Part) : Rule
{
    public override Evidence Evaluate(FactStore facts)
    {
        var part = Part.Evaluate(facts);
        var verdict = part.Verdict switch
        {
            Verdict.Pass => Verdict.Fail,
            Verdict.Fail => Verdict.Pass,
            _ => Verdict.Unknown,
        };
        return Evidence.OfParts(EvidenceKind.Not, verdict, part.Sentence, [part]);
    }

    public override IEnumerable<FactRule> FactRules() => Part.FactRules();

    public override string ToString() => $"not({Part})";
}
