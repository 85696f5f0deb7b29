using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;

namespace Talos.Policy;

/// <summary>A key of a token: from a PEM certificate or public key, or from a JWK (set).</summary>
sealed class VerificationKey
{
    public const string Ed25519 = "1.3.101.112";

    RSA? _rsa;
    ECDsa? _ec;
    byte[]? _ed, _edPrivate, _secret;

    public string Id { get; private init; } = "";
    public string Algorithm { get; private init; } = "";

    public static IReadOnlyList<VerificationKey> Parse(string text)
    {
        if (text.TrimStart().StartsWith("-----BEGIN", StringComparison.Ordinal)) return [FromPem(text)];
        Value parsed;
        try
        {
            parsed = ValueJson.Parse(text);
        }
        catch (JsonException)
        {
            throw new BuiltinException("failed to parse a JWK key (set): invalid JSON");
        }
        return FromJson(parsed);
    }

    public static IReadOnlyList<VerificationKey> FromJson(Value parsed)
    {
        if (parsed is not ObjectValue o) throw new BuiltinException("failed to parse a JWK key (set): not an object");
        if (o.Get("keys") is not ArrayValue set) return [FromJwk(o)];
        return [.. set.Items.Select(k => FromJwk(k as ObjectValue ?? throw new BuiltinException("failed to parse a JWK key (set): a key is no object")))];
    }

    static VerificationKey FromPem(string text)
    {
        if (!PemEncoding.TryFind(text, out PemFields fields)) throw new BuiltinException("failed to parse a PEM certificate: no PEM block");
        if (text.AsSpan()[fields.Location.End..].Trim().Length > 0) throw new BuiltinException("extra data after a PEM certificate block");
        string label = text[fields.Label];
        byte[] der = Convert.FromBase64String(text[fields.Base64Data]);
        try
        {
            switch (label)
            {
                case "CERTIFICATE":
                    using (X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der)) return FromSubjectPublicKey(certificate.PublicKey.ExportSubjectPublicKeyInfo());
                case "PUBLIC KEY":
                    return FromSubjectPublicKey(der);
                default:
                    throw new BuiltinException("failed to extract a Key from the PEM certificate");
            }
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            throw new BuiltinException($"failed to parse a PEM {(label == "CERTIFICATE" ? "certificate" : "public key")}: {e.Message}");
        }
    }

    /// <summary>A key to sign with, and the algorithm that it signs with.</summary>
    public static (VerificationKey Key, string Algorithm) FromPrivatePem(string pem)
    {
        try
        {
            // RFC 5958 §2: `PRIVATE KEY` says what it is only inside.
            var ec = ECDsa.Create();
            if (TryImport(ec, pem)) return (new VerificationKey { _ec = ec }, ec.KeySize switch { 384 => "ES384", 521 => "ES512", _ => "ES256" });
            ec.Dispose();
            var rsa = RSA.Create();
            rsa.ImportFromPem(pem);
            return (new VerificationKey { _rsa = rsa }, "RS256");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new PolicyException("bundle_signature", "", $"the signing key cannot be read: {e.Message}", "give an EC or RSA private key in PEM");
        }
    }

    static bool TryImport(ECDsa key, string pem)
    {
        try
        {
            key.ImportFromPem(pem);
            return true;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return false;
        }
    }

    static VerificationKey FromSubjectPublicKey(byte[] der)
    {
        // RFC 5280 §4.1: SEQUENCE { SEQUENCE { OID, … }, BIT STRING }
        AsnReader info = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        string algorithm = info.ReadSequence().ReadObjectIdentifier();
        switch (algorithm)
        {
            case "1.2.840.113549.1.1.1":
                var rsa = RSA.Create();
                rsa.ImportSubjectPublicKeyInfo(der, out _);
                return new VerificationKey { _rsa = rsa };
            case "1.2.840.10045.2.1":
                var ec = ECDsa.Create();
                ec.ImportSubjectPublicKeyInfo(der, out _);
                return new VerificationKey { _ec = ec };
            case Ed25519:
                return new VerificationKey { _ed = info.ReadBitString(out _) };
            default:
                throw new BuiltinException("failed to parse a PEM public key: unknown public key algorithm");
        }
    }

    static VerificationKey FromJwk(ObjectValue jwk)
    {
        byte[]? Field(string name) => jwk.Get(name) is StringValue s ? EncodingBuiltins.FromBase64(s.Text.TrimEnd('='), true, false) : null;
        byte[] Require(string name) => Field(name) ?? throw new BuiltinException($"failed to parse a JWK key (set): required field {name} is missing");
        string id = (jwk.Get("kid") as StringValue)?.Text ?? "", algorithm = (jwk.Get("alg") as StringValue)?.Text ?? "";
        try
        {
            switch ((jwk.Get("kty") as StringValue)?.Text)
            {
                case "RSA":
                    var rsa = RSA.Create();
                    var parameters = new RSAParameters { Modulus = Require("n"), Exponent = Require("e") };
                    if (Field("d") is { } d)
                    {
                        int half = (parameters.Modulus.Length + 1) / 2;
                        parameters.D = Fit(d, parameters.Modulus.Length);
                        (parameters.P, parameters.Q) = (Fit(Require("p"), half), Fit(Require("q"), half));
                        (parameters.DP, parameters.DQ, parameters.InverseQ) = (Fit(Require("dp"), half), Fit(Require("dq"), half), Fit(Require("qi"), half));
                    }
                    rsa.ImportParameters(parameters);
                    return new VerificationKey { _rsa = rsa, Id = id, Algorithm = algorithm };
                case "EC":
                    (ECCurve curve, int size) = (jwk.Get("crv") as StringValue)?.Text switch
                    {
                        "P-256" => (ECCurve.NamedCurves.nistP256, 32),
                        "P-384" => (ECCurve.NamedCurves.nistP384, 48),
                        "P-521" => (ECCurve.NamedCurves.nistP521, 66),
                        _ => throw new BuiltinException("failed to parse a JWK key (set): unknown curve"),
                    };
                    var ec = ECDsa.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = Fit(Require("x"), size), Y = Fit(Require("y"), size) }, D = Field("d") is { } s ? Fit(s, size) : null });
                    return new VerificationKey { _ec = ec, Id = id, Algorithm = algorithm };
                case "OKP":
                    return new VerificationKey { _ed = Require("x"), _edPrivate = Field("d"), Id = id, Algorithm = algorithm };
                case "oct":
                    return new VerificationKey { _secret = Require("k"), Id = id, Algorithm = algorithm };
                default:
                    throw new BuiltinException("failed to parse a JWK key (set): unknown key type");
            }
        }
        catch (CryptographicException e)
        {
            throw new BuiltinException($"failed to parse a JWK key (set): {e.Message}");
        }
    }

    static byte[] Fit(byte[] number, int length)
    {
        ReadOnlySpan<byte> plain = number.AsSpan().TrimStart((byte)0);
        if (plain.Length > length) throw new BuiltinException("failed to parse a JWK key (set): a number is too long");
        var fitted = new byte[length];
        plain.CopyTo(fitted.AsSpan(length - plain.Length));
        return fitted;
    }

    public static VerificationKey Secret(byte[] secret) => new() { _secret = secret };

    static HashAlgorithmName? HashOf(string algorithm) => algorithm.Length == 5 ? algorithm[2..] switch
    {
        "256" => HashAlgorithmName.SHA256,
        "384" => HashAlgorithmName.SHA384,
        "512" => HashAlgorithmName.SHA512,
        _ => null,
    } : null;

    // RFC 7518 §3.1, RFC 8037 §3.1
    public bool Verify(string algorithm, byte[] text, byte[] signature)
    {
        try
        {
            if (algorithm == "EdDSA")
            {
                if (_ed is not { Length: 32 } || signature.Length != 64) return false;
                var verifier = new Ed25519Signer();
                verifier.Init(false, new Ed25519PublicKeyParameters(_ed));
                verifier.BlockUpdate(text, 0, text.Length);
                return verifier.VerifySignature(signature);
            }
            if (HashOf(algorithm) is not { } hash) return false;
            return algorithm[..2] switch
            {
                "RS" => _rsa is not null && _rsa.VerifyData(text, signature, hash, RSASignaturePadding.Pkcs1),
                "PS" => _rsa is not null && _rsa.VerifyData(text, signature, hash, RSASignaturePadding.Pss),
                "ES" => _ec is not null && _ec.VerifyData(text, signature, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
                "HS" => _secret is not null && CryptographicOperations.FixedTimeEquals(CryptographicOperations.HmacData(hash, _secret, text), signature),
                _ => false,
            };
        }
        catch (CryptographicException)
        {
            return false; // a signature that cannot be read does not verify
        }
    }

    public byte[] Sign(string algorithm, byte[] text)
    {
        if (algorithm == "EdDSA")
        {
            var signer = new Ed25519Signer();
            signer.Init(true, new Ed25519PrivateKeyParameters(_edPrivate is { Length: 32 } seed ? seed : throw WrongKey(algorithm)));
            signer.BlockUpdate(text, 0, text.Length);
            return signer.GenerateSignature();
        }
        HashAlgorithmName hash = HashOf(algorithm) ?? throw new BuiltinException($"unknown JWS algorithm: {algorithm}");
        try
        {
            return algorithm[..2] switch
            {
                "RS" => (_rsa ?? throw WrongKey(algorithm)).SignData(text, hash, RSASignaturePadding.Pkcs1),
                "PS" => (_rsa ?? throw WrongKey(algorithm)).SignData(text, hash, RSASignaturePadding.Pss),
                "ES" => (_ec ?? throw WrongKey(algorithm)).SignData(text, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
                _ => CryptographicOperations.HmacData(hash, _secret ?? throw WrongKey(algorithm), text),
            };
        }
        catch (CryptographicException e)
        {
            throw new BuiltinException($"signing failed: {e.Message}");
        }
    }

    static BuiltinException WrongKey(string algorithm) => new($"the key cannot sign with {algorithm}");
}
