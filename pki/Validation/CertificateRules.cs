using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>Checks of single certificates in their role on a path; <see cref="StructureRules"/> is the table that they share.</summary>
static class CertificateRules
{
    // RFC 5280 §6.1.4(o): extensions that validation processes, and that may therefore be critical. Key identifiers and
    // information access must never be (§4.2.1.1, §4.2.1.2, §4.2.2.1), so they are not among them.
    static readonly ImmutableArray<string> s_processed =
    [
        ObjectIdentifiers.BasicConstraints, ObjectIdentifiers.KeyUsage, ObjectIdentifiers.ExtendedKeyUsage,
        ObjectIdentifiers.SubjectAlternativeName, ObjectIdentifiers.IssuerAlternativeName, ObjectIdentifiers.NameConstraints,
        ObjectIdentifiers.CertificatePolicies, ObjectIdentifiers.PolicyMappings, ObjectIdentifiers.PolicyConstraints,
        ObjectIdentifiers.InhibitAnyPolicy, ObjectIdentifiers.CrlDistributionPoints,
    ];

    static readonly ImmutableArray<string> s_apartFromMail =
        [ObjectIdentifiers.ServerAuth, ObjectIdentifiers.CodeSigning, ObjectIdentifiers.TimeStamping, ObjectIdentifiers.AnyExtendedKeyUsage];

    public static PathFault? LeafFault(Certificate leaf, ValidationOptions options)
    {
        if (Common(leaf, options, options.ListsInQuestion.IsEmpty ? StructureRole.Leaf : StructureRole.ListSigner) is { } fault)
            return fault;
        if (!ServesPurpose(leaf, options.Purpose, anyCounts: options.Policy.Rules is RuleBook.Internet or RuleBook.Historic))
            return new PathFault(ValidationReason.KeyPurpose, $"`{leaf.Subject}` is not for use {UseOf(options.Purpose)}", leaf);
        // CABF S/MIME BR §7.1.2.3(e)
        if (options.Purpose == ValidationPurpose.Email && leaf.Find(ObjectIdentifiers.KeyUsage) is not { Critical: true })
            return new PathFault(ValidationReason.KeyUsage, $"`{leaf.Subject}` has no critical key usage", leaf);
        // A TLS 1.3 peer signs the handshake with its key (RFC 8446 §4.4.2.2). Public servers may be reached by older versions; RFC
        // 5280 by itself knows no handshakes.
        KeyUsages handshake = options.Purpose == ValidationPurpose.Any ? KeyUsages.None : options.Policy.Rules switch
        {
            RuleBook.Fleet => KeyUsages.DigitalSignature,
            RuleBook.Web => KeyUsages.DigitalSignature | KeyUsages.KeyEncipherment | KeyUsages.KeyAgreement,
            RuleBook.Internet or RuleBook.Historic => KeyUsages.None,
        };
        if (handshake != KeyUsages.None && leaf.KeyUsage is { } usage && (usage & handshake) == 0)
            return new PathFault(ValidationReason.KeyUsage, $"the key of `{leaf.Subject}` may not sign a handshake", leaf);
        return options.ExpectedName is { } expected && !PeerNames.Holds(leaf, expected)
            ? new PathFault(ValidationReason.NameMismatch, $"the certificate is not for `{expected}`", leaf)
            {
                Hint = leaf.AlternativeNames.IsEmpty ? null : $"it is for {string.Join(", ", leaf.AlternativeNames.Take(5))}",
            }
            : null;
    }

    /// <param name="isAnchor">It is trusted as it is; nobody verifies its signature.</param>
    public static PathFault? AuthorityFault(Certificate authority, ValidationOptions options, bool isAnchor)
    {
        if (Common(authority, options, StructureRole.Authority, isAnchor) is { } fault)
            return fault;
        // RFC 5280 §6.1.4(k), (n)
        if (!authority.IsAuthority)
            return new PathFault(ValidationReason.NotAuthority, $"`{authority.Subject}` is no authority", authority);
        // CABF S/MIME BR §7.1.2.2(e)
        if (options.Purpose == ValidationPurpose.Email && !isAnchor && authority.KeyUsage?.HasFlag(KeyUsages.CrlSign) != true)
            return new PathFault(ValidationReason.KeyUsage, $"`{authority.Subject}` may not sign revocation lists", authority);
        return authority.KeyUsage is { } usage && !usage.HasFlag(KeyUsages.KeyCertSign)
            ? new PathFault(ValidationReason.KeyUsage, $"`{authority.Subject}` may not sign certificates", authority)
            : null;
    }

    /// <summary>RFC 5280 §4.2.1.12. Without the extension there is no restriction, except where the leaf must have it.</summary>
    public static bool ServesPurpose(Certificate certificate, ValidationPurpose purpose, bool anyCounts)
    {
        if (purpose == ValidationPurpose.Any || certificate.ExtendedKeyUsage is not { } purposes)
            return true;
        // CABF S/MIME BR §7.1.2.2(g), §7.1.2.3(f)
        if (purpose == ValidationPurpose.Email)
            return purposes.Contains(ObjectIdentifiers.EmailProtection) && !purposes.Any(s_apartFromMail.Contains);
        string wanted = purpose == ValidationPurpose.Client ? ObjectIdentifiers.ClientAuth : ObjectIdentifiers.ServerAuth;
        return purposes.Contains(wanted) || (anyCounts && purposes.Contains(ObjectIdentifiers.AnyExtendedKeyUsage));
    }

    /// <summary>Whether the last second, whole, is over: RFC 5280 §4.1.2.5 lets the year 9999 have one that nothing follows.</summary>
    public static bool IsPast(DateTimeOffset lastSecond, DateTimeOffset time) => time.AddSeconds(-1) >= lastSecond;

    static string UseOf(ValidationPurpose purpose) => purpose switch
    {
        ValidationPurpose.Client => "as a client",
        ValidationPurpose.Server => "as a server",
        ValidationPurpose.Email => "with mail",
        ValidationPurpose.Any or ValidationPurpose.Unspecified => "at all",
    };

    static PathFault? Common(Certificate certificate, ValidationOptions options, StructureRole role, bool isAnchor = false)
    {
        if (options.Time < certificate.NotBefore)
            return new PathFault(ValidationReason.NotYetValid, $"`{certificate.Subject}` is valid only from {certificate.NotBefore:u}", certificate)
            {
                Hint = "check this machine's clock",
            };
        // RFC 5280 §4.1.2.5: notAfter is inclusive, and certificates know no fractions of a second.
        if (IsPast(certificate.NotAfter, options.Time))
            return new PathFault(ValidationReason.Expired, $"`{certificate.Subject}` expired at {certificate.NotAfter:u}", certificate)
            {
                Hint = "renew it, or check this machine's clock",
            };
        if (!(isAnchor && certificate.IsSelfIssued) && !options.Policy.Accepts(certificate.SignatureAlgorithm))
            return new PathFault(ValidationReason.WeakAlgorithm, $"`{certificate.Subject}` is signed with {certificate.SignatureAlgorithm.Id}, which is not accepted", certificate);
        if (options.Policy.KeyFault(certificate.PublicKey) is { } weak)
            return new PathFault(ValidationReason.WeakKey, $"`{certificate.Subject}`: {weak}", certificate);
        foreach (CertificateExtension extension in certificate.Extensions)
            if (extension.Critical && !s_processed.Contains(extension.Id))
                return new PathFault(ValidationReason.UnknownCriticalExtension, $"`{certificate.Subject}` has the critical extension {extension.Id}, which is not processed", certificate);
        return StructureRules.Fault(certificate, role, options, isAnchor);
    }
}
