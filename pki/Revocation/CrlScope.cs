using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>Whether a list speaks about a certificate, and for which reasons (RFC 5280 §6.3.3(b), (d)).</summary>
static class CrlScope
{
    /// <summary>Bits 1 to 8 of ReasonFlags (RFC 5280 §4.2.1.13).</summary>
    public const uint AllReasons = 0x1FE;

    /// <summary>The reasons for which the list covers the certificate through this point; 0 when it does not.</summary>
    public static uint Reasons(CertificateRevocationList list, DistributionPoint point, Certificate certificate)
    {
        IssuingDistributionPoint? scope = list.DistributionPoint;
        if (point.CrlIssuer.IsEmpty)
        {
            if (!list.Issuer.Equals(certificate.Issuer))
                return 0;
        }
        else if (scope is not { Indirect: true } || !point.CrlIssuer.Any(n => list.Issuer.Equals(n.Directory)))
        {
            return 0;
        }

        if (scope is null)
            return point.Reasons ?? AllReasons;
        if (scope.OnlyAttributes || (scope.OnlyUsers && certificate.IsAuthority) || (scope.OnlyAuthorities && !certificate.IsAuthority))
            return 0;
        if (scope.Name is not null && !NamesMeet(list, scope.Name, point))
            return 0;
        return (scope.OnlyReasons ?? AllReasons) & (point.Reasons ?? AllReasons) & AllReasons;
    }

    static bool NamesMeet(CertificateRevocationList list, DistributionPointName listName, DistributionPoint point)
    {
        ImmutableArray<GeneralName> ofList = Full(listName, list.Issuer);
        // §6.3.3(b)(2)(i): without a name of its own the point goes by its CRL issuer
        ImmutableArray<GeneralName> ofPoint = point.Name is null ? point.CrlIssuer
            : Full(point.Name, point.CrlIssuer.Select(n => n.Directory).OfType<DistinguishedName>().FirstOrDefault() ?? list.Issuer);
        return ofList.Any(a => ofPoint.Any(b => Same(a, b)));
    }

    static ImmutableArray<GeneralName> Full(DistributionPointName name, DistinguishedName issuer)
    {
        if (name.Relative.IsEmpty)
            return name.FullName;
        DistinguishedName full = issuer.Append(name.Relative);
        return [new GeneralName(NameKinds.Directory, full.ToString(), default, full)];
    }

    static bool Same(GeneralName a, GeneralName b) =>
        a.Kind == b.Kind && (a.Directory is { } name ? name.Equals(b.Directory) : a.Octets.Span.SequenceEqual(b.Octets.Span));
}
