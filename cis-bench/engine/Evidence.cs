namespace Talos.Checks;

public enum EvidenceKind
{
    /// <summary>One fact held against one expectation.</summary>
    Fact = 0,

    /// <summary>Passes when one part passes.</summary>
    Any,

    /// <summary>Passes when every part passes.</summary>
    All,

    /// <summary>Passes when its part fails.</summary>
    Not,
}

/// <summary>
/// What was read for a rule and what it says: a tree of the rule's shape. Each part was evaluated, also where an earlier one had decided.
/// </summary>
/// <param name="Verdict">Pass, Fail or Unknown.</param>
/// <param name="Probe">The kind of fact: `sysctl`, `mode`, …; empty for any, all and not.</param>
/// <param name="Subject">What was asked about: an option, a path. </param>
/// <param name="Operator">How the fact was held against the operand: `is`, `at-most`, …</param>
/// <param name="Operand">The value demanded; for `is-value-of` the value found at the other place.</param>
/// <param name="Observed">The value read; null when nothing is there or it could not be read.</param>
/// <param name="Source">Where it was read: a path, with the line where that helps.</param>
/// <param name="Sentence">The finding in words.</param>
public sealed record Evidence(
    EvidenceKind Kind,
    Verdict Verdict,
    string Probe,
    string Subject,
    string Operator,
    string Operand,
    string? Observed,
    string Source,
    string Sentence,
    IReadOnlyList<Evidence> Parts)
{
    internal static Evidence OfParts(EvidenceKind kind, Verdict verdict, string sentence, IReadOnlyList<Evidence> parts) =>
        new(kind, verdict, "", "", "", "", null, "", sentence, parts);

    /// <summary>The facts of the tree, in the order of the rule.</summary>
    public IEnumerable<Evidence> Facts() => Kind == EvidenceKind.Fact ? [this] : Parts.SelectMany(p => p.Facts());
}
