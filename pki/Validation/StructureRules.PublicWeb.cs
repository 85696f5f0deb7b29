using System.Collections.Immutable;
using System.Net;

namespace Talos.Pki;

static partial class StructureRules
{
    // CA/Browser Forum, Baseline Requirements for TLS server certificates: what a relying party can see of them.
    static ImmutableArray<StructureRule> PublicWeb() =>
    [
        new("leaf-key-purposes-present", "CABF BR §7.1.2.7.6", RuleScope.Peers, StructureRole.Leaf, static (c, _) =>
            c.ExtendedKeyUsage is null ? "it has no key purposes" : null),
        new("leaf-key-purposes-not-critical", "CABF BR §7.1.2.7.6", RuleScope.PublicWeb, StructureRole.Leaf, static (c, _) =>
            c.Find(ObjectIdentifiers.ExtendedKeyUsage) is { Critical: true } ? "its key purposes are critical" : null),
        new("leaf-key-purposes-not-any", "CABF BR §7.1.2.7.10", RuleScope.PublicWeb, StructureRole.Leaf, static (c, _) =>
            c.ExtendedKeyUsage?.Contains(ObjectIdentifiers.AnyExtendedKeyUsage) == true ? "its key purposes include any purpose" : null),
        new("root-no-key-purposes", "CABF BR §7.1.2.1.2", RuleScope.PublicWeb, StructureRole.Authority, static (c, _) =>
            c.IsSelfIssued && c.ExtendedKeyUsage is not null ? "it is a root with key purposes" : null),
        new("root-key-identifiers-equal", "CABF BR §7.1.2.1.3", RuleScope.PublicWeb, StructureRole.Authority, static (c, _) =>
            c.IsSelfIssued && c.AuthorityKeyIdentifier is { } above && c.SubjectKeyIdentifier is { } own && !above.Span.SequenceEqual(own.Span)
                ? "it is a root and its two key identifiers differ" : null),
        new("authority-key-identifier-only", "CABF BR §7.1.2.11.1", RuleScope.PublicWeb, null, static (c, _) =>
            c.AuthorityKey is { } key && (key.KeyIdentifier is null || key.Serial is not null || !key.Issuer.IsEmpty)
                ? "its authority key identifier is not a key identifier alone" : null),
        new("rsa-bits-multiple-of-8", "CABF BR §6.1.5", RuleScope.PublicWeb, null, static (c, _) =>
            c.PublicKey.Algorithm == KeyAlgorithm.Rsa && c.PublicKey.Bits % 8 != 0 ? "the bits of its RSA key are no multiple of 8" : null),
        new("rsa-key-for-every-scheme", "CABF BR §7.1.3.1.1", RuleScope.PublicWeb, null, static (c, _) =>
            c.PublicKey.Algorithm == KeyAlgorithm.Rsa && c.PublicKey.AlgorithmId != ObjectIdentifiers.RsaEncryption ? "its RSA key is for PSS alone" : null),
        new("leaf-names-present", "CABF BR §7.1.2.7.12", RuleScope.PublicWeb, StructureRole.Leaf, static (c, _) =>
            c.AlternativeNames.IsEmpty ? "it has no alternative names" : null),
        new("leaf-names-not-critical", "CABF BR §7.1.2.7.12", RuleScope.PublicWeb, StructureRole.Leaf, static (c, _) =>
            !c.Subject.IsEmpty && c.Find(ObjectIdentifiers.SubjectAlternativeName) is { Critical: true } ? "its alternative names are critical beside a subject" : null),
        new("leaf-dns-names", "CABF BR §7.1.2.7.12, RFC 1034 §3.5", RuleScope.PublicWeb, StructureRole.Leaf, static (c, _) =>
            c.AlternativeNames.FirstOrDefault(n => n.Kind == NameKinds.Dns && !DnsName.IsValid(n.Text, wildcard: true)) is { } odd ? $"`{odd.Text}` is no DNS name" : null),
        new("leaf-wildcards", "CABF BR §3.2.2.6", RuleScope.PublicWeb, StructureRole.Leaf, static (c, o) =>
            c.AlternativeNames.FirstOrDefault(n => n.Kind == NameKinds.Dns && n.Text.StartsWith("*.", StringComparison.Ordinal)
                && o.IsPublicSuffix?.Invoke(n.Text[2..].ToLowerInvariant()) != false) is { } odd
                ? $"its wildcard `{odd.Text}` may span a public suffix" : null),
        new("crl-points-are-uris", "CABF BR §7.1.2.11.2", RuleScope.PublicWeb, null, static (c, _) =>
            c.CrlDistributionPoints is { } points && points.Any(p => p.Name is null || p.Name.FullName.IsEmpty || p.Name.FullName.Any(n => n.Kind != NameKinds.Uri))
                ? "a distribution point of it is not named by URIs alone" : null),
        new("leaf-common-name-is-a-name", "CABF BR §7.1.4.3", RuleScope.PublicWeb, StructureRole.Leaf, static (c, _) => CommonNameFault(c)),
    ];

    // One common name at most, a copy of one of the host names or addresses. Two forms that public servers have pass although the clause knows neither, since
    // nobody is reached by a common name (RFC 9525 §2): a domain beside addresses alone, and the domain right above a wildcard.
    static string? CommonNameFault(Certificate certificate)
    {
        ImmutableArray<string> common = certificate.Subject.CommonNames;
        GeneralName[] hosts = [.. certificate.AlternativeNames.Where(n => n.Kind is NameKinds.Dns or NameKinds.Address)];
        if (common.IsEmpty || hosts.Length == 0)
            return null;
        if (common.Length > 1)
            return "it has several common names";
        // IPAddress writes RFC 3986 dotted decimals and RFC 5952 text, which the clause asks for.
        bool isOne = hosts.Any(n => n.Text == common[0]);
        bool isDomain = common[0].Contains('.', StringComparison.Ordinal) && DnsName.IsValid(common[0]);
        return isOne || (isDomain && (hosts.All(n => n.Kind == NameKinds.Address) || hosts.Any(n => n.Text == $"*.{common[0]}")))
            ? null : $"its common name `{common[0]}` is none of its names";
    }
}
