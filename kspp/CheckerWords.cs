using Talos.Checks;

namespace Talos.Kspp;

/// <summary>
/// Says a finding in the words of kernel-hardening-checker, so that its users, and their scripts, read ours the same way. The words follow
/// from the facts alone; a fact that could not be read counts as not found, as it does there.
/// </summary>
static class CheckerWords
{
    public static string Name(Evidence fact) => fact.Probe == "kconfig" ? $"CONFIG_{fact.Subject}" : fact.Subject;

    public static string Wanted(Evidence fact) => fact.Operator switch
    {
        "is-not-set" => "is not set",
        "present" => "is present",
        "not-off" => "is not off",
        "has" => $"*{fact.Operand}*",
        _ => fact.Operand,
    };

    public static string Of(Evidence evidence) => evidence.Kind switch
    {
        EvidenceKind.Fact => evidence.Probe == "kernel-version" ? OfVersion(evidence) : OfFact(evidence),
        EvidenceKind.Any => OfAny(evidence),
        EvidenceKind.All => OfAll(evidence),
        EvidenceKind.Not => throw new InvalidOperationException("the catalogue has no negated rule"),
        _ => throw new InvalidOperationException($"evidence of kind {evidence.Kind}"),
    };

    static string OfFact(Evidence fact) => (fact.Operator, fact.Observed) switch
    {
        ("has", null) => "FAIL: is not found",
        ("has", var value) => value.Trim('"').Split(',').Contains(fact.Operand) ? $"OK: in {value}" : $"FAIL: not in {value}",
        ("present", null) => "FAIL: is not present",
        ("present", _) => "OK: is present",
        ("not-off", null) => "FAIL: is off, not found",
        ("not-off", "off") => "FAIL: is off",
        ("not-off", "0" or "is not set") => $"FAIL: is off, \"{fact.Observed}\"",
        ("not-off", var value) => $"OK: is not off, \"{value}\"",
        ("is-not-set", null) => "OK: is not found",
        (_, null) => "FAIL: is not found",
        (_, var value) => value == Wanted(fact) ? "OK" : $"FAIL: \"{value}\"",
    };

    static string OfVersion(Evidence fact)
    {
        var numbers = $"({string.Join(", ", fact.Operand.Split('.'))})";
        return fact.Verdict == Verdict.Pass ? $"OK: version >= {numbers}" : $"FAIL: version < {numbers}";
    }

    // The first alternative that holds decides; one that is not the setting itself is named.
    static string OfAny(Evidence any)
    {
        for (var i = 0; i < any.Parts.Count; i++)
        {
            var text = Of(any.Parts[i]);
            if (!text.StartsWith("OK", StringComparison.Ordinal)) continue;
            if (i == 0 || text.StartsWith("OK: version", StringComparison.Ordinal) && any.Parts[i].Probe == "kernel-version") return text;
            var fact = any.Parts[i].Facts().First();
            if (text == "OK") return $"OK: {Name(fact)} is \"{Wanted(fact)}\"";
            if (text.StartsWith("OK: in ", StringComparison.Ordinal)) return $"OK: \"{fact.Operand}\" is in {Name(fact)}";
            if (text == "OK: is not found") return $"OK: {Name(fact)} is not found";
            return text == "OK: is present" ? $"OK: {Name(fact)} is present" : $"OK: {Name(fact)} is not off";
        }
        return Of(any.Parts[0]);
    }

    // The conditions are looked at from the last to the first; the first part is the setting itself and speaks for itself.
    static string OfAll(Evidence all)
    {
        for (var i = all.Parts.Count - 1; i > 0; i--)
        {
            var text = Of(all.Parts[i]);
            if (text.StartsWith("OK", StringComparison.Ordinal)) continue;
            if (all.Parts[i].Probe == "kernel-version") return text;
            var fact = all.Parts[i].Facts().First();
            if (text == "FAIL: is not found" || text.StartsWith("FAIL: \"", StringComparison.Ordinal)) return $"FAIL: {Name(fact)} is not \"{Wanted(fact)}\"";
            if (text.StartsWith("FAIL: not in ", StringComparison.Ordinal)) return $"FAIL: \"{fact.Operand}\" is not in {Name(fact)}";
            if (text == "FAIL: is not present") return $"FAIL: {Name(fact)} is not present";
            return text == "FAIL: is off, not found" ? $"FAIL: {Name(fact)} is off, not found" : $"FAIL: {Name(fact)} is off";
        }
        return Of(all.Parts[0]);
    }
}
