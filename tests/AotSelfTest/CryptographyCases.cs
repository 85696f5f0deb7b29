using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Talos.Linux.OpenSsl;

namespace Talos.AotSelfTest;

/// <summary>.NET's crypto shim, compiled for this executable, over the OpenSSL that was built for it.</summary>
static class CryptographyCases
{
    internal static void Run(Cases cases)
    {
        cases.Run("crypto: random numbers", () => Expect.True(RandomNumberGenerator.GetBytes(1000).Distinct().Count() > 100));

        cases.Run("crypto: digests and key derivation", () =>
        {
            // FIPS 180-4, the example for "abc"
            Expect.Equal("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", Convert.ToHexString(SHA256.HashData("abc"u8)));
            Expect.True(SHA3_256.IsSupported);
            Expect.Equal(64, HMACSHA512.HashData("key"u8, "data"u8).Length);
            Expect.Equal(32, Rfc2898DeriveBytes.Pbkdf2("password"u8, "saltsalt"u8, 1000, HashAlgorithmName.SHA256, 32).Length);
            Expect.Equal(32, HKDF.DeriveKey(HashAlgorithmName.SHA256, new byte[32], 32).Length);
        });

        cases.Run("crypto: elliptic curves", () =>
        {
            foreach (var curve in new[] { ECCurve.NamedCurves.nistP256, ECCurve.NamedCurves.nistP384, ECCurve.NamedCurves.nistP521 })
            {
                using var key = ECDsa.Create(curve);
                using var copy = ECDsa.Create();
                copy.ImportPkcs8PrivateKey(key.ExportPkcs8PrivateKey(), out _);
                Expect.True(key.VerifyData("x"u8, copy.SignData("x"u8, HashAlgorithmName.SHA256), HashAlgorithmName.SHA256));
            }
            using var left = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
            using var right = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
            Expect.True(left.DeriveKeyMaterial(right.PublicKey).SequenceEqual(right.DeriveKeyMaterial(left.PublicKey)));
        });

        cases.Run("crypto: a public key by its point alone, through OpenSSL's own calls", () =>
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var holder = new CertificateRequest("CN=first", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
            var curve = CurveTemplate.TryCreate(holder.GetECDsaPublicKey()!) ?? throw new InvalidOperationException("the calls are not there");
            using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var point = other.ExportSubjectPublicKeyInfo()[^65..];
            using var taken = curve.Import(point);
            Expect.True(taken.VerifyData("x"u8, other.SignData("x"u8, HashAlgorithmName.SHA256), HashAlgorithmName.SHA256));
            point[64] ^= 1;
            Expect.Throws<CryptographicException>(() => curve.Import(point));
        });

        cases.Run("crypto: RSA, encrypted key in PEM", () =>
        {
            using var key = RSA.Create(2048);
            var parameters = new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000);
            using var copy = RSA.Create();
            copy.ImportFromEncryptedPem(key.ExportEncryptedPkcs8PrivateKeyPem("password", parameters), "password");
            var signature = copy.SignData("x"u8, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
            Expect.True(key.VerifyData("x"u8, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
        });

        cases.Run("crypto: authenticated encryption finds a change", () =>
        {
            using var cipher = new AesGcm(RandomNumberGenerator.GetBytes(32), 16);
            byte[] nonce = new byte[12], sealedText = new byte[5], tag = new byte[16], opened = new byte[5];
            cipher.Encrypt(nonce, "hello"u8, sealedText, tag);
            cipher.Decrypt(nonce, sealedText, tag, opened);
            Expect.True(opened.AsSpan().SequenceEqual("hello"u8));
            tag[0] ^= 1;
            Expect.Throws<AuthenticationTagMismatchException>(() => cipher.Decrypt(nonce, sealedText, tag, opened));
            Expect.True(ChaCha20Poly1305.IsSupported);
        });

        cases.Run("crypto: ML-KEM and ML-DSA are there", () =>
        {
            using var key = MLKem.GenerateKey(MLKemAlgorithm.MLKem768);
            using var publicKey = MLKem.ImportEncapsulationKey(MLKemAlgorithm.MLKem768, key.ExportEncapsulationKey());
            publicKey.Encapsulate(out var encapsulated, out var secret);
            Expect.True(key.Decapsulate(encapsulated).SequenceEqual(secret));
            Expect.True(MLDsa.IsSupported);
        });

        cases.Run("crypto: certificate chain, and one that does not chain", () =>
        {
            using var authority = Certificates.Authority();
            using var leaf = Certificates.Leaf("leaf", authority);
            using var stranger = Certificates.Authority();
            Expect.True(Chains(leaf, authority));
            Expect.True(!Chains(leaf, stranger));
        });

        cases.Run("crypto: PKCS#12", () =>
        {
            using var authority = Certificates.Authority();
            using var copy = X509CertificateLoader.LoadPkcs12(authority.Export(X509ContentType.Pfx, "password"), "password");
            Expect.True(copy.HasPrivateKey);
            Expect.Equal(authority.Thumbprint, copy.Thumbprint);
        });

        cases.Run("crypto: malformed certificate has an error text", () =>
            Expect.True(Expect.Throws<CryptographicException>(() => X509CertificateLoader.LoadCertificate([1, 2, 3])).Message.Length > 10));
    }

    static bool Chains(X509Certificate2 leaf, X509Certificate2 root)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(leaf);
    }
}

static class Certificates
{
    internal static X509Certificate2 Authority()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-2), now.AddDays(9));
    }

    internal static X509Certificate2 Leaf(string name, X509Certificate2 authority)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return request.Create(authority, now.AddDays(-1), now.AddDays(5), RandomNumberGenerator.GetBytes(8)).CopyWithPrivateKey(key);
    }
}
