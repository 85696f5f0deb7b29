using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace Talos.Pki.Tests;

public sealed class RequestTests
{
    static byte[] File(string name) => System.IO.File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "vectors", "requests", name + ".pem"));

    [Theory]
    [InlineData("p256", KeyAlgorithm.EcdsaP256)]
    [InlineData("p384", KeyAlgorithm.EcdsaP384)]
    [InlineData("p521", KeyAlgorithm.EcdsaP521)]
    [InlineData("ed25519", KeyAlgorithm.Ed25519)]
    [InlineData("rsa3072", KeyAlgorithm.Rsa)]
    [InlineData("rsa3072-pss", KeyAlgorithm.Rsa)]
    public void Accepts_requests_of_openssl(string name, KeyAlgorithm algorithm)
    {
        VerifiedRequest request = VerifiedRequest.Parse(File(name)).Require();
        Assert.Equal(algorithm, request.PublicKey.Algorithm);
        Assert.Equal(["node-1"], request.Document.Subject.CommonNames);
        Assert.Equal(["DNS:node-1.alpha.example", "IP:10.0.0.7"], request.Document.RequestedNames.Select(n => n.ToString()));
    }

    [Theory]
    [InlineData("rsa1024", PkiReason.WeakKey)]
    [InlineData("rsa2047", PkiReason.WeakKey)]
    [InlineData("rsa2048", PkiReason.WeakKey)]
    [InlineData("rsa3072-e3", PkiReason.WeakKey)]
    [InlineData("p224", PkiReason.WeakKey)]
    [InlineData("rsa3072-sha1", PkiReason.UnsupportedAlgorithm)]
    [InlineData("dsa2048", PkiReason.UnsupportedAlgorithm)]
    [InlineData("ed448", PkiReason.UnsupportedAlgorithm)]
    [InlineData("secp256k1", PkiReason.WeakKey)]
    [InlineData("p256-explicit", PkiReason.WeakKey)]
    public void Rejects_weak_and_unknown_keys(string name, PkiReason reason)
    {
        PkiFailure failure = VerifiedRequest.Parse(File(name)).Failure!;
        Assert.Equal(reason, failure.Reason);
        Assert.NotNull(failure.Hint);
    }

    [Theory]
    [InlineData("p384")]
    [InlineData("ed25519")]
    [InlineData("rsa3072")]
    public void Accepts_every_allowed_key_in_a_certificate(string name)
    {
        using var fleet = new TestFleet();
        Certificate issued = fleet.Issue(CertificateProfile.Node, TestFleet.NodeGrant, VerifiedRequest.Parse(File(name)).Require());
        Assert.Equal(ValidationReason.Valid, fleet.Validate(issued, ValidationPurpose.Client).Reason);
    }

    [Theory]
    [InlineData("nistP256")]
    [InlineData("nistP384")]
    [InlineData("nistP521")]
    public void Rejects_points_off_their_curve_before_anything_is_verified_with_them(string curve)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));
        byte[] data = [1, 2, 3], signature = key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        byte[] sound = key.ExportSubjectPublicKeyInfo();
        Assert.Equal(SignatureVerdict.Valid, Verdict(sound));
        int size = (key.KeySize + 7) / 8;
        // Another y, another x, both zero, and coordinates outside the field.
        Assert.Equal(SignatureVerdict.Unsupported, Verdict(With(sound, ^1, (byte)(sound[^1] ^ 1))));
        Assert.Equal(SignatureVerdict.Unsupported, Verdict(With(sound, ^(size + 1), (byte)(sound[^(size + 1)] ^ 1))));
        Assert.Equal(SignatureVerdict.Unsupported, Verdict([.. sound[..^(2 * size)], .. new byte[2 * size]]));
        Assert.Equal(SignatureVerdict.Unsupported, Verdict([.. sound[..^(2 * size)], .. Enumerable.Repeat((byte)0xFF, 2 * size)]));

        SignatureVerdict Verdict(byte[] spki)
        {
            var reader = new DerReader(spki);
            SignatureAlgorithm algorithm = TestCertificate.User().Build().SignatureAlgorithm;
            return SubjectPublicKey.Parse(ref reader, spki).Verify(algorithm, data, signature);
        }

        static byte[] With(byte[] spki, Index at, byte value)
        {
            byte[] changed = [.. spki];
            changed[at] = value;
            return changed;
        }
    }

    [Theory]
    [InlineData("p521")]
    [InlineData("rsa3072-pss-only")]
    public void Rejects_a_key_that_the_profile_does_not_allow(string name)
    {
        using var fleet = new TestFleet();
        PkiFailure failure = fleet.Prepare(CertificateProfile.Node, TestFleet.NodeGrant, VerifiedRequest.Parse(File(name)).Require()).Failure!;
        Assert.Equal(PkiReason.KeyNotAllowed, failure.Reason);
    }

    [Fact]
    public void Rejects_a_compressed_point()
    {
        PkiFailure failure = VerifiedRequest.Parse(File("p256-compressed")).Failure!;
        Assert.Equal(PkiReason.MalformedDer, failure.Reason);
        Assert.Contains("uncompressed", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_a_signature_that_the_parameters_of_its_PSS_key_do_not_permit()
    {
        using var rsa = RSA.Create(3072);
        SubjectPublicKey forSha256 = PssKey(rsa, ObjectIdentifiers.Sha256, 32);
        byte[] data = [1, 2, 3];
        Assert.Equal(SignatureVerdict.Valid, Verify(ObjectIdentifiers.Sha256, 32, HashAlgorithmName.SHA256));
        Assert.Equal(SignatureVerdict.Invalid, Verify(ObjectIdentifiers.Sha384, 48, HashAlgorithmName.SHA384));

        SignatureVerdict Verify(string hash, int salt, HashAlgorithmName name)
        {
            var w = new DerWriter();
            WritePss(w, hash, salt);
            byte[] der = w.ToArray();
            var reader = new DerReader(der);
            return forSha256.Verify(SignatureAlgorithm.Parse(ref reader, der), data, rsa.SignData(data, name, RSASignaturePadding.Pss));
        }

        static SubjectPublicKey PssKey(RSA rsa, string hash, int salt)
        {
            var w = new DerWriter();
            using (w.Sequence())
            {
                WritePss(w, hash, salt);
                using (w.BitString())
                    w.Raw(rsa.ExportRSAPublicKey());
            }

            return Parse(w.ToArray());
        }

        // RSASSA-PSS-params (RFC 4055 §3.1)
        static void WritePss(DerWriter w, string hash, int salt)
        {
            using (w.Sequence())
            {
                w.ObjectIdentifier(ObjectIdentifiers.RsaPss);
                using (w.Sequence())
                {
                    using (w.Open(0xA0))
                    using (w.Sequence())
                        w.ObjectIdentifier(hash);
                    using (w.Open(0xA1))
                    using (w.Sequence())
                    {
                        w.ObjectIdentifier(ObjectIdentifiers.Mgf1);
                        using (w.Sequence())
                            w.ObjectIdentifier(hash);
                    }

                    using (w.Open(0xA2))
                        w.Integer(salt);
                }
            }
        }
    }

    [Fact]
    public void Rejects_RSA_keys_of_broken_generators_and_no_other()
    {
        using var rsa = RSA.Create(3072);
        Assert.Null(Fault(Number(rsa.ExportParameters(false).Modulus!)));
        // Any odd number whose residues are those of a power of 65537, which is what the generator's moduli have in common.
        BigInteger small = 1;
        foreach (int prime in Enumerable.Range(2, 166).Where(n => Enumerable.Range(2, n - 2).All(d => n % d != 0)))
            small *= prime;
        BigInteger roca = BigInteger.ModPow(65537, 12345, small) + (small * (BigInteger.One << 2870));
        while (roca.IsEven || Enumerable.Range(168, 600).Any(d => roca % d == 0))
            roca += small;
        Assert.Contains("CVE-2017-15361", Fault(roca), StringComparison.Ordinal);
        Assert.Contains("CVE-2022-26320", Fault(Close(1 << 20)), StringComparison.Ordinal);
        Assert.Null(Fault(Close(BigInteger.One << 1400)));
        Assert.Contains("divisible by 7", Fault(Factor(BigInteger.One << 3071) * 7), StringComparison.Ordinal);

        static BigInteger Number(byte[] modulus) => new(modulus, isUnsigned: true, isBigEndian: true);

        // Two factors without small primes, so far from each other.
        static BigInteger Close(BigInteger distance)
        {
            BigInteger first = Factor((BigInteger.One << 1535) + (BigInteger.One << 1534));
            return first * Factor(first + distance);
        }

        static BigInteger Factor(BigInteger from)
        {
            BigInteger at = from | 1;
            while (Enumerable.Range(2, 750).Any(d => at % d == 0))
                at += 2;
            return at;
        }

        static string? Fault(BigInteger modulus)
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
                    w.UnsignedInteger(modulus.ToByteArray(isUnsigned: true, isBigEndian: true));
                    w.Integer(65537);
                }
            }

            return RsaKeyCheck.Fault(Parse(w.ToArray()));
        }
    }

    static SubjectPublicKey Parse(byte[] spki)
    {
        var reader = new DerReader(spki);
        return SubjectPublicKey.Parse(ref reader, spki);
    }

    [Fact]
    public void Rejects_another_keys_signature()
    {
        byte[] der = Pem.Read(File("p256")).Require().Blocks[0].Der.ToArray();
        // The last octet belongs to the signature's s.
        der[^1] ^= 1;
        Assert.Equal(PkiReason.BadSignature, VerifiedRequest.Parse(der).Failure!.Reason);
        byte[] other = Pem.Read(File("p256")).Require().Blocks[0].Der.ToArray();
        int at = other.AsSpan().IndexOf("node-1"u8);
        other[at]++;
        Assert.Equal(PkiReason.BadSignature, VerifiedRequest.Parse(other).Failure!.Reason);
    }

    [Fact]
    public void Rejects_with_a_position()
    {
        byte[] der = Pem.Read(File("p256")).Require().Blocks[0].Der.ToArray();
        der[^1] ^= 1;
        Array.Resize(ref der, der.Length + 1);
        PkiFailure trailing = CertificateRequestDocument.Parse(der).Failure!;
        Assert.Equal((PkiReason.MalformedDer, (int?)(der.Length - 1)), (trailing.Reason, trailing.Position));
        PkiFailure cut = CertificateRequestDocument.Parse(der.AsSpan(0, 40)).Failure!;
        Assert.Equal((PkiReason.MalformedDer, (int?)1), (cut.Reason, cut.Position));
        Assert.Contains("past the end", cut.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_an_oversized_request()
    {
        Assert.Equal(PkiReason.TooLarge, CertificateRequestDocument.Parse(new byte[CertificateRequestDocument.MaximumOctets * 2]).Failure!.Reason);
        using var many = CertificateSigningRequest.Create("node-1", Enumerable.Range(0, 101).Select(i => $"n{i}.example"));
        PkiFailure failure = CertificateRequestDocument.Parse(many.Der.Span).Failure!;
        Assert.Equal(PkiReason.TooLarge, failure.Reason);
        Assert.Contains("more than 100 names", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN CERTIFICATE REQUEST-----\n")]
    [InlineData("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE-----\n")]
    [InlineData("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")]
    public void Rejects_text_that_is_no_request(string text) =>
        Assert.True(CertificateRequestDocument.Parse(Encoding.ASCII.GetBytes(text)).Failure!.Reason is PkiReason.MalformedPem or PkiReason.MalformedDer);

    [Fact]
    public void Rejects_grants_that_name_nothing_sound()
    {
        using var fleet = new TestFleet();
        VerifiedRequest request = TestFleet.Request(TestFleet.UserGrant);
        IdentityGrant sound = TestFleet.UserGrant;
        (IdentityGrant Grant, PkiReason Reason)[] refused =
        [
            (sound with { Name = "" }, PkiReason.MalformedName),
            (sound with { Name = "Anna" }, PkiReason.MalformedName),
            (sound with { Name = "anna/admin" }, PkiReason.MalformedName),
            (sound with { Name = new string('a', 65) }, PkiReason.MalformedName),
            (sound with { Cluster = "alpha example" }, PkiReason.MalformedName),
            (sound with { Cluster = "alpha..example" }, PkiReason.MalformedName),
            (sound with { Cluster = "10.0.0.1" }, PkiReason.MalformedName),
            (sound with { Roles = ["os:admin", "os:admin"] }, PkiReason.MalformedName),
            (sound with { Roles = ["os:admin\n"] }, PkiReason.MalformedName),
            (sound with { Roles = [.. Enumerable.Range(0, 17).Select(i => $"r{i}")] }, PkiReason.TooLarge),
            (sound with { DnsNames = ["anna.example"] }, PkiReason.NameKindNotAllowed),
            (sound with { Lifetime = TimeSpan.FromHours(9) }, PkiReason.LifetimeTooLong),
            (sound with { Lifetime = TimeSpan.Zero }, PkiReason.LifetimeTooLong),
        ];
        foreach ((IdentityGrant grant, PkiReason reason) in refused)
            Assert.Equal(reason, fleet.Prepare(CertificateProfile.User, grant, request).Failure?.Reason);
        Assert.Empty(fleet.Ledger);
    }

    [Fact]
    public void Never_outlives_the_authority()
    {
        using var fleet = new TestFleet();
        fleet.Clock.Time = fleet.Authority.Certificate.NotAfter.AddHours(-1);
        Certificate last = fleet.Issue(CertificateProfile.User, TestFleet.UserGrant);
        Assert.Equal(fleet.Authority.Certificate.NotAfter, last.NotAfter);
        fleet.Clock.Time = fleet.Authority.Certificate.NotAfter.AddSeconds(1);
        Assert.Equal(PkiReason.IssuerExpired, fleet.Prepare(CertificateProfile.User, TestFleet.UserGrant, TestFleet.Request(TestFleet.UserGrant)).Failure!.Reason);
    }

    [Fact]
    public void Rejects_authorities_with_anothers_key()
    {
        using var fleet = new TestFleet();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Equal(PkiReason.IssuerMismatch, CertificateAuthority.Load(fleet.Authority.Certificate, key, 1, fleet.Clock).Failure!.Reason);
        using var large = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Equal(PkiReason.KeyNotAllowed, CertificateAuthority.CreateRoot(large, "alpha", 1, fleet.Clock).Failure!.Reason);
    }

    [Theory]
    [InlineData(KeyAlgorithm.MlDsa44, ObjectIdentifiers.MlDsa44)]
    [InlineData(KeyAlgorithm.MlDsa65, ObjectIdentifiers.MlDsa65)]
    [InlineData(KeyAlgorithm.MlDsa87, ObjectIdentifiers.MlDsa87)]
    public void Issues_to_ML_DSA_keys_where_the_platform_has_them(KeyAlgorithm algorithm, string id)
    {
        Assert.SkipUnless(MLDsa.IsSupported, "SKIPPED: this platform's OpenSSL has no ML-DSA (it came with 3.5)");
        using MLDsa key = MLDsa.GenerateKey(algorithm switch
        {
            KeyAlgorithm.MlDsa44 => MLDsaAlgorithm.MLDsa44,
            KeyAlgorithm.MlDsa65 => MLDsaAlgorithm.MLDsa65,
            _ => MLDsaAlgorithm.MLDsa87,
        });
        byte[] request = Request(key, id);
        Assert.Equal(algorithm, VerifiedRequest.Parse(request).Require().PublicKey.Algorithm);
        using var fleet = new TestFleet();
        Certificate issued = fleet.Issue(CertificateProfile.Node, TestFleet.NodeGrant, VerifiedRequest.Parse(request).Require());
        Assert.Equal(key.ExportMLDsaPublicKey(), issued.PublicKey.Key.ToArray());
        Assert.Equal(ValidationReason.Valid, fleet.Validate(issued, ValidationPurpose.Client).Reason);
        Assert.Equal(PkiReason.KeyNotAllowed, CertificateProfile.OsIntermediate.KeyFault(issued.PublicKey)!.Reason);
        request[^1] ^= 1;
        Assert.Equal(PkiReason.BadSignature, VerifiedRequest.Parse(request).Failure!.Reason);
    }

    [Fact]
    public void Profiles_have_ML_DSA_keys_where_the_platform_has_them() =>
        Assert.Equal(MLDsa.IsSupported, CertificateProfile.User.Keys.Contains(KeyAlgorithm.MlDsa65));

    static byte[] Request(MLDsa key, string id)
    {
        var info = new DerWriter();
        using (info.Sequence())
        {
            info.Integer(0);
            info.Raw(DistinguishedName.Create((ObjectIdentifiers.CommonName, "node-1")).Der.Span);
            using (info.Sequence())
            {
                TestCertificate.WriteIdentifier(info, id);
                using (info.BitString())
                    info.Raw(key.ExportMLDsaPublicKey());
            }

            using (info.Open(0xA0))
            {
            }
        }

        byte[] toBeSigned = info.ToArray();
        var document = new DerWriter();
        using (document.Sequence())
        {
            document.Raw(toBeSigned);
            TestCertificate.WriteIdentifier(document, id);
            using (document.BitString())
                document.Raw(key.SignData(toBeSigned));
        }

        return document.ToArray();
    }
}
