using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>Bodies of structural rules.</summary>
enum RuleBook
{
    /// <summary>The fleet's own: the strictest.</summary>
    Fleet = 0,

    /// <summary>RFC 5280.</summary>
    Internet,

    /// <summary>RFC 5280 as the CA/Browser Forum profiles it.</summary>
    Web,

    /// <summary>RFC 5280 as certificates of the year 2000 obey it: negative serials, missing key identifiers.</summary>
    Historic,
}

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

    /// <summary>Which of <see cref="StructureRules"/> bind.</summary>
    internal RuleBook Rules { get; private init; }

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
        Rules = RuleBook.Web,
    };

    /// <summary>RFC 5280 with the algorithms and sizes of <see cref="Web"/>, without the forum's rules.</summary>
    public static ValidationPolicy Internet { get; } = Web with { Id = "internet", Keys = Fleet.Keys, Rules = RuleBook.Internet };

    /// <summary>
    /// For conformance suites alone: SHA-1, DSA and short RSA keys, all broken. Nothing in the product uses it.
    /// </summary>
    internal static ValidationPolicy Historic { get; } = new()
    {
        Id = "historic",
        Signatures = s_strong.AddRange(SignatureScheme.RsaSha1, SignatureScheme.EcdsaSha1, SignatureScheme.DsaSha1, SignatureScheme.DsaSha256),
        Keys = Fleet.Keys.Add(KeyAlgorithm.Dsa),
        MinimumRsaBits = 1024,
        Rules = RuleBook.Historic,
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
