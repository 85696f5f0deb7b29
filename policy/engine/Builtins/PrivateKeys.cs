using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Org.BouncyCastle.Crypto.Parameters;

namespace Talos.Policy;

/// <summary>Private keys as documents: JWK, and the fields that Go's types have.</summary>
static class PrivateKeys
{
    public static Value First(string text)
    {
        if (text.Length == 0) throw new BuiltinException("input PEM data was empty");
        if (!text.StartsWith("-----BEGIN", StringComparison.Ordinal)) text = Encoding.UTF8.GetString(EncodingBuiltins.FromBase64(text, false, true));
        List<AsymmetricAlgorithm> keys = Parse(text);
        return keys.Count == 0 ? NullValue.Instance : Jwk(keys[0]);
    }

    public static Value All(string text)
    {
        if (text.Length == 0) return NullValue.Instance;
        string pem = text;
        try
        {
            pem = Encoding.UTF8.GetString(EncodingBuiltins.FromBase64(text, false, true));
        }
        catch (BuiltinException)
        {
            pem = text; // not base64: PEM already, or nothing
        }
        return new ArrayValue([.. Parse(pem).Select(Document)]);
    }

    static List<AsymmetricAlgorithm> Parse(string pem)
    {
        var keys = new List<AsymmetricAlgorithm>();
        ReadOnlySpan<char> rest = pem;
        while (PemEncoding.TryFind(rest, out PemFields fields))
        {
            byte[] der = Convert.FromBase64String(rest[fields.Base64Data].ToString());
            string label = rest[fields.Label].ToString();
            rest = rest[fields.Location.End..];
            if (label is "RSA PRIVATE KEY" or "PRIVATE KEY" or "EC PRIVATE KEY") keys.Add(Import(label, der));
        }
        return keys;
    }

    static AsymmetricAlgorithm Import(string label, byte[] der)
    {
        try
        {
            bool isEc = label == "EC PRIVATE KEY";
            if (label == "PRIVATE KEY")
            {
                // RFC 5208 §5: SEQUENCE { version, SEQUENCE { algorithm, … }, … }
                AsnReader info = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
                info.ReadInteger();
                string algorithm = info.ReadSequence().ReadObjectIdentifier();
                // RFC 8410 §7: an octet string in the octet string
                if (algorithm == VerificationKey.Ed25519)
                    return new Ed25519PrivateKey(new AsnReader(info.ReadOctetString(), AsnEncodingRules.DER).ReadOctetString());
                isEc = algorithm == "1.2.840.10045.2.1";
            }
            if (isEc)
            {
                var ec = ECDsa.Create();
                if (label == "PRIVATE KEY") ec.ImportPkcs8PrivateKey(der, out _);
                else ec.ImportECPrivateKey(der, out _);
                return ec;
            }
            var rsa = RSA.Create();
            if (label == "PRIVATE KEY") rsa.ImportPkcs8PrivateKey(der, out _);
            else rsa.ImportRSAPrivateKey(der, out _);
            return rsa;
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            throw new BuiltinException($"x509: failed to parse private key: {e.Message}");
        }
    }

    public static AsymmetricAlgorithm ForPair(string text, X509Certificate2 certificate)
    {
        string pem = text;
        if (!text.StartsWith("-----BEGIN", StringComparison.Ordinal))
        {
            byte[] decoded = EncodingBuiltins.FromBase64(text, false, true);
            pem = Encoding.UTF8.GetString(decoded);
            if (!pem.StartsWith("-----BEGIN", StringComparison.Ordinal)) pem = PemEncoding.WriteString("PRIVATE KEY", decoded);
        }
        List<AsymmetricAlgorithm> keys = Parse(pem);
        if (keys.Count == 0) throw new BuiltinException("tls: failed to find any PEM data in key input");
        byte[] expected = certificate.PublicKey.ExportSubjectPublicKeyInfo();
        byte[] actual = keys[0] switch
        {
            RSA r => r.ExportSubjectPublicKeyInfo(),
            ECDsa e => e.ExportSubjectPublicKeyInfo(),
            _ => ((Ed25519PrivateKey)keys[0]).SubjectPublicKeyInfo,
        };
        return expected.AsSpan().SequenceEqual(actual) ? keys[0] : throw new BuiltinException("tls: private key does not match public key");
    }

    static Value B64(byte[]? number) => Value.From(EncodingBuiltins.ToBase64Url(number));

    static ObjectValue Jwk(AsymmetricAlgorithm key)
    {
        switch (key)
        {
            case RSA rsa:
                RSAParameters p = rsa.ExportParameters(true);
                return ObjectValue.From(("kty", Value.From("RSA")), ("n", B64(p.Modulus)), ("e", B64(p.Exponent)), ("d", B64(p.D)), ("p", B64(p.P)), ("q", B64(p.Q)),
                    ("dp", B64(p.DP)), ("dq", B64(p.DQ)), ("qi", B64(p.InverseQ)));
            case ECDsa ec:
                ECParameters e = ec.ExportParameters(true);
                return ObjectValue.From(("kty", Value.From("EC")), ("crv", Value.From(e.Q.X!.Length switch { 32 => "P-256", 48 => "P-384", _ => "P-521" })), ("x", B64(e.Q.X)), ("y", B64(e.Q.Y)), ("d", B64(e.D)));
            default:
                var ed = (Ed25519PrivateKey)key;
                return ObjectValue.From(("kty", Value.From("OKP")), ("crv", Value.From("Ed25519")), ("x", B64(ed.Public)), ("d", B64(ed.Seed)));
        }
    }

    static NumberValue Big(byte[]? number) => NumberValue.From(new BigInteger(number ?? [], true, true));

    public static Value Document(AsymmetricAlgorithm key)
    {
        switch (key)
        {
            case RSA rsa:
                RSAParameters p = rsa.ExportParameters(true);
                return ObjectValue.From(("N", Big(p.Modulus)), ("E", Big(p.Exponent)), ("D", Big(p.D)), ("Primes", new ArrayValue(Big(p.P), Big(p.Q))),
                    ("Precomputed", ObjectValue.From(("Dp", Big(p.DP)), ("Dq", Big(p.DQ)), ("Qinv", Big(p.InverseQ)), ("CRTValues", ArrayValue.Empty))));
            case ECDsa ec:
                ECParameters e = ec.ExportParameters(true);
                return ObjectValue.From(("Curve", ObjectValue.Empty), ("X", Big(e.Q.X)), ("Y", Big(e.Q.Y)), ("D", Big(e.D)));
            default:
                var ed = (Ed25519PrivateKey)key;
                return Value.From(Convert.ToBase64String([.. ed.Seed, .. ed.Public])); // bytes, to Go
        }
    }
}

/// <summary>The kind of key that .NET has no class for.</summary>
sealed class Ed25519PrivateKey : AsymmetricAlgorithm
{
    public Ed25519PrivateKey(byte[] seed)
    {
        Seed = seed.Length == Ed25519PrivateKeyParameters.KeySize ? seed
            : throw new CryptographicException($"invalid Ed25519 private key length: {seed.Length}");
        Public = new Ed25519PrivateKeyParameters(seed).GeneratePublicKey().GetEncoded();
    }

    public byte[] Seed { get; }
    public byte[] Public { get; }

    // RFC 8410 §4
    public byte[] SubjectPublicKeyInfo => [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00, .. Public];
}
