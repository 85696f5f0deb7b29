using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Talos.Pki;

/// <summary>
/// An X.509 certificate (RFC 5280) read by strict rules. Reading proves its form only; whether to believe it is what
/// <see cref="PathValidator"/> decides. Immutable.
/// </summary>
public sealed partial class Certificate : IEquatable<Certificate>
{
    // LIMIT: 256 KiB a certificate; the largest of ours takes 2 KiB.
    internal const int MaximumOctets = 256 * 1024;

    string? _fingerprint;

    Certificate(ReadOnlyMemory<byte> der) => Der = der;

    public ReadOnlyMemory<byte> Der { get; private set; }

    /// <summary>The exact octets that the issuer signed.</summary>
    internal ReadOnlyMemory<byte> ToBeSigned { get; private set; }

    internal ReadOnlyMemory<byte> Signature { get; private set; }

    /// <summary>1, 2 or 3.</summary>
    public int Version { get; private set; }

    /// <summary>The serial number's octets in lower-case hexadecimal, without a leading sign octet; <c>-</c> in front when negative.</summary>
    public string Serial { get; private set; } = "";

    internal ReadOnlyMemory<byte> SerialOctets { get; private set; }

    public SignatureAlgorithm SignatureAlgorithm { get; private set; } = null!;

    public DistinguishedName Issuer { get; private set; } = null!;

    public DistinguishedName Subject { get; private set; } = null!;

    public DateTimeOffset NotBefore { get; private set; }

    /// <summary>The last second at which the certificate is valid.</summary>
    public DateTimeOffset NotAfter { get; private set; }

    /// <summary>Each time takes the form that its year asks for (RFC 5280 §4.1.2.5).</summary>
    internal bool TimeFormsFollowYear { get; private set; }

    internal bool HasUniqueIdentifiers { get; private set; }

    public SubjectPublicKey PublicKey { get; private set; } = null!;

    public ImmutableArray<CertificateExtension> Extensions { get; private set; } = [];

    public BasicConstraints? BasicConstraints { get; private set; }

    public KeyUsages? KeyUsage { get; private set; }

    /// <summary>Whether that is written with zero bits at its end, which DER has not (X.690 §11.2.2).</summary>
    internal bool HasLooseKeyUsage { get; private set; }

    /// <summary>Object identifiers of key purposes; null without the extension.</summary>
    public IReadOnlyList<string>? ExtendedKeyUsage { get; private set; }

    /// <summary>Subject alternative names; empty without the extension.</summary>
    public ImmutableArray<GeneralName> AlternativeNames { get; private set; } = [];

    public ReadOnlyMemory<byte>? SubjectKeyIdentifier { get; private set; }

    public ReadOnlyMemory<byte>? AuthorityKeyIdentifier => AuthorityKey?.KeyIdentifier;

    internal AuthorityKey? AuthorityKey { get; private set; }

    internal NameConstraintSet? NameConstraints { get; private set; }

    internal ImmutableArray<string>? Policies { get; private set; }

    internal ImmutableArray<PolicyMapping> PolicyMappings { get; private set; } = [];

    internal PolicyConstraintSet? PolicyConstraints { get; private set; }

    internal int? InhibitAnyPolicy { get; private set; }

    internal ImmutableArray<DistributionPoint>? CrlDistributionPoints { get; private set; }

    internal ImmutableArray<DistributionPoint>? FreshestCrl { get; private set; }

    /// <summary>Says that it may sign certificates (RFC 5280 §4.2.1.9).</summary>
    public bool IsAuthority => BasicConstraints is { IsAuthority: true };

    /// <summary>Subject and issuer are the same name (RFC 5280 §3.2).</summary>
    public bool IsSelfIssued => Subject.Equals(Issuer);

    /// <summary>SHA-256 over the certificate, lower-case hexadecimal.</summary>
    public string Fingerprint => _fingerprint ??= Convert.ToHexStringLower(SHA256.HashData(Der.Span));

    internal CertificateExtension? Find(string id)
    {
        foreach (CertificateExtension extension in Extensions)
            if (extension.Id == id)
                return extension;
        return null;
    }

    /// <summary>PEM with the label <c>CERTIFICATE</c>.</summary>
    public string ToPem() => Pem.Write(Pem.Certificate, Der.Span);

    public bool Equals(Certificate? other) => other is not null && Der.Span.SequenceEqual(other.Der.Span);

    public override bool Equals(object? obj) => Equals(obj as Certificate);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Signature.Span);
        return hash.ToHashCode();
    }

    public override string ToString() => $"{Subject} (serial {Serial})";
}
