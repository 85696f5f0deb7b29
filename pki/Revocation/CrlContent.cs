using System.Numerics;

namespace Talos.Pki;

/// <summary>What a revocation list is to say.</summary>
public sealed record CrlContent
{
    /// <summary>Grows with every list of the same shard; complete lists and deltas share it (RFC 5280 §5.2.3).</summary>
    public required BigInteger Number { get; init; }

    /// <summary>For a delta, the number of the complete list that it adds to; null for a complete list.</summary>
    public BigInteger? DeltaBase { get; init; }

    /// <summary>The shard, when the authority's lists are sharded.</summary>
    public int Shard { get; init; }

    public required IReadOnlyCollection<CrlEntry> Entries { get; init; }

    /// <summary>Until when the next list will be there.</summary>
    public required TimeSpan Life { get; init; }
}
