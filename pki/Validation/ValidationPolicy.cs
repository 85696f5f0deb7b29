using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>How strict validation is: algorithms, key sizes and the body of structural rules.</summary>
public sealed record ValidationPolicy
{
    ValidationPolicy()
    {
    }

    public required string Id { get; init; }

    public required ImmutableArray<SignatureScheme> Signatures { get; init; }

    public required ImmutableArray<KeyAlgorithm> Keys { get; init; }

    public required int MinimumRsaBits { get; init; }

    /// <summary>Rules of the CA/Browser Forum's baseline requirements as well.</summary>
    internal bool PublicWeb { get; private init; }

    /// <summary>Forgives what certificates of the year 2000 did: negative serials, missing key identifiers.</summary>
    internal bool Forgiving { get; private init; }

    static readonly ImmutableArray<SignatureScheme> s_strong =
    [
        SignatureScheme.EcdsaSha256, SignatureScheme.EcdsaSha384, SignatureScheme.EcdsaSha512, SignatureScheme.Ed25519,
        SignatureScheme.RsaSha256, SignatureScheme.RsaSha384, SignatureScheme.RsaSha512, SignatureScheme.RsaPss, SignatureScheme.MlDsa,
    ];

    /// <summary>What the fleet's own certificates obey. The default.</summary>
    public static ValidationPolicy Fleet { get; } = new()
    {
        Id = "fleet",
        Signatures = s_strong,
        Keys =
        [
            KeyAlgorithm.EcdsaP256, KeyAlgorithm.EcdsaP384, KeyAlgorithm.EcdsaP521, KeyAlgorithm.Ed25519, KeyAlgorithm.Rsa,
            KeyAlgorithm.MlDsa44, KeyAlgorithm.MlDsa65, KeyAlgorithm.MlDsa87,
        ],
        MinimumRsaBits = 3072,
    };

    /// <summary>Certificates of public servers, an OIDC issuer's for instance (CABF baseline requirements).</summary>
    public static ValidationPolicy Web { get; } = new()
    {
        Id = "web",
        Signatures = s_strong,
        Keys = [KeyAlgorithm.EcdsaP256, KeyAlgorithm.EcdsaP384, KeyAlgorithm.EcdsaP521, KeyAlgorithm.Rsa],
        MinimumRsaBits = 2048,
        PublicWeb = true,
    };

    /// <summary>
    /// For conformance suites alone: SHA-1, DSA and short RSA keys, all broken. Nothing in the product uses it.
    /// </summary>
    internal static ValidationPolicy Historic { get; } = new()
    {
        Id = "historic",
        Signatures = s_strong.AddRange(SignatureScheme.RsaSha1, SignatureScheme.EcdsaSha1, SignatureScheme.DsaSha1, SignatureScheme.DsaSha256),
        Keys = Fleet.Keys.Add(KeyAlgorithm.Dsa),
        MinimumRsaBits = 1024,
        Forgiving = true,
    };

    internal bool Accepts(SignatureAlgorithm algorithm) => Signatures.Contains(algorithm.Scheme);

    internal string? KeyFault(SubjectPublicKey key)
    {
        if (!Keys.Contains(key.Algorithm))
            return $"a key of kind {key} is not accepted";
        return key.Algorithm == KeyAlgorithm.Rsa && key.Bits < MinimumRsaBits
            ? $"an RSA key of {key.Bits} bits is shorter than {MinimumRsaBits}" : null;
    }
}
