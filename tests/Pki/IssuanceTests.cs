using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace Talos.Pki.Tests;

public sealed class IssuanceTests
{
    [Fact]
    public void Accepts_a_node_and_validates_it()
    {
        using var fleet = new TestFleet();
        Certificate node = fleet.Issue(CertificateProfile.Node, TestFleet.NodeGrant);
        ValidationResult result = fleet.Validate(node, ValidationPurpose.Client);
        Assert.Equal(ValidationReason.Valid, result.Reason);
        PeerIdentity peer = result.Peer!;
        Assert.Equal("node-1", peer.Name);
        Assert.Equal(PeerKind.Node, peer.Kind);
        Assert.Equal(["os:node"], peer.Roles);
        Assert.Equal("spiffe://alpha.example/node/node-1", peer.Spiffe.ToString());
        Assert.Equal(36, peer.Serial.Length);
        Assert.StartsWith("07", peer.Serial, StringComparison.Ordinal);
        Assert.Equal(TestFleet.Now.AddHours(24).AddSeconds(-1), peer.NotAfter);
        Assert.Equal(ValidationReason.Valid, fleet.Validate(node, ValidationPurpose.Server).Reason);
    }

    [Fact]
    public void Accepts_what_the_platform_accepts_too()
    {
        using var fleet = new TestFleet();
        Certificate node = fleet.Issue(CertificateProfile.Node, TestFleet.NodeGrant);
        using X509Certificate2 root = X509CertificateLoader.LoadCertificate(fleet.Authority.Certificate.Der.Span);
        using X509Certificate2 leaf = X509CertificateLoader.LoadCertificate(node.Der.Span);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = TestFleet.Now.UtcDateTime;
        Assert.True(chain.Build(leaf), string.Join(", ", chain.ChainStatus.Select(s => s.StatusInformation)));
    }

    [Fact]
    public void Rejects_a_user_as_a_server()
    {
        using var fleet = new TestFleet();
        Certificate user = fleet.Issue(CertificateProfile.User, TestFleet.UserGrant);
        Assert.Equal(ValidationReason.Valid, fleet.Validate(user, ValidationPurpose.Client).Reason);
        Assert.Equal(ValidationReason.KeyPurpose, fleet.Validate(user, ValidationPurpose.Server).Reason);
    }

    [Fact]
    public void Records_the_serial_and_octets_before_signing()
    {
        using var fleet = new TestFleet();
        PreparedCertificate prepared = fleet.Prepare(CertificateProfile.User, TestFleet.UserGrant, TestFleet.Request(TestFleet.UserGrant)).Require();
        SerialRecord record = Assert.Single(fleet.Ledger).Value;
        Certificate issued = fleet.Authority.Issue(prepared);
        Assert.Equal(record.Serial, issued.Serial);
        Assert.True(record.ToBeSigned.Span.SequenceEqual(issued.ToBeSigned.Span));
        Assert.Equal(issued.NotAfter, record.NotAfter);
    }

    [Fact]
    public void Rejects_a_second_redemption()
    {
        using var fleet = new TestFleet();
        PreparedCertificate prepared = fleet.Prepare(CertificateProfile.User, TestFleet.UserGrant, TestFleet.Request(TestFleet.UserGrant)).Require();
        fleet.Authority.Issue(prepared);
        Assert.Throws<InvalidOperationException>(() => fleet.Authority.Issue(prepared));
    }

    [Fact]
    public void Rejects_what_another_authority_prepared()
    {
        using var fleet = new TestFleet();
        using var other = new TestFleet();
        PreparedCertificate prepared = fleet.Prepare(CertificateProfile.User, TestFleet.UserGrant, TestFleet.Request(TestFleet.UserGrant)).Require();
        Assert.Throws<InvalidOperationException>(() => other.Authority.Issue(prepared));
    }

    [Fact]
    public async Task Rejects_when_the_serial_is_not_recorded()
    {
        using var fleet = new TestFleet();
        Checked<PreparedCertificate> refused = await fleet.Authority.PrepareAsync(
            CertificateProfile.User, TestFleet.UserGrant, TestFleet.Request(TestFleet.UserGrant), (_, _) => new(SerialVerdict.NotRecorded));
        Assert.Equal(PkiReason.SerialNotRecorded, refused.Failure!.Reason);
    }

    [Fact]
    public async Task Draws_another_serial_after_a_duplicate()
    {
        using var fleet = new TestFleet();
        var seen = new List<string>();
        Checked<PreparedCertificate> prepared = await fleet.Authority.PrepareAsync(
            CertificateProfile.User, TestFleet.UserGrant, TestFleet.Request(TestFleet.UserGrant), (record, _) =>
            {
                seen.Add(record.Serial);
                return new(seen.Count == 1 ? SerialVerdict.Duplicate : SerialVerdict.Recorded);
            });
        Assert.Equal(2, seen.Distinct().Count());
        Assert.Equal(seen[1], prepared.Require().Serial);
    }

    public static TheoryData<string, IdentityGrant, PkiReason, string> Excesses => new()
    {
        { "cn", new IdentityGrant { Cluster = TestFleet.Cluster, Name = "other" }, PkiReason.ExcessName, "`node-1`" },
        { "dns", TestFleet.NodeGrant with { DnsNames = [] }, PkiReason.ExcessName, "DNS:node-1.alpha.example" },
        { "ip", TestFleet.NodeGrant with { Addresses = [IPAddress.Parse("10.0.0.8")] }, PkiReason.ExcessName, "IP:10.0.0.7" },
    };

    [Theory]
    [MemberData(nameof(Excesses))]
    public void Rejects_a_request_beyond_its_grant_naming_the_excess(string name, IdentityGrant grant, PkiReason reason, string excess)
    {
        using var fleet = new TestFleet();
        PkiFailure failure = fleet.Prepare(CertificateProfile.Node, grant, TestFleet.Request(TestFleet.NodeGrant)).Failure!;
        Assert.Equal((name, reason), (name, failure.Reason));
        Assert.Contains(excess, failure.Message, StringComparison.Ordinal);
        Assert.Empty(fleet.Ledger);
    }

    [Fact]
    public void Copies_no_role_from_the_request()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var asking = new CertificateRequest("O=os:admin, CN=node-1", key, HashAlgorithmName.SHA256);
        VerifiedRequest request = VerifiedRequest.Parse(asking.CreateSigningRequest()).Require();
        using var fleet = new TestFleet();
        PkiFailure failure = fleet.Prepare(CertificateProfile.Node, TestFleet.NodeGrant, request).Failure!;
        Assert.Equal(PkiReason.ExcessRole, failure.Reason);
        Assert.Contains("`os:admin`", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Copies_no_extension_from_the_request()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var asking = new CertificateRequest("CN=node-1", key, HashAlgorithmName.SHA256);
        asking.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        asking.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        using var fleet = new TestFleet();
        Certificate issued = fleet.Issue(CertificateProfile.Node, TestFleet.NodeGrant, VerifiedRequest.Parse(asking.CreateSigningRequest()).Require());
        Assert.False(issued.IsAuthority);
        Assert.Equal(KeyUsages.DigitalSignature, issued.KeyUsage);
    }

    [Fact]
    public void Rejects_an_expired_certificate_and_one_from_the_future()
    {
        using var fleet = new TestFleet();
        Certificate node = fleet.Issue(CertificateProfile.Node, TestFleet.NodeGrant);
        fleet.Clock.Time = node.NotAfter.AddMilliseconds(999);
        Assert.Equal(ValidationReason.Valid, fleet.Validate(node, ValidationPurpose.Client).Reason);
        fleet.Clock.Time = node.NotAfter.AddSeconds(1);
        Assert.Equal(ValidationReason.Expired, fleet.Validate(node, ValidationPurpose.Client).Reason);
        fleet.Clock.Time = node.NotBefore.AddTicks(-1);
        Assert.Equal(ValidationReason.NotYetValid, fleet.Validate(node, ValidationPurpose.Client).Reason);
    }

    [Fact]
    public void Rejects_a_foreign_certificate()
    {
        using var fleet = new TestFleet();
        using var other = new TestFleet();
        Certificate foreign = other.Issue(CertificateProfile.Node, TestFleet.NodeGrant);
        ValidationResult result = fleet.Validate(foreign, ValidationPurpose.Client);
        Assert.Equal(ValidationReason.UnknownIssuer, result.Reason);
        Assert.NotEqual(fleet.Authority.Certificate.Subject, other.Authority.Certificate.Subject);
        Assert.Null(result.Path);
    }

    [Fact]
    public async Task Accepts_an_intermediate_between()
    {
        using var fleet = new TestFleet();
        var grant = new IdentityGrant { Cluster = TestFleet.Cluster, Name = "intermediate-1" };
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var csr = CertificateSigningRequest.Create(key, grant.Name);
        Certificate intermediate = fleet.Issue(CertificateProfile.OsIntermediate, grant, VerifiedRequest.Parse(csr.Der.Span).Require());
        using CertificateAuthority below = CertificateAuthority.Load(intermediate, key, 9, fleet.Clock).Require();
        Checked<PreparedCertificate> prepared = await below.PrepareAsync(
            CertificateProfile.Node, TestFleet.NodeGrant, TestFleet.Request(TestFleet.NodeGrant), fleet.Reserve);
        Certificate leaf = below.Issue(prepared.Require());
        Assert.Equal(ValidationReason.UnknownIssuer, fleet.Validate(leaf, ValidationPurpose.Client).Reason);
        Assert.Equal(ValidationReason.Valid, fleet.Validate(leaf, ValidationPurpose.Client, intermediate).Reason);
        Checked<PreparedCertificate> abroad = await below.PrepareAsync(
            CertificateProfile.User, TestFleet.UserGrant with { Cluster = "beta.example" }, TestFleet.Request(TestFleet.UserGrant), fleet.Reserve);
        Assert.Equal(PkiReason.ExcessName, abroad.Failure!.Reason);
        Checked<PreparedCertificate> deeper = await below.PrepareAsync(
            CertificateProfile.OsIntermediate, grant, VerifiedRequest.Parse(csr.Der.Span).Require(), fleet.Reserve);
        Assert.Equal(PkiReason.IssuerMismatch, deeper.Failure!.Reason);
    }

    [Fact]
    public async Task Issues_to_many_callers_at_once()
    {
        using var fleet = new TestFleet();
        Certificate[][] issued = await Task.WhenAll(Enumerable.Range(0, 32).Select(caller => Task.Run(() =>
        {
            IdentityGrant grant = TestFleet.UserGrant with { Name = $"caller-{caller}" };
            VerifiedRequest request = TestFleet.Request(grant);
            return Enumerable.Range(0, 20).Select(_ => fleet.Issue(CertificateProfile.User, grant, request)).ToArray();
        })));
        Certificate[] all = [.. issued.SelectMany(c => c)];
        Assert.Equal(640, all.Select(c => c.Serial).Distinct().Count());
        Assert.Equal(640, fleet.Ledger.Count);
        ValidationResult[] results = await Task.WhenAll(all.Select(c => Task.Run(() => fleet.Validate(c, ValidationPurpose.Client))));
        Assert.All(results.Zip(all), pair => Assert.Equal(pair.Second.Subject.CommonNames[0], pair.First.Peer?.Name));
    }
}
