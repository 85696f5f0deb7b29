using System.Security.Cryptography;
using Xunit;

namespace Talos.Pki.Tests;

/// <summary>Root, authorities and leaf, sound but for what a case makes of them, and two judges of them: this library and `openssl verify`.</summary>
sealed class TestPath
{
    static readonly ECDsa[] s_keys = [.. Enumerable.Range(0, 8).Select(_ => ECDsa.Create(ECCurve.NamedCurves.nistP256))];

    /// <summary>Nobody's on any path.</summary>
    public static readonly ECDsa StrangeKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>Root, authorities, leaf.</summary>
    public List<TestCertificate> Certificates { get; } = [];

    public TestCertificate Root => Certificates[0];

    public TestCertificate Authority => Certificates[1];

    public TestCertificate Leaf => Certificates[^1];

    public ValidationOptions Options { get; set; } = new()
    {
        Time = TestFleet.Now,
        Purpose = ValidationPurpose.Client,
        Policy = ValidationPolicy.Internet,
        Identity = IdentityDemand.NotRequired,
    };

    /// <summary>What `openssl verify` is told besides; null where it does not look at the clause.</summary>
    public string[]? Oracle { get; set; } = [];

    /// <summary>A sound path through this many authorities, each with a key of its own.</summary>
    public static TestPath Sound(int authorities = 1)
    {
        var path = new TestPath();
        for (int i = 0; i < authorities + 2; i++)
        {
            TestCertificate c = i == authorities + 1 ? TestCertificate.User() : TestCertificate.Authority();
            c.Issuer = [TestCertificate.Text(ObjectIdentifiers.CommonName, $"A{Math.Max(i - 1, 0)}")];
            if (i <= authorities)
            {
                c.Subject = [TestCertificate.Text(ObjectIdentifiers.CommonName, $"A{i}")];
                c.SetBasicConstraints(true, true, null);
            }

            c.PublicKey = s_keys[i].ExportSubjectPublicKeyInfo();
            c.Signer = s_keys[Math.Max(i - 1, 0)];
            byte[] own = c.KeyIdentifier();
            byte[] issuer = path.Certificates.LastOrDefault()?.KeyIdentifier() ?? own;
            c.Set(ObjectIdentifiers.SubjectKeyIdentifier, false, w => w.Value(DerTag.OctetString, own));
            c.Set(ObjectIdentifiers.AuthorityKeyIdentifier, false, w =>
            {
                using (w.Sequence())
                    w.Value(0x80, issuer);
            });
            path.Certificates.Add(c);
        }

        return path;
    }

    public static TestPath With(Action<TestPath> change, int authorities = 1)
    {
        TestPath path = Sound(authorities);
        change(path);
        return path;
    }

    /// <summary>Both judges answer as expected, the second one only on whether the path is valid.</summary>
    /// <param name="folder">For the second judge's files.</param>
    public void Judge(ValidationReason expected, string folder)
    {
        byte[][] encoded = [.. Certificates.Select(c => c.Encode())];
        Checked<Certificate> root = Certificate.Parse(encoded[0]);
        if (root.Value is null)
        {
            Assert.Equal(ValidationReason.MalformedCertificate, expected);
        }
        else
        {
            ValidationResult result = PathValidator.Validate(
                encoded[^1], encoded[1..^1].Select(e => (ReadOnlyMemory<byte>)e), TrustStore.Create(root.Require()), Options);
            Assert.True(expected == result.Reason, $"{result.Reason}: {result.Message}");
        }

        if (Oracle is not { } arguments)
            return;
        OpenSslTests.Require("openssl");
        Assert.True((expected == ValidationReason.Valid) == OpenSslAccepts(encoded, folder, arguments, out string output), output);
    }

    static bool OpenSslAccepts(byte[][] encoded, string folder, string[] arguments, out string output)
    {
        string[] files = [.. encoded.Select((der, i) =>
        {
            string file = Path.Combine(folder, $"{i}.pem");
            File.WriteAllText(file, PemEncoding.WriteString("CERTIFICATE", der));
            return file;
        })];
        (int code, output) = OpenSslTests.Tool(
            "openssl",
            ["verify", "-x509_strict", "-attime", $"{TestFleet.Now.ToUnixTimeSeconds()}", "-CAfile", files[0],
                .. files[1..^1].SelectMany(f => new[] { "-untrusted", f }), .. arguments, files[^1]]);
        return code == 0;
    }
}
