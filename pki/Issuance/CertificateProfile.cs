using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Talos.Pki;

/// <summary>
/// What certificates of one kind look like: everything about them that is not a name or a key. A profile is data; it can
/// be narrowed with <c>with</c>, and lint holds the result to the standards.
/// </summary>
public sealed record CertificateProfile
{
    // Every node's OpenSSL has ML-DSA; a trustd elsewhere could neither verify the request nor check the peer.
    static readonly ImmutableArray<KeyAlgorithm> s_peerKeys =
    [
        KeyAlgorithm.EcdsaP256, KeyAlgorithm.EcdsaP384, KeyAlgorithm.Ed25519, KeyAlgorithm.Rsa,
        .. MLDsa.IsSupported ? (ReadOnlySpan<KeyAlgorithm>)[KeyAlgorithm.MlDsa44, KeyAlgorithm.MlDsa65, KeyAlgorithm.MlDsa87] : [],
    ];

    CertificateProfile()
    {
    }

    /// <summary>Name on the record: <c>node</c>, <c>user</c> …</summary>
    public required string Id { get; init; }

    /// <summary>Kind of identity; <see cref="PeerKind.Unknown"/> for authorities, which are no peers.</summary>
    public required PeerKind Kind { get; init; }

    /// <summary>Longest life, from the moment of issue.</summary>
    public required TimeSpan Lifetime { get; init; }

    /// <summary>How far <c>notBefore</c> lies before the moment of issue, for clocks that run behind.</summary>
    public TimeSpan Backdate { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Kinds of keys; ML-DSA (RFC 9881) among a peer's where the platform has it.</summary>
    public ImmutableArray<KeyAlgorithm> Keys { get; init; } = s_peerKeys;

    public int MinimumRsaBits { get; init; } = 3072;

    public required KeyUsages KeyUsage { get; init; }

    /// <summary>Key purposes as object identifiers; empty for authorities of the fleet.</summary>
    public ImmutableArray<string> Purposes { get; init; } = [];

    /// <summary>Kinds of names besides the SPIFFE URI.</summary>
    public NameKinds Names { get; init; }

    public bool IsAuthority { get; init; }

    /// <summary>Intermediates that may follow an authority.</summary>
    public int? PathLength { get; init; }

    /// <summary>An authority may name only identities of the grant's cluster: its name constraints permit that trust domain's URIs alone.</summary>
    public bool BoundToCluster { get; init; }

    /// <summary>A node: serves its API and calls other nodes.</summary>
    public static CertificateProfile Node { get; } = new()
    {
        Id = "node",
        Kind = PeerKind.Node,
        Lifetime = TimeSpan.FromHours(24),
        KeyUsage = KeyUsages.DigitalSignature,
        Purposes = [ObjectIdentifiers.ServerAuth, ObjectIdentifiers.ClientAuth],
        Names = NameKinds.Dns | NameKinds.Address,
    };

    /// <summary>A person: calls only.</summary>
    public static CertificateProfile User { get; } = new()
    {
        Id = "user",
        Kind = PeerKind.User,
        Lifetime = TimeSpan.FromHours(8),
        KeyUsage = KeyUsages.DigitalSignature,
        Purposes = [ObjectIdentifiers.ClientAuth],
        Names = NameKinds.None,
    };

    /// <summary>The certificate authority's own server.</summary>
    public static CertificateProfile Trustd { get; } = new()
    {
        Id = "trustd",
        Kind = PeerKind.Trustd,
        Lifetime = TimeSpan.FromHours(24),
        KeyUsage = KeyUsages.DigitalSignature,
        Purposes = [ObjectIdentifiers.ServerAuth, ObjectIdentifiers.ClientAuth],
        Names = NameKinds.Dns | NameKinds.Address,
    };

    /// <summary>The fleet's root: may sign one level of intermediates.</summary>
    public static CertificateProfile OsRoot { get; } = new()
    {
        Id = "os-root",
        Kind = PeerKind.Unknown,
        Lifetime = TimeSpan.FromDays(3650),
        Keys = [KeyAlgorithm.EcdsaP256, KeyAlgorithm.EcdsaP384],
        KeyUsage = KeyUsages.KeyCertSign | KeyUsages.CrlSign | KeyUsages.DigitalSignature,
        IsAuthority = true,
        PathLength = 1,
    };

    /// <summary>An authority under an offline root, which may serve several clusters: signs leaves of its own cluster only.</summary>
    public static CertificateProfile OsIntermediate { get; } = new()
    {
        Id = "os-intermediate",
        Kind = PeerKind.Unknown,
        Lifetime = TimeSpan.FromDays(365),
        Keys = [KeyAlgorithm.EcdsaP256, KeyAlgorithm.EcdsaP384],
        KeyUsage = KeyUsages.KeyCertSign | KeyUsages.CrlSign | KeyUsages.DigitalSignature,
        IsAuthority = true,
        PathLength = 0,
        BoundToCluster = true,
    };

    internal PkiFailure? KeyFault(SubjectPublicKey key)
    {
        if (!Keys.Contains(key.Algorithm))
            return new PkiFailure(PkiReason.KeyNotAllowed, $"profile `{Id}` does not allow a key of kind {key}");
        return key.Algorithm == KeyAlgorithm.Rsa && key.Bits < MinimumRsaBits
            ? new PkiFailure(PkiReason.WeakKey, $"profile `{Id}` asks for RSA keys of at least {MinimumRsaBits} bits; this one has {key.Bits}")
            : null;
    }
}
