using System.Security.Cryptography;
using Xunit;

namespace Talos.Pki.Tests;

/// <summary>Lists that are sound and signed, and still say nothing of the certificate at hand (RFC 5280 §6.3.3, CABF BR §7.2.2.1).</summary>
public sealed class ListScopeTests
{
    const string Uri = "http://example.com/part.crl";

    static readonly byte[] s_other = [0x05, 0x11];

    public static TheoryData<string> Cases => [.. s_scopes.Keys];

    static readonly Dictionary<string, (Action<DerWriter>? Scope, byte[][] Serials, ValidationReason Web, ValidationReason Internet)> s_scopes = new()
    {
        ["no scope"] = (null, [], ValidationReason.Valid, ValidationReason.Valid),
        ["no scope, others listed"] = (null, [s_other], ValidationReason.Valid, ValidationReason.Valid),
        ["the certificate's point"] = (w => Full(w, w => w.Text(0x86, Uri)), [], ValidationReason.Valid, ValidationReason.Valid),
        ["another point"] = (w => Full(w, w => w.Text(0x86, "http://example.com/other.crl")), [], ValidationReason.RevocationUnknown, ValidationReason.RevocationUnknown),
        ["the same point in other octets"] = (w => Full(w, w => w.Text(0x86, "http://example.com/%70art.crl")), [], ValidationReason.RevocationUnknown, ValidationReason.RevocationUnknown),
        ["only authorities"] = (w => w.Value(0x82, [0xFF]), [], ValidationReason.RevocationUnknown, ValidationReason.RevocationUnknown),
        ["only attributes"] = (w => w.Value(0x85, [0xFF]), [], ValidationReason.RevocationUnknown, ValidationReason.RevocationUnknown),
        ["only users"] = (w => w.Value(0x81, [0xFF]), [], ValidationReason.Valid, ValidationReason.Valid),
        ["some reasons"] = (w => w.NamedBits(2, 0x83), [], ValidationReason.RevocationUnknown, ValidationReason.RevocationUnknown),
        ["indirect"] = (w => { Full(w, w => w.Text(0x86, Uri)); w.Value(0x84, [0xFF]); }, [], ValidationReason.RevocationUnknown, ValidationReason.Valid),
        ["a name besides the URI"] = (w => Full(w, w => { w.Text(0x86, Uri); w.Text(0x82, "example.com"); }), [], ValidationReason.RevocationUnknown, ValidationReason.Valid),
        ["a relative name"] = (w =>
        {
            using (w.Open(0xA0))
            using (w.Open(0xA1))
            using (w.Sequence())
            {
                w.ObjectIdentifier(ObjectIdentifiers.CommonName);
                w.Utf8("part");
            }
        }, [], ValidationReason.RevocationUnknown, ValidationReason.RevocationUnknown),
        ["another certificate listed twice"] = (null, [s_other, s_other], ValidationReason.RevocationUnknown, ValidationReason.RevocationUnknown),
    };

    [Theory]
    [InlineData(false, ValidationReason.RevocationUnknown)]
    [InlineData(true, ValidationReason.Valid)]
    public void Rejects_a_list_with_entries_of_other_issuers_that_does_not_say_so(bool saysSo, ValidationReason expected)
    {
        Certificate root = TestCertificate.Authority().Build();
        TestCertificate server = TestCertificate.User();
        server.Set(ObjectIdentifiers.CrlDistributionPoints, false, w => CertificateWriter.WritePoint(w, Uri));
        Certificate leaf = server.Build();
        // The leaf's own serial, said to be another issuer's: whether the leaf is revoked depends on what the reader makes of that.
        CertificateRevocationList list = Write(root, saysSo ? s_scopes["indirect"].Scope : null, [leaf.SerialOctets.ToArray()], entry =>
        {
            using (entry.Sequence())
            {
                entry.ObjectIdentifier(ObjectIdentifiers.CertificateIssuer);
                entry.Boolean(true);
                using (entry.OctetString())
                using (entry.Sequence())
                using (entry.Open(0xA4))
                    entry.Raw(DistinguishedName.Create((ObjectIdentifiers.CommonName, "Another CA")).Der.Span);
            }
        });
        Assert.Equal(expected, PathValidator.Validate(leaf, [], TrustStore.Create(root), new ValidationOptions
        {
            Time = TestFleet.Now,
            Purpose = ValidationPurpose.Client,
            Policy = ValidationPolicy.Internet,
            Identity = IdentityDemand.NotRequired,
            Crls = CrlStore.Create(CrlDemand.Required, [list]),
        }).Reason);
        Assert.Null(VerifiedRevocationList.Verify(list.Der.Span, TrustStore.Create(root), [], TestFleet.Now).Value);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Judges_by_what_a_list_covers(string name)
    {
        (Action<DerWriter>? scope, byte[][] serials, ValidationReason web, ValidationReason internet) = s_scopes[name];
        Certificate root = TestCertificate.Authority().Build();
        TestCertificate server = TestCertificate.User();
        server.SetPurposes(ObjectIdentifiers.ServerAuth);
        server.Subject = [TestCertificate.Text(ObjectIdentifiers.CommonName, "www.example.com")];
        server.SetNames(w => w.Text(0x82, "www.example.com"));
        server.Set(ObjectIdentifiers.CrlDistributionPoints, false, w => CertificateWriter.WritePoint(w, Uri));
        Certificate leaf = server.Build();
        CertificateRevocationList list = Write(root, scope, serials);
        foreach ((ValidationPolicy policy, ValidationReason expected) in new[] { (ValidationPolicy.Web, web), (ValidationPolicy.Internet, internet) })
            foreach (CrlDemand demand in new[] { CrlDemand.Required, CrlDemand.WhereProvided })
                Assert.Equal(expected, PathValidator.Validate(leaf, [], TrustStore.Create(root), new ValidationOptions
                {
                    Time = TestFleet.Now,
                    Purpose = ValidationPurpose.Server,
                    Policy = policy,
                    Identity = IdentityDemand.NotRequired,
                    Crls = CrlStore.Create(demand, [list]),
                }).Reason);
    }

    static void Full(DerWriter w, Action<DerWriter> names)
    {
        using (w.Open(0xA0))
        using (w.Open(0xA0))
            names(w);
    }

    static CertificateRevocationList Write(Certificate root, Action<DerWriter>? scope, byte[][] serials, Action<DerWriter>? entryExtensions = null)
    {
        var content = new DerWriter();
        using (content.Sequence())
        {
            content.Integer(1);
            TestCertificate.WriteIdentifier(content, ObjectIdentifiers.Sha256WithEcdsa);
            content.Raw(root.Subject.Der.Span);
            content.Time(TestFleet.Now.AddHours(-1));
            content.Time(TestFleet.Now.AddHours(1));
            if (serials.Length > 0)
                using (content.Sequence())
                    foreach (byte[] serial in serials)
                        using (content.Sequence())
                        {
                            content.UnsignedInteger(serial);
                            content.Time(TestFleet.Now.AddHours(-2));
                            if (entryExtensions is not null)
                                using (content.Sequence())
                                    entryExtensions(content);
                        }

            using (content.Open(0xA0))
            using (content.Sequence())
            {
                Extension(content, ObjectIdentifiers.AuthorityKeyIdentifier, false, w => w.Value(0x80, root.SubjectKeyIdentifier!.Value.Span));
                using (content.Sequence())
                {
                    content.ObjectIdentifier(ObjectIdentifiers.CrlNumber);
                    using (content.OctetString())
                        content.Integer(1);
                }

                if (scope is not null)
                    Extension(content, ObjectIdentifiers.IssuingDistributionPoint, true, scope);
            }
        }

        var whole = new DerWriter();
        using (whole.Sequence())
        {
            whole.Raw(content.Written);
            TestCertificate.WriteIdentifier(whole, ObjectIdentifiers.Sha256WithEcdsa);
            using (whole.BitString())
                whole.Raw(TestCertificate.Key.SignData(content.Written, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }

        return CertificateRevocationList.Parse(whole.Written).Require();
    }

    static void Extension(DerWriter writer, string id, bool critical, Action<DerWriter> write) => CertificateWriter.Extension(writer, id, critical, w =>
    {
        using (w.Sequence())
            write(w);
    });
}
