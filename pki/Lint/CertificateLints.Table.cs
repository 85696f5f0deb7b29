using System.Collections.Immutable;
using static Talos.Pki.ObjectIdentifiers;

namespace Talos.Pki;

/// <summary>The rules that everything we sign obeys; one line each, in the order of a certificate's fields.</summary>
static partial class CertificateLints
{
    public static ImmutableArray<CertificateLint> Table { get; } =
    [
        // Fields
        new("version-3", "RFC 5280 §4.1.2.1", LintTarget.Every, static (c, _) => c.Version == 3 ? null : $"the version is {c.Version}"),
        new("serial-positive", "RFC 5280 §4.1.2.2", LintTarget.Every, static (c, _) =>
            c.SerialOctets.Span[0] >= 0x80 || c.Serial == "00" ? $"the serial `{c.Serial}` is not positive" : null),
        new("serial-at-most-20-octets", "RFC 5280 §4.1.2.2", LintTarget.Every, static (c, _) =>
            c.SerialOctets.Length <= 20 ? null : $"the serial takes {c.SerialOctets.Length} octets"),
        new("serial-random", "CABF BR §7.1", LintTarget.Every, static (c, _) =>
            c.Serial.Length == 36 ? null : "the serial is not one instance octet and 136 random bits"),
        new("signature-strong", "CABF BR §7.1.3.2", LintTarget.Every, static (c, _) =>
            ValidationPolicy.Fleet.Accepts(c.SignatureAlgorithm) ? null : $"signature algorithm {c.SignatureAlgorithm.Id} is not accepted"),
        new("issuer-present", "RFC 5280 §4.1.2.4", LintTarget.Every, static (c, _) => c.Issuer.IsEmpty ? "the issuer is empty" : null),
        new("issuer-is-authority-subject", "CABF BR §7.1.4.1", LintTarget.Every, static (c, s) =>
            c.Issuer.Der.Span.SequenceEqual((s.Issuer ?? c).Subject.Der.Span) ? null : "the issuer is not octet for octet the authority's subject"),
        new("validity-order", "RFC 5280 §4.1.2.5", LintTarget.Every, static (c, _) =>
            c.NotBefore < c.NotAfter ? null : "the validity ends before it begins"),
        new("validity-time-form", "RFC 5280 §4.1.2.5", LintTarget.Every, static (c, _) =>
            c.TimeFormsFollowYear ? null : "a time before 2050 is not UTCTime, or a later one is not GeneralizedTime"),
        new("validity-within-profile", "profile", LintTarget.Every, static (c, s) =>
            c.NotAfter - c.NotBefore <= s.Profile.Lifetime + s.Profile.Backdate ? null : $"a life of {c.NotAfter - c.NotBefore} exceeds the profile's {s.Profile.Lifetime}"),
        new("validity-within-issuer", "RFC 5280 §6.1.3(a)(2)", LintTarget.Every, static (c, s) =>
            s.Issuer is null || (c.NotBefore >= s.Issuer.NotBefore && c.NotAfter <= s.Issuer.NotAfter) ? null : "the validity reaches outside the issuer's"),
        new("no-unique-identifiers", "RFC 5280 §4.1.2.8", LintTarget.Every, static (c, _) =>
            c.HasUniqueIdentifiers ? "unique identifiers are present" : null),

        // Subject
        new("subject-present", "RFC 5280 §4.1.2.6", LintTarget.Every, static (c, _) => c.Subject.IsEmpty ? "the subject is empty" : null),
        new("subject-one-common-name", "profile", LintTarget.Every, static (c, _) =>
            c.Subject.CommonNames.Length == 1 ? null : $"the subject has {c.Subject.CommonNames.Length} common names"),
        new("subject-attribute-lengths", "RFC 5280 appendix A.1", LintTarget.Every, static (c, _) =>
            c.Subject.Any(a => a.Text.Length is 0 or > 64) ? "an attribute of the subject is empty or longer than 64 characters" : null),
        new("subject-attribute-types", "profile", LintTarget.Every, static (c, _) =>
            c.Subject.Any(a => a.Type is not (CommonName or Organization)) ? "the subject has attributes besides common name and organization" : null),
        new("subject-string-types", "RFC 5280 §4.1.2.4", LintTarget.Every, static (c, _) =>
            c.Subject.Any(a => a.Tag is not (DerTag.Utf8String or DerTag.PrintableString)) ? "an attribute is neither UTF8String nor PrintableString" : null),
        new("subject-outer-spaces", "CABF BR §7.1.4.2", LintTarget.Every, static (c, _) =>
            c.Subject.Any(a => a.Text.Trim() != a.Text) ? "an attribute starts or ends with a space" : null),
        new("subject-single-valued", "CABF BR §7.1.4.2", LintTarget.Every, static (c, _) =>
            c.Subject.Parts.Any(part => part.Attributes.Length != 1) ? "a part of the subject has several attributes" : null),

        // Key
        new("key-allowed", "profile", LintTarget.Every, static (c, s) => s.Profile.KeyFault(c.PublicKey)?.Message),
        new("key-has-no-parameters", "RFC 8410 §3, RFC 4055 §1.2", LintTarget.Every, static (c, _) =>
            c.PublicKey is { Algorithm: KeyAlgorithm.Rsa, HasParameters: true } ? "an RSA key carries parameters" : null),
        new("rsa-exponent", "CABF BR §6.1.6", LintTarget.Every, static (c, _) =>
            c.PublicKey.Algorithm == KeyAlgorithm.Rsa && c.PublicKey.RsaExponent < 65537 ? "the RSA exponent is below 65537" : null),

        // Extensions
        new("extensions-known", "profile", LintTarget.Every, static (c, _) =>
            c.Extensions.FirstOrDefault(e => !s_ours.Contains(e.Id)) is { } odd ? $"extension {odd.Id} is not one of ours" : null),
        new("basic-constraints-critical", "RFC 5280 §4.2.1.9", LintTarget.Authority, static (c, _) =>
            c.Find(ObjectIdentifiers.BasicConstraints) is { Critical: true } && c.IsAuthority ? null : "an authority has no critical basic constraints"),
        new("basic-constraints-leaf", "RFC 5280 §4.2.1.9", LintTarget.Leaf, static (c, _) =>
            c.IsAuthority || c.BasicConstraints?.PathLength is not null ? "a leaf says that it is an authority" : null),
        new("path-length-of-profile", "profile", LintTarget.Authority, static (c, s) =>
            c.BasicConstraints?.PathLength == s.Profile.PathLength ? null : "the path length is not the profile's"),
        new("path-length-below-issuer", "RFC 5280 §4.2.1.9", LintTarget.Authority, static (c, s) =>
            s.Issuer?.BasicConstraints?.PathLength is { } above && !(c.BasicConstraints?.PathLength < above) ? $"the issuer allows {above} authorities below itself" : null),
        new("key-usage-critical", "RFC 5280 §4.2.1.3", LintTarget.Every, static (c, _) =>
            c.Find(ObjectIdentifiers.KeyUsage) is { Critical: true } ? null : "key usage is absent or not critical"),
        new("key-usage-not-empty", "RFC 5280 §4.2.1.3", LintTarget.Every, static (c, _) =>
            c.KeyUsage is KeyUsages.None ? "key usage has no bit set" : null),
        new("key-usage-of-profile", "profile", LintTarget.Every, static (c, s) =>
            c.KeyUsage == s.Profile.KeyUsage ? null : $"key usage {c.KeyUsage} is not the profile's {s.Profile.KeyUsage}"),
        new("key-usage-cert-sign", "RFC 5280 §4.2.1.9", LintTarget.Every, static (c, _) =>
            (c.KeyUsage ?? KeyUsages.None).HasFlag(KeyUsages.KeyCertSign) == c.IsAuthority ? null : "keyCertSign and the authority bit disagree"),
        new("key-usage-fits-key", "RFC 8813 §3", LintTarget.Every, static (c, _) =>
            c.PublicKey.Algorithm != KeyAlgorithm.Rsa && ((c.KeyUsage ?? KeyUsages.None) & (KeyUsages.KeyEncipherment | KeyUsages.DataEncipherment)) != 0
                ? "a key that cannot encipher says that it does" : null),
        new("key-purposes-of-profile", "profile", LintTarget.Every, static (c, s) =>
            (c.ExtendedKeyUsage ?? []).SequenceEqual(s.Profile.Purposes) ? null : "the key purposes are not the profile's"),
        new("key-purposes-not-any", "RFC 5280 §4.2.1.12", LintTarget.Every, static (c, _) =>
            c.ExtendedKeyUsage?.Contains(AnyExtendedKeyUsage) == true ? "the key purposes include any purpose" : null),
        new("key-purposes-distinct", "X.690 §11, CABF BR §7.1.2.7", LintTarget.Every, static (c, _) =>
            c.ExtendedKeyUsage is { } p && p.Distinct().Count() != p.Count ? "a key purpose occurs twice" : null),
        new("key-purposes-not-critical", "CABF BR §7.1.2.7.6", LintTarget.Every, static (c, _) =>
            c.Find(ObjectIdentifiers.ExtendedKeyUsage) is { Critical: true } ? "extended key usage is critical" : null),
        new("subject-key-identifier", "RFC 5280 §4.2.1.2", LintTarget.Every, static (c, _) =>
            c.SubjectKeyIdentifier is { } id && id.Span.SequenceEqual(c.PublicKey.Identifier.Span) ? null : "the subject key identifier is absent or not that of the key"),
        new("subject-key-identifier-not-critical", "RFC 5280 §4.2.1.2", LintTarget.Every, static (c, _) =>
            c.Find(ObjectIdentifiers.SubjectKeyIdentifier) is { Critical: true } ? "the subject key identifier is critical" : null),
        new("authority-key-identifier", "RFC 5280 §4.2.1.1", LintTarget.Every, static (c, s) =>
            c.AuthorityKeyIdentifier is { } id && (s.Issuer ?? c).SubjectKeyIdentifier is { } issuer && id.Span.SequenceEqual(issuer.Span)
                ? null : "the authority key identifier is absent or not the issuer's"),
        new("authority-key-identifier-only", "CABF BR §7.1.2.11.1", LintTarget.Every, static (c, _) =>
            c.AuthorityKey is { Serial: null, Issuer.IsEmpty: true } or null ? null : "the authority key identifier names issuer and serial"),
        new("authority-key-identifier-not-critical", "RFC 5280 §4.2.1.1", LintTarget.Every, static (c, _) =>
            c.Find(ObjectIdentifiers.AuthorityKeyIdentifier) is { Critical: true } ? "the authority key identifier is critical" : null),
        new("name-constraints-authority-only", "RFC 5280 §4.2.1.10", LintTarget.Leaf, static (c, _) =>
            c.NameConstraints is null ? null : "a leaf has name constraints"),
        new("name-constraints-of-profile", "RFC 5280 §4.2.1.10", LintTarget.Authority, static (c, s) =>
            s.Profile.BoundToCluster != (c.Find(ObjectIdentifiers.NameConstraints) is { Critical: true }
                && c.NameConstraints is { Permitted: [{ Kind: NameKinds.Uri }], Excluded.IsEmpty: true })
                ? "the name constraints are not the profile's" : null),
        new("crl-points-not-critical", "RFC 5280 §4.2.1.13", LintTarget.Every, static (c, _) =>
            c.Find(ObjectIdentifiers.CrlDistributionPoints) is { Critical: true } ? "CRL distribution points are critical" : null),
        new("crl-points-http", "CABF BR §7.1.2.11.2", LintTarget.Every, static (c, _) =>
            c.CrlDistributionPoints is { } points && !points.All(p => p is { Reasons: null, CrlIssuer.IsEmpty: true, Name.FullName: [{ Kind: NameKinds.Uri } uri] }
                && uri.Text.StartsWith("http://", StringComparison.Ordinal)) ? "a CRL distribution point is not one http URI alone" : null),

        // Names
        new("names-present", "SPIFFE X509-SVID §2", LintTarget.Leaf, static (c, _) =>
            c.AlternativeNames.IsEmpty ? "there are no subject alternative names" : null),
        new("names-not-critical", "RFC 5280 §4.2.1.6", LintTarget.Every, static (c, _) =>
            c.Find(SubjectAlternativeName) is { Critical: true } && !c.Subject.IsEmpty ? "subject alternative names are critical beside a subject" : null),
        new("names-one-spiffe-uri", "SPIFFE X509-SVID §2", LintTarget.Leaf, static (c, _) =>
            c.AlternativeNames.Count(n => n.Kind == NameKinds.Uri) == 1 ? null : "there is not exactly one URI"),
        new("names-spiffe-is-subject", "profile", LintTarget.Leaf, static (c, s) =>
            c.AlternativeNames.FirstOrDefault(n => n.Kind == NameKinds.Uri) is { } uri
            && SpiffeId.Parse(uri.Text).Value is { } id && id.Kind == s.Profile.Kind && c.Subject.CommonNames is [var name] && id.Name == name
                ? null : "the URI is not that of the subject and kind"),
        new("names-of-profile", "profile", LintTarget.Leaf, static (c, s) =>
            c.AlternativeNames.FirstOrDefault(n => ((s.Profile.Names | NameKinds.Uri) & n.Kind) == 0) is { } odd ? $"the profile has no names like `{odd}`" : null),
        new("names-distinct", "CABF BR §7.1.2.7.12", LintTarget.Leaf, static (c, _) =>
            !HasTwice(c.AlternativeNames) ? null : "a name occurs twice"),
        new("names-dns-syntax", "RFC 5280 §4.2.1.6, RFC 1034 §3.5", LintTarget.Leaf, static (c, _) =>
            c.AlternativeNames.FirstOrDefault(n => n.Kind == NameKinds.Dns && (!DnsName.IsValid(n.Text) || n.Text.Contains('_'))) is { } odd ? $"`{odd.Text}` is no host name" : null),
        new("names-dns-lower-case", "profile", LintTarget.Leaf, static (c, _) =>
            c.AlternativeNames.Any(n => n.Kind == NameKinds.Dns && n.Text.AsSpan().ContainsAnyInRange('A', 'Z')) ? "a DNS name has upper-case letters" : null),
        new("names-address-specific", "CABF BR §4.2.2", LintTarget.Leaf, static (c, _) =>
            c.AlternativeNames.Any(n => n.Kind == NameKinds.Address && !n.Octets.Span.ContainsAnyExcept((byte)0)) ? "an address is the unspecified one" : null),
    ];

    static readonly ImmutableArray<string> s_ours =
    [
        ObjectIdentifiers.BasicConstraints, ObjectIdentifiers.KeyUsage, ObjectIdentifiers.ExtendedKeyUsage, ObjectIdentifiers.SubjectKeyIdentifier,
        ObjectIdentifiers.AuthorityKeyIdentifier, SubjectAlternativeName, ObjectIdentifiers.NameConstraints, ObjectIdentifiers.CrlDistributionPoints,
    ];

    // As people see them, which is what two forms of one name have in common.
    static bool HasTwice(ImmutableArray<GeneralName> names)
    {
        if (names.Length < 2)
            return false;
        var seen = new HashSet<(NameKinds, string)>(names.Length);
        foreach (GeneralName name in names)
            if (!seen.Add((name.Kind, name.Text)))
                return true;
        return false;
    }
}
