namespace Talos.Pki;

/// <summary>A refusal: its reason and one sentence for people (lower case, no full stop, input in backticks).</summary>
public sealed record PkiFailure(PkiReason Reason, string Message)
{
    /// <summary>Offset in the DER document (or in the PEM text), where the fault has one.</summary>
    public int? Position { get; init; }

    /// <summary>What to do about it, where something can be done.</summary>
    public string? Hint { get; init; }

    public override string ToString() => Position is { } at ? $"{Message} (at octet {at})" : Message;
}
