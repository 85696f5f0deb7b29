using Talos.Checks.Probes;

namespace Talos.Checks.Rules;

/// <summary>The other place that a value is compared with: `is-value-of kconfig ARCH_MMAP_RND_BITS_MAX`.</summary>
sealed record OtherValue(ProbeDefinition Probe, IReadOnlyList<string> Arguments);

/// <summary>One fact held against one expectation: `sysctl net.ipv4.tcp_syncookies is 1`.</summary>
sealed record FactRule(ProbeDefinition Probe, IReadOnlyList<string> Arguments, Expectation Expectation, OtherValue? Other) : Rule
{
    // LIMIT: evidence is for reading; a hundred offending files are told by the first eight and a count.
    const int MaxShownFacts = 8;

    public override Evidence Evaluate(FactStore facts)
    {
        var expectation = Expectation;
        if (Other is not null)
        {
            var other = facts.Read(Other.Probe, Other.Arguments);
            if (other.State != ReadingState.Present || other.Facts is not [{ Value.Length: > 0 }])
            {
                var verdict = other.State == ReadingState.Unreadable ? Verdict.Unknown : Verdict.Fail;
                return Finding(verdict, facts.Read(Probe, Arguments), "", $"there is no {Named(Other.Probe, Other.Arguments)} to compare with");
            }
            expectation = new(Operator.Is, other.Facts[0].Value);
        }
        var reading = facts.Read(Probe, Arguments);
        return reading.State switch
        {
            ReadingState.Present => Judge(expectation, reading),
            ReadingState.Absent => Finding(
                expectation.AbsentVerdict, reading, expectation.Operand, $"{Named(Probe, Arguments)} is not found"),
            _ => Finding(Verdict.Unknown, reading, expectation.Operand, $"{Named(Probe, Arguments)} cannot be read: {reading.Reason}"),
        };
    }

    public override IEnumerable<FactRule> FactRules() => [this];

    public override string ToString() => Other is null
        ? $"{Named(Probe, Arguments)} {Expectation}"
        : $"{Named(Probe, Arguments)} {Operators.Text(Operator.IsValueOf)} {Named(Other.Probe, Other.Arguments)}";

    Evidence Judge(Expectation expectation, Reading reading)
    {
        if (Probe.Shape == ValueShape.Items) return JudgeItems(expectation, reading);
        foreach (var fact in reading.Facts)
        {
            var verdict = expectation.Judge(fact.Value, Probe.Shape, out var trouble);
            if (verdict == Verdict.Pass) continue;
            if (Probe.Shape == ValueShape.Presence) return Finding(verdict, reading, "", $"{Named(Probe, Arguments)} is there ({Shown(reading)})", fact);
            var where = reading.Facts.Count > 1 ? $" at {fact.Source}" : "";
            return Finding(verdict, reading, expectation.Operand, $"{Named(Probe, Arguments)} is `{fact.Value}`{where}{trouble}", fact);
        }
        return Finding(Verdict.Pass, reading, expectation.Operand, $"{Named(Probe, Arguments)} is {Shown(reading)}");
    }

    Evidence JudgeItems(Expectation expectation, Reading reading)
    {
        var offending = expectation.OffendingItems(reading.Facts, out var missing);
        var name = Named(Probe, Arguments);
        if (missing) return Finding(Verdict.Fail, reading, expectation.Operand, $"{name} lacks `{expectation.Operand}`");
        return offending.Count == 0
            ? Finding(Verdict.Pass, reading, expectation.Operand, reading.Facts.Count == 0 ? $"{name}: none" : $"{name}: {Shown(reading)}")
            : Finding(Verdict.Fail, reading, expectation.Operand, $"{name}: {Shown(Reading.Of(offending, reading.Source))}", offending[0]);
    }

    Evidence Finding(Verdict verdict, Reading reading, string operand, string sentence, Fact? culprit = null) => new(
        EvidenceKind.Fact, verdict, Probe.Name, string.Join(' ', Arguments), Operators.Text(Other is null ? Expectation.Operator : Operator.IsValueOf),
        operand, reading.State == ReadingState.Present ? culprit?.Value ?? Raw(reading) : null,
        culprit?.Source ?? (reading.Facts.Count > 0 ? reading.Facts[0].Source : reading.Source), sentence, []);

    static string Raw(Reading reading) => reading.Facts is [var only] ? only.Value : Shown(reading, "");

    static string Shown(Reading reading, string quote = "`")
    {
        var shown = string.Join(", ", reading.Facts.Take(MaxShownFacts).Select(f => $"{quote}{f.Value}{quote}").Distinct());
        return reading.Facts.Count > MaxShownFacts ? $"{shown} and {reading.Facts.Count - MaxShownFacts} more" : shown;
    }

    static string Named(ProbeDefinition probe, IReadOnlyList<string> arguments) =>
        arguments.Count == 0 ? probe.Name : $"{probe.Name} {string.Join(' ', arguments.Select(RuleText.Quote))}";
}
