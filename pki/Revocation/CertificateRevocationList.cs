using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Numerics;

namespace Talos.Pki;

/// <summary>Why a certificate was revoked (RFC 5280 §5.3.1).</summary>
public enum CrlReason
{
    Unspecified = 0,
    KeyCompromise = 1,
    AuthorityCompromise = 2,
    AffiliationChanged = 3,
    Superseded = 4,
    CessationOfOperation = 5,
    CertificateHold = 6,
    RemoveFromCrl = 8,
    PrivilegeWithdrawn = 9,
    AttributeAuthorityCompromise = 10,
}

/// <summary>One revoked certificate of a list.</summary>
public sealed record CrlEntry(string Serial, DateTimeOffset RevokedAt, CrlReason Reason)
{
    /// <summary>Issuer of the revoked certificate, on an indirect list; null for the list's own issuer.</summary>
    internal DistinguishedName? CertificateIssuer { get; init; }
}

/// <summary>RFC 5280 §5.2.5.</summary>
sealed record IssuingDistributionPoint(
    DistributionPointName? Name, bool OnlyUsers, bool OnlyAuthorities, uint? OnlyReasons, bool Indirect, bool OnlyAttributes);

/// <summary>A certificate revocation list (RFC 5280 §5), read by strict rules; reading proves nothing about who signed it.</summary>
public sealed partial class CertificateRevocationList
{
    // LIMIT: 32 MiB a list: about 700,000 entries. Ours are sharded far below.
    internal const int MaximumOctets = 32 * 1024 * 1024;

    FrozenDictionary<string, ImmutableArray<CrlEntry>> _entries = FrozenDictionary<string, ImmutableArray<CrlEntry>>.Empty;

    CertificateRevocationList(ReadOnlyMemory<byte> der) => Der = der;

    public ReadOnlyMemory<byte> Der { get; }

    public DistinguishedName Issuer { get; private set; } = null!;

    public DateTimeOffset ThisUpdate { get; private set; }

    public DateTimeOffset? NextUpdate { get; private set; }

    public SignatureAlgorithm SignatureAlgorithm { get; private set; } = null!;

    /// <summary>RFC 5280 §5.2.3; null when absent.</summary>
    public BigInteger? Number { get; private set; }

    /// <summary>RFC 5280 §5.2.4: the number of the list that this one is a delta to; null for a complete list.</summary>
    public BigInteger? DeltaBase { get; private set; }

    public int Count { get; private set; }

    public IEnumerable<CrlEntry> Entries => _entries.Values.SelectMany(entries => entries);

    /// <summary>Each time takes the form that its year asks for (RFC 5280 §5.1.2.4–6).</summary>
    internal bool TimeFormsFollowYear { get; private set; } = true;

    /// <summary>Two entries are of one certificate; which of them holds is anybody's guess.</summary>
    internal bool HasRepeats { get; private set; }

    /// <summary>An entry names an issuer, which only indirect lists may (RFC 5280 §5.3.3).</summary>
    internal bool NamesIssuers { get; private set; }

    /// <summary>Entries are of other issuers than the list's, and nothing in its scope says so.</summary>
    internal bool IsSilentlyIndirect => NamesIssuers && DistributionPoint is not { Indirect: true };

    internal ReadOnlyMemory<byte> ToBeSigned { get; private set; }

    internal ReadOnlyMemory<byte> Signature { get; private set; }

    internal ImmutableArray<CertificateExtension> Extensions { get; private set; } = [];

    internal IssuingDistributionPoint? DistributionPoint { get; private set; }

    internal ReadOnlyMemory<byte>? DistributionPointDer { get; private set; }

    internal AuthorityKey? AuthorityKey { get; private set; }

    /// <summary>A critical extension, of the list or of an entry, that is not processed; null when there is none.</summary>
    internal string? UnknownCritical { get; private set; }

    /// <summary>The entry for a certificate of <paramref name="issuer"/>; null when it is not listed.</summary>
    internal CrlEntry? Find(string serial, DistinguishedName issuer)
    {
        foreach (CrlEntry entry in _entries.GetValueOrDefault(serial, []))
            if ((entry.CertificateIssuer ?? Issuer).Equals(issuer))
                return entry;
        return null;
    }

    public string ToPem() => Pem.Write(Pem.RevocationList, Der.Span);

    // The signature of one list is asked for by every validation; remembering who made it saves the second verification.
    volatile SubjectPublicKey? _verifiedBy;

    internal SignatureVerdict VerifySignature(SubjectPublicKey key)
    {
        if (ReferenceEquals(_verifiedBy, key))
            return SignatureVerdict.Valid;
        SignatureVerdict verdict = key.Verify(SignatureAlgorithm, ToBeSigned.Span, Signature.Span);
        if (verdict == SignatureVerdict.Valid)
            _verifiedBy = key;
        return verdict;
    }
}
