using System.Security.Cryptography;

namespace Talos.Pki;

/// <summary>Public keys that certificates here may hold or be signed by.</summary>
public enum KeyAlgorithm
{
    /// <summary>None that this library verifies with.</summary>
    Unknown = 0,
    EcdsaP256,
    EcdsaP384,
    EcdsaP521,
    Ed25519,
    Rsa,
    Dsa,
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

/// <summary>A subject public key (RFC 5280 §4.1.2.7), its structure checked when it was read.</summary>
public sealed partial class SubjectPublicKey
{
    readonly ReadOnlyMemory<byte> _der;
    readonly ReadOnlyMemory<byte> _key;
    readonly Lock _gate = new();
    byte[]? _identifier;

    SubjectPublicKey(KeyAlgorithm algorithm, string algorithmId, int bits, ReadOnlyMemory<byte> der, ReadOnlyMemory<byte> key)
    {
        Algorithm = algorithm;
        AlgorithmId = algorithmId;
        Bits = bits;
        _der = der;
        _key = key;
    }

    public KeyAlgorithm Algorithm { get; }

    /// <summary>Object identifier of the algorithm as the key states it.</summary>
    public string AlgorithmId { get; }

    /// <summary>Size in bits of the modulus (RSA, DSA) or the field; 0 when unknown.</summary>
    public int Bits { get; }

    /// <summary>The SubjectPublicKeyInfo.</summary>
    public ReadOnlyMemory<byte> Der => _der;

    /// <summary>The key's octets, without algorithm.</summary>
    internal ReadOnlyMemory<byte> Key => _key;

    /// <summary>First 160 bits of SHA-256 over the key's octets (RFC 7093 §2, method 1).</summary>
    public ReadOnlyMemory<byte> Identifier => _identifier ??= SHA256.HashData(_key.Span)[..20];

    /// <summary>What people compare: <c>SHA256:</c> and the digest of the SubjectPublicKeyInfo in base64 without padding, as OpenSSH writes it.</summary>
    public string Fingerprint => FingerprintOf(_der.Span);

    /// <summary>The same of a key whose SubjectPublicKeyInfo is at hand.</summary>
    public static string FingerprintOf(ReadOnlySpan<byte> subjectPublicKeyInfo) => "SHA256:" + Convert.ToBase64String(SHA256.HashData(subjectPublicKeyInfo)).TrimEnd('=');

    internal bool HasParameters { get; private init; }

    /// <summary>Public exponent of an RSA key; 0 for others.</summary>
    internal ulong RsaExponent { get; private init; }

    internal Range? DsaParameters { get; private init; }

    public override string ToString() => Algorithm switch
    {
        KeyAlgorithm.Unknown => $"unknown ({AlgorithmId})",
        KeyAlgorithm.EcdsaP256 => "ECDSA P-256",
        KeyAlgorithm.EcdsaP384 => "ECDSA P-384",
        KeyAlgorithm.EcdsaP521 => "ECDSA P-521",
        KeyAlgorithm.Ed25519 => "Ed25519",
        KeyAlgorithm.Rsa => $"RSA {Bits}",
        KeyAlgorithm.Dsa => $"DSA {Bits}",
        KeyAlgorithm.MlDsa44 => "ML-DSA-44",
        KeyAlgorithm.MlDsa65 => "ML-DSA-65",
        KeyAlgorithm.MlDsa87 => "ML-DSA-87",
    };
}
