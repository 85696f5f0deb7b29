using Talos.Checks.Rules;

namespace Talos.Checks;

/// <summary>
/// One check of a catalogue: what is demanded, why, on whose word, and how it is decided. Data only; <see cref="ComplianceScan"/> evaluates it.
/// </summary>
public sealed record Check
{
    internal Check() { }

    /// <summary>Unique in its catalogue and stable: waivers and reports name it.</summary>
    public required string Id { get; init; }

    public required string Catalogue { get; init; }

    public required string SectionId { get; init; }

    public required string SectionTitle { get; init; }

    public required string Title { get; init; }

    /// <summary>1: every machine. 2: machines that accept a cost for more protection.</summary>
    public required int Level { get; init; }

    /// <summary>Who recommends the value: `kspp`, `defconfig`, `cis`, …</summary>
    public required string Authority { get; init; }

    /// <summary>The document and clause that the demand comes from.</summary>
    public required string Citation { get; init; }

    public required string Rationale { get; init; }

    public required string Remediation { get; init; }

    public required ScanTargets Targets { get; init; }

    /// <summary>Kernel architectures that the check is for; empty means every one.</summary>
    public required IReadOnlyList<string> Architectures { get; init; }

    /// <summary>What a person must look at, where no machine can decide; else null.</summary>
    public string? Manual { get; init; }

    /// <summary>The rule as its author wrote it, on one line.</summary>
    public string RuleText { get => field ?? Rule?.ToString() ?? ""; internal init; }

    /// <summary>The condition under which the check applies, on one line; empty when it always does.</summary>
    public string ConditionText => Condition?.ToString() ?? "";

    /// <summary>Whether it has every file of the target looked at: cheap for an image, not for a machine with a large disk.</summary>
    public bool WalksTree => (Rule?.FactRules() ?? []).Concat(Condition?.FactRules() ?? []).Any(f => f.Probe.Name == "tree");

    internal Rule? Rule { get; init; }

    internal Rule? Condition { get; init; }

    internal int Line { get; init; }
}
