using Talos.Checks.Probes;

namespace Talos.Checks;

/// <param name="Level">1, or 2 for checks of level 1 and 2.</param>
/// <param name="Selected">Further choice by the caller; null takes every check.</param>
public sealed record ScanOptions(int Level = 2, Func<Check, bool>? Selected = null);

/// <summary>Evaluates catalogues against a target. Reads only; keeps nothing between scans.</summary>
public static class ComplianceScan
{
    /// <summary>
    /// Every check that can be asked of the target, in the order of the catalogues. A check whose probe fails is Unknown; no check is left out
    /// because of what was read.
    /// </summary>
    public static ComplianceReport Run(IReadOnlyList<CheckCatalogue> catalogues, ProbeRoot root, TimeProvider time, ScanOptions? options = null)
    {
        options ??= new();
        var facts = new FactStore(root, time);
        var started = time.GetTimestamp();
        var results = new List<CheckResult>();
        foreach (var catalogue in catalogues)
            foreach (var check in catalogue.Checks)
            {
                if ((check.Targets & root.Target) == 0 || check.Level > options.Level) continue;
                if (options.Selected?.Invoke(check) == false) continue;
                results.Add(Evaluate(check, facts));
            }
        return new(root.Name, root.Target, time.GetUtcNow(), time.GetElapsedTime(started), facts.Summary(), catalogues, results);
    }

    static CheckResult Evaluate(Check check, FactStore facts)
    {
        if (check.Architectures.Count > 0 && JudgeArchitecture(check, facts) is { } other) return other;
        if (check.Condition?.Evaluate(facts) is { Verdict: not Verdict.Pass } condition)
        {
            return condition.Verdict == Verdict.Fail
                ? new(check, Verdict.NotApplicable, $"does not apply: {condition.Sentence}", condition)
                : new(check, Verdict.Unknown, $"whether it applies cannot be told: {condition.Sentence}", condition);
        }
        if (check.Rule is null) return new(check, Verdict.Manual, check.Manual!, null);
        var evidence = check.Rule.Evaluate(facts);
        return new(check, evidence.Verdict, evidence.Sentence, evidence);
    }

    static CheckResult? JudgeArchitecture(Check check, FactStore facts)
    {
        var running = facts.Architecture(out var source, out var reason);
        if (running is not null && check.Architectures.Contains(running)) return null;
        var wanted = string.Join(",", check.Architectures);
        var verdict = running is null ? Verdict.Unknown : Verdict.NotApplicable;
        var sentence = running is null
            ? $"whether it applies cannot be told: {reason}"
            : $"does not apply: the kernel is built for {running}, the check is for {string.Join(", ", check.Architectures)}";
        var evidence = new Evidence(EvidenceKind.Fact, running is null ? Verdict.Unknown : Verdict.Fail, "kernel", "arch", "in", wanted, running, source, sentence, []);
        return new(check, verdict, sentence, evidence);
    }
}
