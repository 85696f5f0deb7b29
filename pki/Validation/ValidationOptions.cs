using System.Collections.Immutable;
using System.Net;

namespace Talos.Pki;

/// <summary>What the peer does with its certificate.</summary>
public enum ValidationPurpose
{
    /// <summary>Not said; refused.</summary>
    Unspecified = 0,

    /// <summary>The peer calls us: it needs clientAuth.</summary>
    Client,

    /// <summary>We call the peer: it needs serverAuth.</summary>
    Server,

    /// <summary>Key purposes are not looked at; for reports and conformance suites.</summary>
    Any,

    /// <summary>The peer signs or reads mail: it needs emailProtection, and nothing that the S/MIME baseline requirements keep apart from it.</summary>
    Email,
}

/// <summary>Whether the leaf must carry an identity of the fleet.</summary>
public enum IdentityDemand
{
    Required = 0,
    NotRequired,
}

/// <summary>A name by which we reached the peer.</summary>
public sealed record ExpectedName
{
    ExpectedName(NameKinds kind, string value)
    {
        Kind = kind;
        Value = value;
    }

    public NameKinds Kind { get; }

    public string Value { get; }

    public static ExpectedName Dns(string name) => new(NameKinds.Dns, name);

    public static ExpectedName Address(IPAddress address) => new(NameKinds.Address, address.ToString());

    public static ExpectedName Email(string mailbox) => new(NameKinds.Email, mailbox);

    /// <summary>An address when the text is one, a DNS name otherwise.</summary>
    public static ExpectedName Host(string host) => IPAddress.TryParse(host, out IPAddress? address) ? Address(address) : Dns(host);

    public override string ToString() => Value;
}

/// <summary>Whether one certificate is still good.</summary>
public enum RevocationStatus
{
    /// <summary>Nobody knows; refused.</summary>
    Unknown = 0,
    Good,
    Revoked,
}

/// <summary>Answers from memory for each certificate of a path below the trust anchor.</summary>
public delegate RevocationStatus RevocationLookup(Certificate certificate, Certificate issuer);

/// <summary>One validation's question.</summary>
public sealed record ValidationOptions
{
    /// <summary>The moment for which to judge; from a <see cref="TimeProvider"/>.</summary>
    public required DateTimeOffset Time { get; init; }

    public required ValidationPurpose Purpose { get; init; }

    public ValidationPolicy Policy { get; init; } = ValidationPolicy.Fleet;

    public IdentityDemand Identity { get; init; } = IdentityDemand.Required;

    /// <summary>Kinds of peers that are welcome; empty for every kind. Needs an identity.</summary>
    public ImmutableArray<PeerKind> ExpectedKinds { get; init; } = [];

    /// <summary>The trust domain that the peer must belong to; null for any. Needs an identity.</summary>
    public string? ExpectedCluster { get; init; }

    /// <summary>The name that the leaf must hold; null for none.</summary>
    public ExpectedName? ExpectedName { get; init; }

    /// <summary>Asked for each certificate below the anchor; null when revocation is checked elsewhere.</summary>
    public RevocationLookup? Revocation { get; init; }

    /// <summary>Lists to check against; see <see cref="CrlDemand"/>.</summary>
    public CrlStore? Crls { get; init; }

    /// <summary>Lists whose signers are being validated, this path's leaf the last of them; empty for a peer.</summary>
    internal ImmutableHashSet<CertificateRevocationList> ListsInQuestion { get; init; } = [];

    /// <summary>
    /// Whether a domain is a public suffix. Under <see cref="ValidationPolicy.Web"/> a wildcard directly below one is refused,
    /// and every wildcard is when this is null.
    /// </summary>
    public Func<string, bool>? IsPublicSuffix { get; init; }

    // LIMIT: intermediates between leaf and anchor; the fleet has at most two.
    /// <summary>Most intermediates between leaf and anchor.</summary>
    public int MaximumIntermediates { get; init; } = 8;

    /// <summary>RFC 5280 §6.1.1(c): acceptable policies; empty for any.</summary>
    public ImmutableArray<string> InitialPolicies { get; init; } = [];

    /// <summary>RFC 5280 §6.1.1(f).</summary>
    public bool RequireExplicitPolicy { get; init; }

    /// <summary>RFC 5280 §6.1.1(e).</summary>
    public bool InhibitPolicyMapping { get; init; }

    /// <summary>RFC 5280 §6.1.1(g).</summary>
    public bool InhibitAnyPolicy { get; init; }
}
