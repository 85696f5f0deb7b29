using Xunit;

namespace Talos.Pki.Tests;

public sealed class IdentityTests
{
    static ValidationResult Validate(TestCertificate leaf, Func<ValidationOptions, ValidationOptions>? with = null)
    {
        var options = new ValidationOptions { Time = TestFleet.Now, Purpose = ValidationPurpose.Client };
        return PathValidator.Validate(leaf.Build(), [], TrustStore.Create(TestCertificate.Authority().Build()), with?.Invoke(options) ?? options);
    }

    [Fact]
    public void Accepts_a_person()
    {
        PeerIdentity anna = Validate(TestCertificate.User()).Peer!;
        Assert.Equal((PeerKind.User, "anna", "alpha.example"), (anna.Kind, anna.Name, anna.Cluster));
        Assert.Equal(["os:admin"], anna.Roles);
        Assert.Equal("075a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", anna.Serial);
    }

    [Fact]
    public void Accepts_a_person_without_roles()
    {
        TestCertificate anna = TestCertificate.User();
        anna.Subject.RemoveAt(0);
        Assert.Empty(Validate(anna).Peer!.Roles);
    }

    public static TheoryData<string> Nameless => ["no-cn", "two-cn", "no-uri", "two-uris", "other-name", "web-uri", "port", "deeper", "odd-role"];

    [Theory]
    [MemberData(nameof(Nameless))]
    public void Rejects_who_has_no_identity(string flaw)
    {
        TestCertificate c = TestCertificate.User();
        switch (flaw)
        {
            case "no-cn": c.Subject.RemoveAt(1); break;
            case "two-cn": c.Subject.Add(c.Subject[1]); break;
            case "no-uri": c.SetNames(w => w.Text(0x82, "anna.example")); break;
            case "two-uris":
                c.SetNames(w =>
                {
                    w.Text(0x86, "spiffe://alpha.example/user/anna");
                    w.Text(0x86, "spiffe://alpha.example/user/anna");
                });
                break;
            case "other-name": c.SetNames(w => w.Text(0x86, "spiffe://alpha.example/user/berta")); break;
            case "web-uri": c.SetNames(w => w.Text(0x86, "https://alpha.example/user/anna")); break;
            case "port": c.SetNames(w => w.Text(0x86, "spiffe://alpha.example:1/user/anna")); break;
            case "deeper": c.SetNames(w => w.Text(0x86, "spiffe://alpha.example/user/anna/x")); break;
            case "odd-role": c.Subject[0] = TestCertificate.Text(ObjectIdentifiers.Organization, "OS:ADMIN"); break;
        }

        ValidationResult result = Validate(c);
        Assert.Equal(ValidationReason.NoIdentity, result.Reason);
        Assert.Null(result.Peer);
        Assert.Equal(ValidationReason.Valid, Validate(c, o => o with { Identity = IdentityDemand.NotRequired }).Reason);
    }

    [Fact]
    public void Rejects_another_kind_and_another_cluster()
    {
        TestCertificate anna = TestCertificate.User();
        Assert.Equal(ValidationReason.WrongKind, Validate(anna, o => o with { ExpectedKinds = [PeerKind.Node, PeerKind.Trustd] }).Reason);
        Assert.Equal(ValidationReason.Valid, Validate(anna, o => o with { ExpectedKinds = [PeerKind.User] }).Reason);
        Assert.Equal(ValidationReason.WrongCluster, Validate(anna, o => o with { ExpectedCluster = "beta.example" }).Reason);
        // Asking for a kind asks for an identity, whatever was said of it.
        anna.SetNames(w => w.Text(0x82, "anna.example"));
        Assert.Equal(ValidationReason.NoIdentity, Validate(anna, o => o with { Identity = IdentityDemand.NotRequired, ExpectedKinds = [PeerKind.User] }).Reason);
    }

    [Fact]
    public void Rejects_what_a_bound_authority_may_not_name()
    {
        TestCertificate authority = TestCertificate.Authority();
        authority.SetNameConstraints(true, w => w.Text(0x86, "beta.example"));
        var options = new ValidationOptions { Time = TestFleet.Now, Purpose = ValidationPurpose.Client };
        ValidationResult result = PathValidator.Validate(TestCertificate.User().Build(), [], TrustStore.Create(authority.Build()), options);
        Assert.Equal(ValidationReason.NameConstraints, result.Reason);
        Assert.Contains("`URI:spiffe://alpha.example/user/anna`", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_a_server_of_another_name()
    {
        TestCertificate node = TestCertificate.Node();
        foreach (string host in (string[])["node-1.alpha.example", "NODE-1.alpha.example", "10.0.0.7"])
            Assert.Equal(ValidationReason.Valid, Validate(node, o => o with { Purpose = ValidationPurpose.Server, ExpectedName = ExpectedName.Host(host) }).Reason);
        foreach (string host in (string[])["node-2.alpha.example", "node-1", "10.0.0.8", "::ffff:10.0.0.7", ""])
            Assert.Equal(ValidationReason.NameMismatch, Validate(node, o => o with { Purpose = ValidationPurpose.Server, ExpectedName = ExpectedName.Host(host) }).Reason);
    }

    [Fact]
    public void Rejects_by_default_what_was_not_asked()
    {
        Assert.Equal(ValidationReason.InvalidOptions, Validate(TestCertificate.User(), o => o with { Purpose = ValidationPurpose.Unspecified }).Reason);
        var options = new ValidationOptions { Time = TestFleet.Now, Purpose = ValidationPurpose.Client };
        Assert.Equal(ValidationReason.NoTrustAnchors, PathValidator.Validate(TestCertificate.User().Build(), [], TrustStore.Create(), options).Reason);
        Certificate authority = TestCertificate.Authority().Build();
        // An anchor is trusted to issue, not to be a peer.
        Assert.NotEqual(ValidationReason.Valid, PathValidator.Validate(authority, [], TrustStore.Create(authority), options).Reason);
    }

    [Fact]
    public void Rejects_by_the_callers_revocation()
    {
        TestCertificate anna = TestCertificate.User();
        var asked = new List<string>();
        ValidationResult Ask(RevocationStatus status) => Validate(anna, o => o with
        {
            Revocation = (certificate, _) =>
            {
                asked.Add(certificate.Serial);
                return status;
            },
        });
        Assert.Equal(ValidationReason.Valid, Ask(RevocationStatus.Good).Reason);
        Assert.Equal(ValidationReason.Revoked, Ask(RevocationStatus.Revoked).Reason);
        Assert.Equal(ValidationReason.RevocationUnknown, Ask(RevocationStatus.Unknown).Reason);
        Assert.Equal(3, asked.Count);
    }

    [Fact]
    public void Rejects_weak_keys_and_signatures()
    {
        TestCertificate anna = TestCertificate.User();
        using (var rsa = System.Security.Cryptography.RSA.Create(2048))
            anna.PublicKey = rsa.ExportSubjectPublicKeyInfo();
        anna.SetKeyIdentifiers();
        Assert.Equal(ValidationReason.WeakKey, Validate(anna).Reason);
        Assert.Equal(ValidationReason.WeakAlgorithm, Validate(new TestCertificate { SignatureOid = ObjectIdentifiers.Sha1WithEcdsa, Subject = anna.Subject }).Reason);
    }

    [Theory]
    [InlineData("spiffe://alpha.example/user/anna", PeerKind.User)]
    [InlineData("spiffe://alpha/node/node-1.a_b", PeerKind.Node)]
    [InlineData("spiffe://a/trustd/t", PeerKind.Trustd)]
    public void Accepts_identities(string text, PeerKind kind)
    {
        SpiffeId id = SpiffeId.Parse(text).Require();
        Assert.Equal((kind, text), (id.Kind, id.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("spiffe://")]
    [InlineData("spiffe:///user/anna")]
    [InlineData("spiffe://alpha/user/")]
    [InlineData("spiffe://alpha/group/anna")]
    [InlineData("spiffe://alpha/user/anna?x")]
    [InlineData("spiffe://alpha/user/an%6ea")]
    [InlineData("SPIFFE://alpha/user/anna")]
    [InlineData("spiffe://Alpha/user/anna")]
    [InlineData("spiffe://alpha/unknown/anna")]
    public void Rejects_other_identities(string text) => Assert.Equal(PkiReason.MalformedName, SpiffeId.Parse(text).Failure!.Reason);
}
