using System.Security.Cryptography;
using Xunit;

namespace Talos.Pki.Tests;

/// <summary>Every rule of form refuses the certificate that breaks it, under the bodies of rules that hold it and no other.</summary>
public sealed class StructureRuleTests
{
    static readonly ValidationPolicy[] s_policies = [ValidationPolicy.Fleet, ValidationPolicy.Internet, ValidationPolicy.Web, ValidationPolicy.Historic];

    static TestCertificate Server()
    {
        TestCertificate c = TestCertificate.User();
        c.SetPurposes(ObjectIdentifiers.ServerAuth);
        c.Subject = [TestCertificate.Text(ObjectIdentifiers.CommonName, "www.example.com")];
        c.SetNames(w => w.Text(0x82, "www.example.com"));
        return c;
    }

    static void Raw(TestCertificate c, string id, bool critical, params byte[] der) => c.Set(id, critical, w => w.Raw(der));

    static readonly Dictionary<string, (Func<TestCertificate> Base, Action<TestCertificate> Break)> s_failing = new()
    {
        ["serial-range"] = (Server, c => c.Serial = [0x80]),
        ["serial-not-zero"] = (Server, c => c.Serial = [0]),
        ["key-usage-der"] = (Server, c => Raw(c, ObjectIdentifiers.KeyUsage, true, 3, 3, 7, 0x80, 0)),
        ["issuer-present"] = (Server, c => c.Issuer = []),
        ["authority-subject-present"] = (TestCertificate.Authority, c => c.Subject = []),
        ["version-3"] = (Server, c =>
        {
            c.Version = 1;
            c.Extensions.Clear();
        }
        ),
        ["leaf-no-cert-sign"] = (Server, c => c.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits((uint)(KeyUsages.DigitalSignature | KeyUsages.KeyCertSign)))),
        ["key-usage-fits-key"] = (Server, c =>
        {
            // RFC 8410 §10.1
            c.PublicKey = Convert.FromHexString("302A300506032B657003210019BF44096984CDFE8541BAC167DC3B96C85086AA30B6B6CB0C5C38AD703166E1");
            c.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits((uint)(KeyUsages.DigitalSignature | KeyUsages.KeyAgreement)));
            c.SetKeyIdentifiers();
        }
        ),
        ["key-usage-not-empty"] = (Server, c => c.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits(0))),
        ["name-constraints-authority-only"] = (Server, c => c.SetNameConstraints(true, w => w.Text(0x82, "example.com"))),
        ["alternative-names-critical-without-subject"] = (Server, c => c.Subject = []),
        ["authority-key-identifier"] = (Server, c => c.Extensions.Remove(ObjectIdentifiers.AuthorityKeyIdentifier)),
        ["subject-key-identifier"] = (TestCertificate.Authority, c => c.Extensions.Remove(ObjectIdentifiers.SubjectKeyIdentifier)),
        ["policy-constraints-critical"] = (TestCertificate.Authority, c => Raw(c, ObjectIdentifiers.PolicyConstraints, false, 0x30, 3, 0x80, 1, 5)),
        ["inhibit-any-policy-critical"] = (TestCertificate.Authority, c => Raw(c, ObjectIdentifiers.InhibitAnyPolicy, false, 2, 1, 5)),
        ["basic-constraints-critical"] = (TestCertificate.Authority, c => c.SetBasicConstraints(false, true, 1)),
        ["path-length-needs-authority"] = (Server, c => c.SetBasicConstraints(true, false, 1)),
        ["leaf-no-authority"] = (Server, c => c.SetBasicConstraints(true, true, null)),
        ["validity-time-form"] = (Server, c => c.TimeTag = DerTag.GeneralizedTime),
        ["name-constraints-critical"] = (TestCertificate.Authority, c => c.SetNameConstraints(false, w => w.Text(0x82, "example.com"))),
        ["name-constraints-syntax"] = (TestCertificate.Authority, c => c.SetNameConstraints(true, w => w.Text(0x82, "*.example.com"))),
        ["signature-parameters"] = (Server, c => c.Algorithm = [0x30, 11, 6, 9, .. ObjectIdentifiers.Encode(ObjectIdentifiers.Sha256WithRsa)]),
        ["no-unique-identifiers"] = (Server, c => c.UniqueIdentifier = [0x82, 2, 0, 1]),
        ["leaf-names-syntax"] = (Server, c => c.SetNames(w =>
        {
            w.Text(0x82, "www.example.com");
            w.Text(0x81, "anna");
        })),
        ["leaf-dns-no-underscore"] = (Server, c => c.SetNames(w =>
        {
            w.Text(0x82, "www.example.com");
            w.Text(0x82, "w_1.example.com");
        })),
        ["leaf-key-purposes-present"] = (Server, c => c.Extensions.Remove(ObjectIdentifiers.ExtendedKeyUsage)),
        ["leaf-key-purposes-not-critical"] = (Server, c => c.Extensions[ObjectIdentifiers.ExtendedKeyUsage] = (true, c.Extensions[ObjectIdentifiers.ExtendedKeyUsage].Write)),
        ["leaf-key-purposes-not-any"] = (Server, c => c.SetPurposes(ObjectIdentifiers.ServerAuth, ObjectIdentifiers.AnyExtendedKeyUsage)),
        ["root-no-key-purposes"] = (TestCertificate.Authority, c => c.SetPurposes(ObjectIdentifiers.ServerAuth)),
        ["root-key-identifiers-equal"] = (TestCertificate.Authority, c => c.Set(ObjectIdentifiers.SubjectKeyIdentifier, false, w => w.Value(DerTag.OctetString, [1]))),
        ["authority-key-identifier-only"] = (Server, c => c.Set(ObjectIdentifiers.AuthorityKeyIdentifier, false, w =>
        {
            using (w.Sequence())
            {
                w.Value(0x80, c.KeyIdentifier());
                w.Raw([0xA1, 3, 0x82, 1, 0x61]);
                w.UnsignedInteger([7], 0x82);
            }
        })),
        ["rsa-bits-multiple-of-8"] = (Server, c =>
        {
            var w = new DerWriter();
            using (w.Sequence())
            {
                using (w.Sequence())
                {
                    w.ObjectIdentifier(ObjectIdentifiers.RsaEncryption);
                    w.Null();
                }

                using (w.BitString())
                using (w.Sequence())
                {
                    w.UnsignedInteger([0x0F, .. Enumerable.Repeat((byte)0xFF, 400)]);
                    w.Integer(65537);
                }
            }

            c.PublicKey = w.ToArray();
        }
        ),
        ["rsa-key-for-every-scheme"] = (Server, c => c.PublicKey = VerifiedRequest.Parse(File.ReadAllBytes(
            Path.Combine(AppContext.BaseDirectory, "vectors", "requests", "rsa3072-pss-only.pem"))).Require().PublicKey.Der.ToArray()),
        ["leaf-names-present"] = (Server, c => c.Extensions.Remove(ObjectIdentifiers.SubjectAlternativeName)),
        ["crl-points-are-uris"] = (Server, c => c.Set(ObjectIdentifiers.CrlDistributionPoints, false, w =>
        {
            using (w.Sequence())
            using (w.Sequence())
            using (w.Open(0xA0))
            using (w.Open(0xA0))
            {
                w.Text(0x86, "http://example.com/part.crl");
                w.Text(0x82, "example.com");
            }
        })),
        ["leaf-names-not-critical"] = (Server, c => c.SetNames(w => w.Text(0x82, "www.example.com"), critical: true)),
        ["leaf-dns-names"] = (Server, c => c.SetNames(w =>
        {
            w.Text(0x82, "www.example.com");
            w.Text(0x82, "-x.example.com");
        })),
        ["leaf-wildcards"] = (Server, c => c.SetNames(w =>
        {
            w.Text(0x82, "www.example.com");
            w.Text(0x82, "*.example.com");
        })),
        ["leaf-common-name-is-a-name"] = (Server, c => c.SetNames(w => w.Text(0x82, "other.example.com"))),
    };

    public static TheoryData<string> Ids => [.. StructureRules.Table.Select(rule => rule.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Rejects_what_breaks_the_rule_where_it_binds(string id)
    {
        Assert.True(s_failing.TryGetValue(id, out (Func<TestCertificate> Base, Action<TestCertificate> Break) fixture), $"rule `{id}` has no failing fixture");
        StructureRule rule = StructureRules.Table.Single(r => r.Id == id);
        StructureRole role = fixture.Base == TestCertificate.Authority ? StructureRole.Authority : StructureRole.Leaf;
        TestCertificate test = fixture.Base();
        Assert.Null(rule.Check(test.Build(), Options(ValidationPolicy.Web)));
        fixture.Break(test);
        Certificate broken = test.Build();
        Assert.NotNull(rule.Check(broken, Options(ValidationPolicy.Web)));
        foreach (ValidationPolicy policy in s_policies)
        {
            bool binds = rule.Scope switch
            {
                RuleScope.Every => true,
                RuleScope.Present => policy != ValidationPolicy.Historic,
                RuleScope.Strict => policy == ValidationPolicy.Fleet || policy == ValidationPolicy.Internet,
                RuleScope.Peers => policy == ValidationPolicy.Fleet || policy == ValidationPolicy.Web,
                RuleScope.PublicWeb => policy == ValidationPolicy.Web,
                _ => throw new ArgumentOutOfRangeException(nameof(id)),
            };
            if (!binds)
                continue;
            PathFault fault = StructureRules.Fault(broken, role, Options(policy))!;
            Assert.Equal(ValidationReason.InvalidStructure, fault.Reason);
        }
    }

    [Fact]
    public void Rejects_fixtures_without_a_rule() => Assert.Empty(s_failing.Keys.Except(StructureRules.Table.Select(rule => rule.Id)));

    [Theory]
    [InlineData("192.0.2.7", true)]
    [InlineData("example.com", true)]
    [InlineData("example", false)]
    [InlineData("0xC0000207", false)]
    [InlineData("0xC0.0x00.0x02.0x07", false)]
    [InlineData("192.0.002.007", false)]
    [InlineData("2001:0db8::1", false)]
    [InlineData("ex\u00e4mple.com", false)]
    public void Accepts_a_domain_as_common_name_beside_addresses_but_no_address_in_another_form(string common, bool isAccepted)
    {
        TestCertificate server = Server();
        server.Subject = [TestCertificate.Text(ObjectIdentifiers.CommonName, common)];
        server.SetNames(w => w.Address(0x87, System.Net.IPAddress.Parse("192.0.2.7")));
        Assert.Equal(isAccepted, StructureRules.Fault(server.Build(), StructureRole.Leaf, Options(ValidationPolicy.Web)) is null);
    }

    [Theory]
    [InlineData("example.com", true)]
    [InlineData("EXAMPLE.com", false)]
    [InlineData("www.example.com", false)]
    [InlineData("example.org", false)]
    public void Accepts_the_domain_right_above_a_wildcard_as_common_name(string common, bool isAccepted)
    {
        TestCertificate server = Server();
        server.Subject = [TestCertificate.Text(ObjectIdentifiers.CommonName, common)];
        server.SetNames(w => w.Text(0x82, "*.example.com"));
        ValidationOptions options = Options(ValidationPolicy.Web) with { IsPublicSuffix = domain => domain == "com" };
        Assert.Equal(isAccepted, StructureRules.Fault(server.Build(), StructureRole.Leaf, options) is null);
    }

    [Fact]
    public void Accepts_wildcards_below_what_is_no_public_suffix()
    {
        TestCertificate server = Server();
        s_failing["leaf-wildcards"].Break(server);
        ValidationOptions options = Options(ValidationPolicy.Web) with { IsPublicSuffix = domain => domain == "com" };
        Assert.Null(StructureRules.Fault(server.Build(), StructureRole.Leaf, options));
    }

    static ValidationOptions Options(ValidationPolicy policy) => new() { Time = TestFleet.Now, Purpose = ValidationPurpose.Server, Policy = policy };
}
