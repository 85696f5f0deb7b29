using System.Net;

namespace Talos.Pki;

/// <summary>Everything that a TBSCertificate of ours is made of.</summary>
sealed record CertificateContent
{
    public required byte[] Serial { get; init; }

    public required DistinguishedName Issuer { get; init; }

    public required DistinguishedName Subject { get; init; }

    public required DateTimeOffset NotBefore { get; init; }

    public required DateTimeOffset NotAfter { get; init; }

    public required SubjectPublicKey PublicKey { get; init; }

    public required ReadOnlyMemory<byte> AuthorityKeyIdentifier { get; init; }

    public required CertificateProfile Profile { get; init; }

    public required IdentityGrant Grant { get; init; }

    public string? RevocationListUri { get; init; }
}

/// <summary>Writes the octets to be signed (RFC 5280 §4.1.2). Always version 3, always ecdsa-with-SHA256.</summary>
static class CertificateWriter
{
    public static DistinguishedName SubjectOf(CertificateProfile profile, IdentityGrant grant)
    {
        var attributes = new List<(string, string)>(grant.Roles.Length + 2);
        if (profile.IsAuthority)
            attributes.Add((ObjectIdentifiers.Organization, grant.Cluster));
        foreach (string role in grant.Roles)
            attributes.Add((ObjectIdentifiers.Organization, role));
        attributes.Add((ObjectIdentifiers.CommonName, grant.Name));
        return DistinguishedName.Create([.. attributes]);
    }

    public static byte[] Write(CertificateContent content)
    {
        var writer = new DerWriter();
        using (writer.Sequence())
        {
            using (writer.Open(0xA0))
                writer.Integer(2);
            writer.UnsignedInteger(content.Serial);
            using (writer.Sequence())
                writer.ObjectIdentifier(ObjectIdentifiers.Sha256WithEcdsa);
            writer.Raw(content.Issuer.Der.Span);
            using (writer.Sequence())
            {
                writer.Time(content.NotBefore);
                writer.Time(content.NotAfter);
            }

            writer.Raw(content.Subject.Der.Span);
            writer.Raw(content.PublicKey.Der.Span);
            using (writer.Open(0xA3))
            using (writer.Sequence())
                WriteExtensions(writer, content);
        }

        return writer.ToArray();
    }

    static void WriteExtensions(DerWriter writer, CertificateContent content)
    {
        CertificateProfile profile = content.Profile;
        WriteUse(writer, profile);
        if (!profile.Purposes.IsEmpty)
            Extension(writer, ObjectIdentifiers.ExtendedKeyUsage, critical: false, profile, static (w, p) =>
            {
                using (w.Sequence())
                    foreach (string purpose in p.Purposes)
                        w.ObjectIdentifier(purpose);
            });
        Extension(writer, ObjectIdentifiers.SubjectKeyIdentifier, critical: false, content, static (w, c) =>
            w.Value(DerTag.OctetString, c.PublicKey.Identifier.Span));
        Extension(writer, ObjectIdentifiers.AuthorityKeyIdentifier, critical: false, content, static (w, c) =>
        {
            using (w.Sequence())
                w.Value(0x80, c.AuthorityKeyIdentifier.Span);
        });
        if (profile.Kind != PeerKind.Unknown)
            Extension(writer, ObjectIdentifiers.SubjectAlternativeName, critical: false, content, WriteNames);
        if (profile.BoundToCluster)
            WriteBounds(writer, content.Grant.Cluster);
        if (content.RevocationListUri is { } uri)
            Extension(writer, ObjectIdentifiers.CrlDistributionPoints, critical: false, uri, WritePoint);
    }

    /// <summary>What an authority asks for when another one signs it.</summary>
    public static void WriteAuthorityExtensions(DerWriter writer, CertificateProfile profile, string cluster)
    {
        WriteUse(writer, profile);
        WriteBounds(writer, cluster);
    }

    static void WriteUse(DerWriter writer, CertificateProfile profile)
    {
        if (profile.IsAuthority)
            Extension(writer, ObjectIdentifiers.BasicConstraints, critical: true, profile, static (w, p) =>
            {
                using (w.Sequence())
                {
                    w.Boolean(true);
                    if (p.PathLength is { } length)
                        w.Integer(length);
                }
            });
        Extension(writer, ObjectIdentifiers.KeyUsage, critical: true, profile, static (w, p) => w.NamedBits((uint)p.KeyUsage));
    }

    static void WriteBounds(DerWriter writer, string bound)
    {
        // RFC 5280 §4.2.1.10: a URI constraint without a leading dot means exactly that host.
        Extension(writer, ObjectIdentifiers.NameConstraints, critical: true, bound, static (w, cluster) =>
        {
            using (w.Sequence())
            using (w.Open(0xA0))
            using (w.Sequence())
                w.Text(0x86, cluster);
        });
    }

    /// <summary>CRLDistributionPoints with one full name (RFC 5280 §4.2.1.13).</summary>
    public static void WritePoint(DerWriter writer, string uri)
    {
        using (writer.Sequence())
        using (writer.Sequence())
        using (writer.Open(0xA0))
        using (writer.Open(0xA0))
            writer.Text(0x86, uri);
    }

    static void WriteNames(DerWriter writer, CertificateContent content)
    {
        IdentityGrant grant = content.Grant;
        using (writer.Sequence())
        {
            foreach (string dns in grant.DnsNames)
                writer.Text(0x82, dns);
            foreach (IPAddress address in grant.Addresses)
                writer.Address(0x87, address);
            writer.Text(0x86, SpiffeId.Create(grant.Cluster, content.Profile.Kind, grant.Name).Require().ToString());
        }
    }

    public static void Extension(DerWriter writer, string id, bool critical, Action<DerWriter> write) =>
        Extension(writer, id, critical, write, static (w, content) => content(w));

    static void Extension<T>(DerWriter writer, string id, bool critical, T state, Action<DerWriter, T> write)
    {
        using (writer.Sequence())
        {
            writer.ObjectIdentifier(id);
            if (critical)
                writer.Boolean(true);
            using (writer.OctetString())
                write(writer, state);
        }
    }
}
