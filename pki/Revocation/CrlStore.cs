namespace Talos.Pki;

/// <summary>What a path needs of revocation lists.</summary>
public enum CrlDemand
{
    /// <summary>Every certificate below the anchor must be covered by a current list.</summary>
    Required = 0,

    /// <summary>Lists that are there must be sound and are obeyed; a certificate without one passes.</summary>
    WhereProvided,
}

/// <summary>Revocation lists to check a path against.</summary>
public sealed class CrlStore
{
    internal CrlStore(CrlDemand demand) => Demand = demand;

    public CrlDemand Demand { get; }
}
