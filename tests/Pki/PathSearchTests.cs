using System.Security.Cryptography;
using Xunit;

namespace Talos.Pki.Tests;

public sealed class PathSearchTests
{
    static readonly ValidationOptions s_options = new() { Time = TestFleet.Now, Purpose = ValidationPurpose.Client };

    static TestCertificate Authority(string subject, string issuer, int? length = null)
    {
        TestCertificate c = TestCertificate.Authority();
        c.Subject = [TestCertificate.Text(ObjectIdentifiers.CommonName, subject)];
        c.Issuer = [TestCertificate.Text(ObjectIdentifiers.CommonName, issuer)];
        c.SetBasicConstraints(true, true, length);
        return c;
    }

    static Certificate Leaf(string issuer)
    {
        TestCertificate c = TestCertificate.User();
        c.Issuer = [TestCertificate.Text(ObjectIdentifiers.CommonName, issuer)];
        return c.Build();
    }

    static ValidationResult Chain(int intermediates)
    {
        Certificate root = Authority("A0", "A0").Build();
        Certificate[] sent = [.. Enumerable.Range(1, intermediates).Select(i => Authority($"A{i}", $"A{i - 1}").Build())];
        return PathValidator.Validate(Leaf($"A{intermediates}"), [.. sent.Reverse()], TrustStore.Create(root), s_options);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8)]
    public void Accepts_paths_up_to_the_limit(int intermediates) => Assert.Equal(intermediates + 2, Chain(intermediates).Path!.Certificates.Length);

    [Fact]
    public void Rejects_longer_paths_and_floods()
    {
        Assert.Equal(ValidationReason.PathTooLong, Chain(9).Reason);
        Certificate flood = Authority("A1", "A0").Build();
        Assert.Equal(
            ValidationReason.SearchTooLong,
            PathValidator.Validate(Leaf("A1"), Enumerable.Repeat(flood, 129).ToArray(), TrustStore.Create(Authority("A0", "A0").Build()), s_options).Reason);
    }

    [Fact]
    public void Survives_authorities_that_all_signed_each_other()
    {
        // Same name, different keys: nearly every one seems to have issued every other, and no search can prove it wrong cheaply.
        var keys = Enumerable.Range(0, 100).Select(_ => ECDsa.Create(ECCurve.NamedCurves.nistP256)).ToArray();
        Certificate[] sent = [.. keys.Select(key =>
        {
            TestCertificate c = Authority("Loop", "Loop");
            c.PublicKey = key.ExportSubjectPublicKeyInfo();
            return c.Build();
        })];
        ValidationResult result = PathValidator.Validate(Leaf("Loop"), sent, TrustStore.Create(Authority("A0", "A0").Build()), s_options);
        Assert.Equal(ValidationReason.SearchTooLong, result.Reason);
    }

    [Fact]
    public void Survives_ten_authorities_that_all_certified_each_other()
    {
        // Ninety signatures, all of them sound, and two million ways from the leaf to nowhere.
        ECDsa[] keys = [.. Enumerable.Range(0, 10).Select(_ => ECDsa.Create(ECCurve.NamedCurves.nistP256))];
        Certificate[] sent = [.. Enumerable.Range(0, 100).Where(i => i / 10 != i % 10).Select(i => Signed($"A{i / 10}", keys[i / 10], $"A{i % 10}", keys[i % 10]).Build())];
        TestCertificate leaf = TestCertificate.User();
        leaf.Issuer = [TestCertificate.Text(ObjectIdentifiers.CommonName, "A0")];
        leaf.Signer = keys[0];
        ValidationResult result = PathValidator.Validate(leaf.Build(), sent, TrustStore.Create(Authority("Root", "Root").Build()), s_options);
        Assert.Equal(ValidationReason.SearchTooLong, result.Reason);
    }

    static TestCertificate Signed(string subject, ECDsa key, string issuer, ECDsa by)
    {
        TestCertificate c = Authority(subject, issuer);
        (c.PublicKey, c.Signer) = (key.ExportSubjectPublicKeyInfo(), by);
        return c;
    }

    [Fact]
    public void Finds_the_one_of_several_of_a_name_that_signed()
    {
        ECDsa[] keys = [.. Enumerable.Range(0, 6).Select(_ => ECDsa.Create(ECCurve.NamedCurves.nistP256))];
        Certificate root = Authority("Root", "Root").Build();
        Certificate[] sent = [.. keys.Select(key => Signed("Middle", key, "Root", TestCertificate.Key).Build())];
        foreach ((ECDsa key, Certificate signer) in keys.Zip(sent))
        {
            TestCertificate leaf = TestCertificate.User();
            leaf.Issuer = [TestCertificate.Text(ObjectIdentifiers.CommonName, "Middle")];
            leaf.Signer = key;
            // The key identifiers tell nothing here: those of all are of one key that is none of theirs.
            ValidationResult result = PathValidator.Validate(leaf.Build(), sent, TrustStore.Create(root), s_options);
            Assert.Equal(signer, result.Path!.Certificates[1]);
        }
    }

    [Fact]
    public void Finds_the_way_through_a_cross_certificate_in_a_loop()
    {
        using ECDsa one = ECDsa.Create(ECCurve.NamedCurves.nistP256), two = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Certificate root = Authority("Root", "Root").Build();
        Certificate[] sent =
        [
            Signed("One", one, "Two", two).Build(), Signed("Two", two, "One", one).Build(), Signed("One", one, "One", one).Build(),
            Signed("Two", two, "Two", two).Build(), root, Signed("Two", two, "Root", TestCertificate.Key).Build(),
        ];
        TestCertificate leaf = TestCertificate.User();
        leaf.Issuer = [TestCertificate.Text(ObjectIdentifiers.CommonName, "One")];
        leaf.Signer = one;
        ValidationResult result = PathValidator.Validate(leaf.Build(), sent, TrustStore.Create(root), s_options);
        Assert.Equal([sent[0], sent[5], root], result.Path!.Certificates.Skip(1));
        Assert.Null(PathValidator.Validate(leaf.Build(), sent[..5], TrustStore.Create(root), s_options).Path);
    }

    [Fact]
    public void Finds_another_path_where_constraints_or_policies_forbid_the_first()
    {
        Certificate root = Authority("Root", "Root").Build();
        TestCertificate forbidding = Authority("Middle", "Root");
        forbidding.SetNameConstraints(true, w => w.Text(0x86, "other.example"));
        TestCertificate serving = Authority("Middle", "Root");
        serving.SetPurposes(ObjectIdentifiers.ServerAuth);
        Certificate[] sent = [forbidding.Build(), serving.Build(), Authority("Middle", "Root").Build()];
        Assert.Equal(sent[2], PathValidator.Validate(Leaf("Middle"), sent, TrustStore.Create(root), s_options).Path!.Certificates[1]);
        Assert.Null(PathValidator.Validate(Leaf("Middle"), sent[..2], TrustStore.Create(root), s_options).Path);
    }

    [Fact]
    public void Rejects_a_leaf_that_is_its_own_anchor()
    {
        TestCertificate own = TestCertificate.User();
        own.Issuer = own.Subject;
        Certificate leaf = own.Build();
        Assert.NotEqual(ValidationReason.Valid, PathValidator.Validate(leaf, [leaf], TrustStore.Create(leaf), s_options).Reason);
        Certificate root = Authority("Root", "Root").Build();
        ValidationOptions loose = s_options with { Policy = ValidationPolicy.Internet, Identity = IdentityDemand.NotRequired };
        Assert.NotEqual(ValidationReason.Valid, PathValidator.Validate(root, [root], TrustStore.Create(root), loose).Reason);
    }

    [Fact]
    public void Finds_the_way_around_an_expired_and_a_stray_certificate()
    {
        Certificate root = Authority("Root", "Root").Build();
        TestCertificate expired = Authority("Middle", "Root");
        expired.NotAfter = TestFleet.Now.AddDays(-1);
        expired.NotBefore = TestFleet.Now.AddDays(-2);
        Certificate[] sent = [expired.Build(), Authority("Stray", "Root").Build(), root, Authority("Middle", "Root").Build()];
        Assert.Equal(3, PathValidator.Validate(Leaf("Middle"), sent, TrustStore.Create(root), s_options).Path!.Certificates.Length);
        ValidationResult only = PathValidator.Validate(Leaf("Middle"), sent[..3], TrustStore.Create(root), s_options);
        Assert.Equal((ValidationReason.Expired, sent[0]), (only.Reason, only.Culprit));
    }

    [Fact]
    public void Accepts_octets_with_rubbish_beside_them()
    {
        Certificate root = Authority("Root", "Root").Build();
        ReadOnlyMemory<byte>[] sent = [new byte[] { 1, 2, 3 }, ReadOnlyMemory<byte>.Empty, Authority("Middle", "Root").Encode()];
        Assert.Equal(ValidationReason.Valid, PathValidator.Validate(Leaf("Middle").Der, sent, TrustStore.Create(root), s_options).Reason);
        Assert.Equal(ValidationReason.MalformedCertificate, PathValidator.Validate(sent[0], sent, TrustStore.Create(root), s_options).Reason);
    }

    [Fact]
    public void Rejects_authorities_beyond_a_path_length()
    {
        Certificate root = Authority("Root", "Root", length: 0).Build();
        Certificate middle = Authority("Middle", "Root").Build();
        ValidationResult result = PathValidator.Validate(Leaf("Middle"), [middle], TrustStore.Create(root), s_options);
        Assert.Equal((ValidationReason.PathTooLong, root), (result.Reason, result.Culprit));
    }

    [Fact]
    public void Rejects_a_leaf_that_issues()
    {
        Certificate root = Authority("Root", "Root").Build();
        TestCertificate anna = TestCertificate.User();
        anna.Issuer = [TestCertificate.Text(ObjectIdentifiers.CommonName, "Root")];
        TestCertificate forged = TestCertificate.User();
        forged.Issuer = anna.Subject;
        forged.Subject = [TestCertificate.Text(ObjectIdentifiers.CommonName, "berta")];
        forged.SetNames(w => w.Text(0x86, "spiffe://alpha.example/user/berta"));
        ValidationResult result = PathValidator.Validate(forged.Build(), [anna.Build()], TrustStore.Create(root), s_options);
        Assert.Equal(ValidationReason.NotAuthority, result.Reason);
    }

    [Fact]
    public void Accepts_an_anchor_with_a_broken_signature_but_no_intermediate()
    {
        TestCertificate root = Authority("Root", "Root");
        root.SignatureOid = ObjectIdentifiers.Sha1WithEcdsa;
        Assert.Equal(ValidationReason.Valid, PathValidator.Validate(Leaf("Root"), [], TrustStore.Create(root.Build()), s_options).Reason);
        TestCertificate middle = Authority("Middle", "Root");
        middle.SignatureOid = ObjectIdentifiers.Sha1WithEcdsa;
        Assert.Equal(
            ValidationReason.WeakAlgorithm,
            PathValidator.Validate(Leaf("Middle"), [middle.Build()], TrustStore.Create(Authority("Root", "Root").Build()), s_options).Reason);
    }
}
