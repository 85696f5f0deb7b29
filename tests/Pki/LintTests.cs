using System.Net;
using System.Security.Cryptography;
using Xunit;

namespace Talos.Pki.Tests;

/// <summary>Every lint has a certificate that passes it and one that fails it and nothing that it does not name.</summary>
public sealed class LintTests
{
    sealed record Fixture(Func<TestCertificate> Base, CertificateProfile Profile, Action<TestCertificate> Break, params string[] Also);

    static Fixture User(Action<TestCertificate> spoil, params string[] also) => new(TestCertificate.User, CertificateProfile.User, spoil, also);

    static Fixture Node(Action<TestCertificate> spoil, params string[] also) => new(TestCertificate.Node, CertificateProfile.Node, spoil, also);

    static Fixture Intermediate(Action<TestCertificate> spoil, params string[] also) => new(
        () =>
        {
            TestCertificate c = TestCertificate.Authority();
            c.Subject = [TestCertificate.Text(ObjectIdentifiers.CommonName, "Test intermediate")];
            c.NotBefore = TestFleet.Now.AddMinutes(-5);
            c.NotAfter = TestFleet.Now.AddDays(365).AddSeconds(-1);
            c.SetBasicConstraints(true, true, 0);
            c.SetNameConstraints(true, w => w.Text(0x86, "alpha.example"));
            return c;
        },
        CertificateProfile.OsIntermediate, spoil, also);

    static void UseRsa(TestCertificate c, int bits, byte[]? exponent = null, bool pss = false)
    {
        using var rsa = RSA.Create(bits);
        RSAParameters key = rsa.ExportParameters(false);
        var w = new DerWriter();
        using (w.Sequence())
        {
            using (w.Sequence())
            {
                w.ObjectIdentifier(pss ? ObjectIdentifiers.RsaPss : ObjectIdentifiers.RsaEncryption);
                if (pss)
                    using (w.Sequence())
                    {
                    }
                else
                    w.Null();
            }

            using (w.BitString())
            using (w.Sequence())
            {
                w.UnsignedInteger(key.Modulus);
                w.UnsignedInteger(exponent ?? key.Exponent!);
            }
        }

        c.PublicKey = w.ToArray();
        c.SetKeyIdentifiers();
    }

    static readonly Dictionary<string, Fixture> s_failing = new()
    {
        ["version-3"] = new(() => new TestCertificate { Version = 1, Subject = TestCertificate.User().Subject }, CertificateProfile.User, _ => { },
            "key-usage-critical", "key-usage-of-profile", "key-purposes-of-profile", "subject-key-identifier", "authority-key-identifier",
            "names-present", "names-one-spiffe-uri", "names-spiffe-is-subject"),
        ["serial-positive"] = User(c => c.Serial = [0x87, .. c.Serial[1..]], "serial-random"),
        ["serial-at-most-20-octets"] = User(c => c.Serial = [.. c.Serial, 1, 2, 3], "serial-random"),
        ["serial-random"] = User(c => c.Serial = [0x07, 1, 2, 3]),
        ["signature-strong"] = User(c => c.SignatureOid = ObjectIdentifiers.Sha1WithEcdsa),
        ["issuer-present"] = User(c => c.Issuer = [], "issuer-is-authority-subject"),
        ["issuer-is-authority-subject"] = User(c => c.Issuer = [TestCertificate.Text(ObjectIdentifiers.CommonName, "test ca")]),
        ["validity-order"] = User(c => c.NotAfter = c.NotBefore),
        ["validity-time-form"] = User(c => c.TimeTag = DerTag.GeneralizedTime),
        ["validity-within-profile"] = User(c => c.NotAfter = c.NotAfter.AddHours(1)),
        ["validity-within-issuer"] = User(c => c.NotBefore = TestFleet.Now.AddDays(-2), "validity-within-profile"),
        ["no-unique-identifiers"] = User(c => c.UniqueIdentifier = [0x82, 2, 0, 1]),
        ["subject-present"] = User(c => c.Subject = [], "subject-one-common-name", "names-spiffe-is-subject"),
        ["subject-one-common-name"] = User(c => c.Subject.Add(c.Subject[^1]), "names-spiffe-is-subject"),
        ["subject-attribute-lengths"] = User(c => c.Subject.Insert(0, TestCertificate.Text(ObjectIdentifiers.Organization, new string('a', 65)))),
        ["subject-attribute-types"] = User(c => c.Subject.Insert(0, TestCertificate.Text("2.5.4.11", "unit"))),
        ["subject-string-types"] = User(c => c.Subject[0] = [(ObjectIdentifiers.Organization, DerTag.TeletexString, "os:admin")]),
        ["subject-outer-spaces"] = User(c => c.Subject[0] = TestCertificate.Text(ObjectIdentifiers.Organization, " os:admin")),
        ["subject-single-valued"] = User(c => c.Subject = [[.. c.Subject[0], .. c.Subject[1]]]),
        ["key-allowed"] = User(c =>
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP521);
            c.PublicKey = key.ExportSubjectPublicKeyInfo();
            c.SetKeyIdentifiers();
        }),
        ["key-has-no-parameters"] = User(c => UseRsa(c, 3072, pss: true)),
        ["rsa-exponent"] = User(c => UseRsa(c, 3072, [3])),
        ["extensions-known"] = User(c => c.Set("1.3.6.1.4.1.55738.1", false, w => w.Null())),
        ["basic-constraints-critical"] = Intermediate(c => c.SetBasicConstraints(false, true, 0)),
        ["basic-constraints-leaf"] = User(c => c.SetBasicConstraints(true, true, null), "key-usage-cert-sign"),
        ["path-length-of-profile"] = Intermediate(c => c.SetBasicConstraints(true, true, null), "path-length-below-issuer"),
        ["path-length-below-issuer"] = Intermediate(c => c.SetBasicConstraints(true, true, 1), "path-length-of-profile"),
        ["key-usage-critical"] = User(c => c.Set(ObjectIdentifiers.KeyUsage, false, w => w.NamedBits((uint)KeyUsages.DigitalSignature))),
        ["key-usage-not-empty"] = User(c => c.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits(0)), "key-usage-of-profile"),
        ["key-usage-of-profile"] = User(c => c.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits((uint)KeyUsages.KeyAgreement))),
        ["key-usage-cert-sign"] = User(c => c.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits((uint)KeyUsages.KeyCertSign)), "key-usage-of-profile"),
        ["key-usage-fits-key"] = User(c => c.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits((uint)(KeyUsages.DigitalSignature | KeyUsages.KeyEncipherment))), "key-usage-of-profile"),
        ["key-purposes-of-profile"] = User(c => c.SetPurposes(ObjectIdentifiers.ServerAuth)),
        ["key-purposes-not-any"] = User(c => c.SetPurposes(ObjectIdentifiers.ClientAuth, ObjectIdentifiers.AnyExtendedKeyUsage), "key-purposes-of-profile"),
        ["key-purposes-distinct"] = User(c => c.SetPurposes(ObjectIdentifiers.ClientAuth, ObjectIdentifiers.ClientAuth), "key-purposes-of-profile"),
        ["key-purposes-not-critical"] = User(c => c.Extensions[ObjectIdentifiers.ExtendedKeyUsage] = (true, c.Extensions[ObjectIdentifiers.ExtendedKeyUsage].Write)),
        ["subject-key-identifier"] = User(c => c.Set(ObjectIdentifiers.SubjectKeyIdentifier, false, w => w.Value(DerTag.OctetString, new byte[20]))),
        ["subject-key-identifier-not-critical"] = User(c => c.Extensions[ObjectIdentifiers.SubjectKeyIdentifier] = (true, c.Extensions[ObjectIdentifiers.SubjectKeyIdentifier].Write)),
        ["authority-key-identifier"] = User(c => c.Extensions.Remove(ObjectIdentifiers.AuthorityKeyIdentifier)),
        ["authority-key-identifier-only"] = User(c => c.Set(ObjectIdentifiers.AuthorityKeyIdentifier, false, w =>
        {
            using (w.Sequence())
            {
                w.Value(0x80, TestCertificate.Authority().KeyIdentifier());
                w.Raw([0xA1, 3, 0x82, 1, 0x61]);
                w.UnsignedInteger([7], 0x82);
            }
        })),
        ["authority-key-identifier-not-critical"] = User(c => c.Extensions[ObjectIdentifiers.AuthorityKeyIdentifier] = (true, c.Extensions[ObjectIdentifiers.AuthorityKeyIdentifier].Write)),
        ["name-constraints-authority-only"] = User(c => c.SetNameConstraints(true, w => w.Text(0x82, "example"))),
        ["name-constraints-of-profile"] = Intermediate(c => c.SetNameConstraints(true, w => w.Text(0x82, "alpha.example"))),
        ["crl-points-not-critical"] = User(c => c.Set(ObjectIdentifiers.CrlDistributionPoints, true, w => CertificateWriter.WritePoint(w, "http://crl.example/0.crl"))),
        ["crl-points-http"] = User(c => c.Set(ObjectIdentifiers.CrlDistributionPoints, false, w => CertificateWriter.WritePoint(w, "ldap://crl.example/0"))),
        ["names-present"] = User(c => c.Extensions.Remove(ObjectIdentifiers.SubjectAlternativeName), "names-one-spiffe-uri", "names-spiffe-is-subject"),
        ["names-not-critical"] = User(c => c.SetNames(w => w.Text(0x86, "spiffe://alpha.example/user/anna"), critical: true)),
        ["names-one-spiffe-uri"] = User(c => c.SetNames(w =>
        {
            w.Text(0x86, "spiffe://alpha.example/user/anna");
            w.Text(0x86, "spiffe://alpha.example/user/berta");
        })),
        ["names-spiffe-is-subject"] = User(c => c.SetNames(w => w.Text(0x86, "spiffe://alpha.example/node/anna"))),
        ["names-of-profile"] = User(c => c.SetNames(w =>
        {
            w.Text(0x82, "anna.alpha.example");
            w.Text(0x86, "spiffe://alpha.example/user/anna");
        })),
        ["names-distinct"] = Node(c => c.SetNodeNames(w => w.Text(0x82, "node-1.alpha.example"))),
        ["names-dns-syntax"] = Node(c => c.SetNodeNames(w => w.Text(0x82, "node_1.alpha.example"))),
        ["names-dns-lower-case"] = Node(c => c.SetNodeNames(w => w.Text(0x82, "Node-2.alpha.example"))),
        ["names-address-specific"] = Node(c => c.SetNodeNames(w => w.Address(0x87, IPAddress.Any))),
    };

    public static TheoryData<string> Ids => [.. CertificateLints.Table.Select(lint => lint.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Accepts_the_sound_certificate_and_rejects_the_spoilt_one(string id)
    {
        Assert.True(s_failing.TryGetValue(id, out Fixture? fixture), $"lint `{id}` has no failing fixture");
        LintScope scope = LintScope.For(fixture.Profile, TestCertificate.Authority().Build());
        TestCertificate spoilt = fixture.Base();
        if (id != "version-3")
            Assert.Empty(CertificateLints.Run(spoilt.Build(), scope).Select(f => f.Lint.Id + ": " + f.Message));
        fixture.Break(spoilt);
        List<LintFinding> findings = CertificateLints.Run(spoilt.Build(), scope);
        Assert.Equal(fixture.Also.Append(id).Order(), findings.Select(f => f.Lint.Id).Order());
        Assert.All(findings, f => Assert.False(string.IsNullOrWhiteSpace(f.Message)));
    }

    [Fact]
    public void Rejects_fixtures_without_a_lint() =>
        Assert.Empty(s_failing.Keys.Except(CertificateLints.Table.Select(lint => lint.Id)));

    [Fact]
    public void Accepts_a_root_of_our_own()
    {
        using var fleet = new TestFleet();
        Assert.Empty(CertificateLints.Run(fleet.Authority.Certificate, LintScope.For(CertificateProfile.OsRoot)));
    }

    [Fact]
    public void Accepts_lints_only_with_a_citation_and_a_unique_name()
    {
        Assert.All(CertificateLints.Table, lint => Assert.Matches("^(RFC|CABF|X\\.690|SPIFFE|profile)", lint.Citation));
        Assert.Equal(CertificateLints.Table.Length, CertificateLints.Table.DistinctBy(lint => lint.Id).Count());
    }
}
