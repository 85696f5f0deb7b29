using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>What a path needs of revocation lists.</summary>
public enum CrlDemand
{
    /// <summary>Every certificate below the anchor must be covered by a current list.</summary>
    Required = 0,

    /// <summary>Lists that are there must be sound and are obeyed; a certificate passes without one only if none here is of its issuer.</summary>
    WhereProvided,
}

/// <summary>Revocation lists to check a path against. Immutable.</summary>
public sealed class CrlStore
{
    CrlStore(CrlDemand demand, ImmutableArray<CertificateRevocationList> lists)
    {
        Demand = demand;
        Lists = lists;
    }

    public CrlDemand Demand { get; }

    /// <summary>The newest first: of two complete lists of one scope the older one must not speak for a certificate that the newer one names.</summary>
    public ImmutableArray<CertificateRevocationList> Lists { get; }

    public static CrlStore Create(CrlDemand demand, IEnumerable<CertificateRevocationList> lists) =>
        new(demand, [.. lists.OrderByDescending(list => list.ThisUpdate).ThenByDescending(list => list.Number)]);
}
