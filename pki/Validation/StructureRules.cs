using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>What a certificate is on the path. A trust anchor is an authority whose signature nobody checks.</summary>
enum StructureRole
{
    Leaf = 0,
    Authority,

    /// <summary>Signs revocation lists; may or may not be an authority.</summary>
    ListSigner,
}

/// <summary>Whose certificates a rule binds.</summary>
enum RuleScope
{
    /// <summary>All, historic ones included.</summary>
    Every = 0,

    /// <summary>All but historic ones.</summary>
    Present,

    /// <summary>All but historic ones and those of public servers, whose forum decided otherwise.</summary>
    Strict,

    /// <summary>Peers of the fleet and public servers.</summary>
    Peers,

    /// <summary>Those of public servers.</summary>
    PublicWeb,
}

/// <summary>One rule: the role that it binds (null for both), where it is written, and a check that answers with what is wrong, or null.</summary>
sealed record StructureRule(
    string Id, string Citation, RuleScope Scope, StructureRole? Role, Func<Certificate, ValidationOptions, string?> Check)
{
    /// <summary>Whose trust anchors it binds, where that differs.</summary>
    public RuleScope? OnAnchors { get; init; }
}

/// <summary>Rules of form beyond RFC 5280 §6.1 that a certificate must obey to be believed.</summary>
static partial class StructureRules
{
    public static ImmutableArray<StructureRule> Table { get; } =
    [
        new("serial-range", "RFC 5280 §4.1.2.2", RuleScope.Present, null, static (c, _) =>
            c.SerialOctets.Span[0] >= 0x80 || c.SerialOctets.Length > 20 ? "its serial number is negative or longer than 20 octets" : null),
        // NOTE: well-known public roots have serial 0; nothing looks a root's serial up.
        new("serial-not-zero", "RFC 5280 §4.1.2.2", RuleScope.Present, null, static (c, _) =>
            c.Serial == "00" && !(c.IsAuthority && c.IsSelfIssued) ? "its serial number is 0" : null),
        // NOTE: 2 of the roots that Debian ships are written so, and nobody can write them anew. They say the same either way.
        new("key-usage-der", "X.690 §11.2.2", RuleScope.Every, null, static (c, _) =>
            c.HasLooseKeyUsage && !(c.IsAuthority && c.IsSelfIssued) ? "its key usage ends in zero bits" : null),
        new("issuer-present", "RFC 5280 §4.1.2.4", RuleScope.Every, null, static (c, _) => c.Issuer.IsEmpty ? "its issuer is empty" : null),
        new("authority-subject-present", "RFC 5280 §4.1.2.6", RuleScope.Every, StructureRole.Authority, static (c, _) =>
            c.Subject.IsEmpty ? "its subject is empty" : null),
        new("version-3", "RFC 5280 §4.1.2.1", RuleScope.Present, null, static (c, _) => c.Version == 3 ? null : "it is not of version 3"),
        new("signature-parameters", "RFC 4055 §5, CABF BR §7.1.3.2.1", RuleScope.Peers, null, static (c, _) =>
            c.SignatureAlgorithm.LacksNull ? "the parameters of its signature are absent instead of null" : null),
        new("no-unique-identifiers", "RFC 5280 §4.1.2.8, CABF BR §7.1.2.7", RuleScope.Peers, null, static (c, _) =>
            c.HasUniqueIdentifiers ? "it has a unique identifier" : null),
        new("leaf-no-cert-sign", "RFC 5280 §4.2.1.9", RuleScope.Present, StructureRole.Leaf, static (c, _) =>
            c.KeyUsage is { } u && u.HasFlag(KeyUsages.KeyCertSign) && !c.IsAuthority ? "it may sign certificates without being an authority" : null),
        new("key-usage-fits-key", "RFC 8410 §5, RFC 9881 §5", RuleScope.Present, null, static (c, _) =>
            c.PublicKey.Algorithm is KeyAlgorithm.Ed25519 or KeyAlgorithm.MlDsa44 or KeyAlgorithm.MlDsa65 or KeyAlgorithm.MlDsa87
                && c.KeyUsage is { } usage && (usage & ~(KeyUsages.DigitalSignature | KeyUsages.ContentCommitment | KeyUsages.KeyCertSign | KeyUsages.CrlSign)) != 0
                ? "its key can only sign, and is said to do more" : null),
        new("key-usage-not-empty", "RFC 5280 §4.2.1.3", RuleScope.Present, null, static (c, _) =>
            c.KeyUsage is KeyUsages.None ? "its key usage has no bit set" : null),
        new("name-constraints-authority-only", "RFC 5280 §4.2.1.10", RuleScope.Present, StructureRole.Leaf, static (c, _) =>
            c.NameConstraints is not null && !c.IsAuthority ? "it has name constraints without being an authority" : null),
        new("alternative-names-critical-without-subject", "RFC 5280 §4.2.1.6", RuleScope.Present, null, static (c, _) =>
            c.Subject.IsEmpty && c.Find(ObjectIdentifiers.SubjectAlternativeName) is not { Critical: true }
                ? "its subject is empty and its alternative names are not critical" : null),
        new("authority-key-identifier", "RFC 5280 §4.2.1.1", RuleScope.Present, null, static (c, _) =>
            !c.IsSelfIssued && c.AuthorityKeyIdentifier is null ? "it has no authority key identifier" : null)
        {
            // CABF BR §7.1.2.1.3 only recommends it where a path ends: nothing above a trust anchor is looked for.
            OnAnchors = RuleScope.Strict,
        },
        new("subject-key-identifier", "RFC 5280 §4.2.1.2", RuleScope.Present, StructureRole.Authority, static (c, _) =>
            c.SubjectKeyIdentifier is null ? "it has no subject key identifier" : null),
        new("policy-constraints-critical", "RFC 5280 §4.2.1.11", RuleScope.Present, null, static (c, _) =>
            c.Find(ObjectIdentifiers.PolicyConstraints) is { Critical: false } ? "its policy constraints are not critical" : null),
        new("inhibit-any-policy-critical", "RFC 5280 §4.2.1.14", RuleScope.Present, null, static (c, _) =>
            c.Find(ObjectIdentifiers.InhibitAnyPolicy) is { Critical: false } ? "its inhibit any-policy is not critical" : null),
        new("basic-constraints-critical", "RFC 5280 §4.2.1.9", RuleScope.Present, StructureRole.Authority, static (c, _) =>
            c.Find(ObjectIdentifiers.BasicConstraints) is { Critical: false } ? "its basic constraints are not critical" : null),
        new("path-length-needs-authority", "RFC 5280 §4.2.1.9", RuleScope.Present, null, static (c, _) =>
            c.BasicConstraints is { IsAuthority: false, PathLength: not null } ? "it limits a path without being an authority" : null),
        new("leaf-no-authority", "CABF BR §7.1.2.7.8", RuleScope.Peers, StructureRole.Leaf, static (c, _) =>
            c.IsAuthority ? "it is an authority, and those are no peers" : null),
        new("validity-time-form", "RFC 5280 §4.1.2.5", RuleScope.Present, null, static (c, _) =>
            c.TimeFormsFollowYear ? null : "a time before 2050 is not UTCTime, or a later one is not GeneralizedTime"),
        new("name-constraints-critical", "RFC 5280 §4.2.1.10", RuleScope.Strict, StructureRole.Authority, static (c, _) =>
            c.Find(ObjectIdentifiers.NameConstraints) is { Critical: false } ? "its name constraints are not critical" : null),
        new("name-constraints-syntax", "RFC 5280 §4.2.1.10", RuleScope.Present, StructureRole.Authority, static (c, _) =>
            c.NameConstraints is { } n && n.Permitted.Concat(n.Excluded).FirstOrDefault(subtree => !Subtree.IsWellFormed(subtree)) is { } odd
                ? $"its name constraint `{odd}` is malformed" : null),
        new("leaf-names-syntax", "RFC 5280 §4.2.1.6", RuleScope.Present, StructureRole.Leaf, static (c, _) =>
            c.AlternativeNames.FirstOrDefault(n => !HasSyntaxOfItsKind(n)) is { } odd ? $"its name `{odd}` is malformed" : null),
        // The preferred name syntax that the clause cites knows no underscore, and public authorities have issued none since 2019.
        new("leaf-dns-no-underscore", "RFC 5280 §4.2.1.6, CABF BR §7.1.2.7.12", RuleScope.Present, StructureRole.Leaf, static (c, _) =>
            c.AlternativeNames.FirstOrDefault(n => n.Kind == NameKinds.Dns && n.Text.Contains('_', StringComparison.Ordinal)) is { } odd ? $"`{odd.Text}` is no host name" : null),
        .. PublicWeb(),
    ];

    // The clause leaves it open what a star means in a DNS name; more than a first label of its own it is nowhere (RFC 9525 §6.3).
    static bool HasSyntaxOfItsKind(GeneralName name) => name.Kind switch
    {
        NameKinds.Dns => DnsName.IsValid(name.Text.StartsWith("*.", StringComparison.Ordinal) ? name.Text.AsSpan(2) : name.Text),
        NameKinds.Email => MailboxName.IsValid(name.Text),
        NameKinds.Uri => UriName.IsValid(name.Text),
        NameKinds.Other => name.InternationalMailbox is not { } mailbox || MailboxName.IsValid(mailbox.Text, anyScript: true),
        _ => true,
    };

    public static PathFault? Fault(Certificate certificate, StructureRole role, ValidationOptions options, bool isAnchor = false)
    {
        RuleBook book = options.Policy.Rules;
        foreach (StructureRule rule in Table)
        {
            bool binds = (isAnchor ? rule.OnAnchors ?? rule.Scope : rule.Scope) switch
            {
                RuleScope.Every => true,
                RuleScope.Present => book != RuleBook.Historic,
                RuleScope.Strict => book is RuleBook.Fleet or RuleBook.Internet,
                RuleScope.Peers => book is RuleBook.Fleet or RuleBook.Web,
                RuleScope.PublicWeb => book == RuleBook.Web,
            };
            if (binds && (rule.Role ?? role) == role && rule.Check(certificate, options) is { } message)
                return new PathFault(ValidationReason.InvalidStructure, $"`{certificate.Subject}`: {message} ({rule.Citation})", certificate);
        }

        return null;
    }
}
