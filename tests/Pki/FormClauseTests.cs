using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Xunit;
using static Talos.Pki.Tests.TestPath;
using Why = Talos.Pki.ValidationReason;

namespace Talos.Pki.Tests;

/// <summary>
/// RFC 5280 §4.1 and §4.2, X.690 and the algorithms' own standards: paths with one certificate whose form is not what they ask for, signed all the same.
/// </summary>
public sealed class FormClauseTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("talos-pki-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static readonly RSA s_rsa = RSA.Create(3072);

    static TestPath Leaf(Action<TestCertificate> change, bool oracle = true) => With(p =>
    {
        change(p.Leaf);
        p.Oracle = oracle ? [] : null;
    });

    static TestPath Authority(Action<TestCertificate> change, bool oracle = true) => With(p =>
    {
        change(p.Authority);
        p.Oracle = oracle ? [] : null;
    });

    static byte[] Value(byte tag, params byte[] content)
    {
        var w = new DerWriter();
        w.Value(tag, content);
        return w.ToArray();
    }

    static byte[] Sequence(params byte[][] values) => Value(DerTag.Sequence, [.. values.SelectMany(v => v)]);

    static byte[] Time(string text) => Value(text.Length >= 15 ? DerTag.GeneralizedTime : DerTag.UtcTime, Encoding.ASCII.GetBytes(text));

    static TestPath Until(string end, bool oracle = true) => Between("290101000000Z", end, oracle);

    static TestPath Between(string start, string end, bool oracle = true) => Leaf(c => c.Times = [.. Time(start), .. Time(end)], oracle);

    static TestPath Extension(string id, params byte[] value) => Leaf(c => c.Set(id, false, w => w.Raw(value)), oracle: false);

    static TestPath AuthorityExtension(string id, bool critical, params byte[] value) => Authority(c => c.Set(id, critical, w => w.Raw(value)), oracle: false);

    // What an authority with this key signs in this way.
    static TestPath SignedBy(byte[] key, byte[]? algorithm, Func<byte[], byte[]>? sign, bool oracle = true) => With(p =>
    {
        p.Authority.PublicKey = key;
        p.Leaf.Algorithm = algorithm;
        p.Leaf.Sign = sign;
        p.Oracle = oracle ? [] : null;
    });

    static byte[] Identifier(string id, params byte[] parameters) => Sequence(Value(DerTag.ObjectIdentifier, ObjectIdentifiers.Encode(id).ToArray()), parameters);

    static readonly byte[] s_null = [5, 0];

    static byte[] Pkcs1(byte[] tbs) => s_rsa.SignData(tbs, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    static byte[] RsaKey(RSA rsa, string id, params byte[] parameters) => Sequence(Identifier(id, parameters), Value(DerTag.BitString, [0, .. rsa.ExportRSAPublicKey()]));

    static byte[] Small(int bits)
    {
        using var rsa = RSA.Create(bits);
        return rsa.ExportSubjectPublicKeyInfo();
    }

    static TestPath Curve(string curve) => With(p =>
    {
        using ECDsa key = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));
        p.Leaf.PublicKey = key.ExportSubjectPublicKeyInfo();
        p.Oracle = null;
    });

    static readonly Ed25519PrivateKeyParameters s_edwards = new([.. Enumerable.Range(1, 32).Select(i => (byte)i)]);

    static byte[] Edwards(byte[] tbs)
    {
        var signer = new Ed25519Signer();
        signer.Init(true, s_edwards);
        signer.BlockUpdate(tbs, 0, tbs.Length);
        return signer.GenerateSignature();
    }

    static byte[] EdwardsKey(params byte[] parameters) =>
        Sequence(Identifier(ObjectIdentifiers.Ed25519, parameters), Value(DerTag.BitString, [0, .. s_edwards.GeneratePublicKey().GetEncoded()]));

    static readonly byte[] s_edwardsId = Identifier(ObjectIdentifiers.Ed25519);

    // The outermost length, in one octet more than it takes.
    static byte[] Longer(byte[] der) => [der[0], (byte)(der[1] + 1), 0, .. der[2..]];

    static byte[] Endless(byte[] der) => [der[0], 0x80, .. der[(2 + (der[1] & 0x7F))..], 0, 0];

    static byte[] Grown(byte[] der, params byte[] more)
    {
        var reader = new DerReader(der);
        return Value(DerTag.Sequence, [.. reader.Read().Content, .. more]);
    }

    static readonly Dictionary<string, (Why Reason, Func<TestPath> Make)> s_cases = new()
    {
        // OpenSSL minds no version but 3 with extensions.
        ["4.1.2.1 version 2 without extensions"] = (Why.InvalidStructure, () => Leaf(c =>
        {
            c.Version = 2;
            c.Extensions.Clear();
        }, oracle: false)),
        ["4.1.2.1 version 2 with extensions"] = (Why.MalformedCertificate, () => Leaf(c => c.Version = 2)),
        ["4.1.2.1 version 1 with extensions"] = (Why.MalformedCertificate, () => Leaf(c => c.Version = 1)),
        ["4.1.2.1 version 4"] = (Why.MalformedCertificate, () => Leaf(c => c.Version = 4, oracle: false)),
        ["4.1.2.1 version 1, written"] = (Why.MalformedCertificate, () => Leaf(c => c.VersionOctets = [0xA0, 3, 2, 1, 0], oracle: false)),
        ["4.1.2.1 negative version"] = (Why.MalformedCertificate, () => Leaf(c => c.VersionOctets = [0xA0, 3, 2, 1, 0xFE], oracle: false)),
        ["4.1.2.1 version in two octets"] = (Why.MalformedCertificate, () => Leaf(c => c.VersionOctets = [0xA0, 4, 2, 2, 0, 2])),
        ["4.1.2.2 serial of 20 octets"] = (Why.Valid, () => Leaf(c => c.Serial = [0x7F, .. new byte[19]])),
        ["4.1.2.2 serial in more octets than it takes"] = (Why.MalformedCertificate, () => Leaf(c => c.Serial = [0, 1])),
        ["4.1.2.2 serial without octets"] = (Why.MalformedCertificate, () => Leaf(c => c.Serial = [])),
        ["4.1.2.2 an authority's serial of 21 octets"] = (Why.InvalidStructure, () => Authority(c => c.Serial = [1, .. new byte[20]], oracle: false)),
        ["4.1.2.8 a unique identifier"] = (Why.Valid, () => Leaf(c => c.UniqueIdentifier = [0x81, 2, 0, 1, 0x82, 2, 0, 1])),
        ["4.1.2.8 unique identifiers in the wrong order"] = (Why.MalformedCertificate, () => Leaf(c => c.UniqueIdentifier = [0x82, 2, 0, 1, 0x81, 2, 0, 1])),
        ["4.1.2.8 a unique identifier with set padding"] = (Why.MalformedCertificate, () => Leaf(c => c.UniqueIdentifier = [0x82, 2, 1, 1], oracle: false)),
        ["4.1.2.8 a unique identifier in version 1"] = (Why.MalformedCertificate, () => Leaf(c =>
        {
            (c.Version, c.UniqueIdentifier) = (1, [0x82, 2, 0, 1]);
            c.Extensions.Clear();
        }, oracle: false)),

        ["4.1.2.5 until 2049 as UTC time"] = (Why.Valid, () => Until("491231235959Z")),
        ["4.1.2.5 until 2049 as generalized time"] = (Why.InvalidStructure, () => Until("20491231235959Z", oracle: false)),
        ["4.1.2.5 until 2050 as generalized time"] = (Why.Valid, () => Until("20500101000000Z")),
        ["4.1.2.5 the year 50 as UTC time is 1950"] = (Why.Expired, () => Until("500101000000Z")),
        ["4.1.2.5 for ever"] = (Why.Valid, () => Until("99991231235959Z")),
        ["4.1.2.5 from 1950"] = (Why.Valid, () => Between("500101000000Z", "300201000000Z")),
        ["4.1.2.5 from 1949 as generalized time"] = (Why.InvalidStructure, () => Between("19491231235959Z", "300201000000Z", oracle: false)),
        ["4.1.2.5 from year 0"] = (Why.MalformedCertificate, () => Between("00000101000000Z", "300201000000Z", oracle: false)),
        ["4.1.2.5 a fraction of a second"] = (Why.MalformedCertificate, () => Until("20500101000000.5Z", oracle: false)),
        ["4.1.2.5 an offset"] = (Why.MalformedCertificate, () => Until("300201000000+0100")),
        ["4.1.2.5 an offset of nothing"] = (Why.MalformedCertificate, () => Leaf(c =>
            c.Times = [.. Time("290101000000Z"), .. Value(DerTag.UtcTime, "300201000000+0000"u8.ToArray())])),
        ["4.1.2.5 without seconds"] = (Why.MalformedCertificate, () => Until("3002010000Z", oracle: false)),
        ["4.1.2.5 without a zone"] = (Why.MalformedCertificate, () => Until("300201000000")),
        ["4.1.2.5 a lower-case zone"] = (Why.MalformedCertificate, () => Until("300201000000z")),
        ["4.1.2.5 second 60"] = (Why.MalformedCertificate, () => Until("300201000060Z")),
        ["4.1.2.5 hour 24"] = (Why.MalformedCertificate, () => Until("300201240000Z")),
        ["4.1.2.5 February 30th"] = (Why.MalformedCertificate, () => Until("310230000000Z", oracle: false)),
        ["4.1.2.5 a day of no leap year"] = (Why.MalformedCertificate, () => Until("310229000000Z", oracle: false)),
        ["4.1.2.5 month 13"] = (Why.MalformedCertificate, () => Until("311301000000Z")),
        ["4.1.2.5 a space in the time"] = (Why.MalformedCertificate, () => Until("30020100000 Z")),
        ["4.1.2.5 ends before it begins"] = (Why.Expired, () => Between("290102000000Z", "290101000000Z")),
        ["4.1.2.5 a third time"] = (Why.MalformedCertificate, () => Leaf(c => c.Times = [.. Time("290101000000Z"), .. Time("300201000000Z"), .. Time("300201000000Z")])),

        ["X.690 10.1 indefinite length"] = (Why.MalformedCertificate, () => Leaf(c => c.AfterSigning = Endless, oracle: false)),
        ["X.690 10.1 indefinite length of what is signed"] = (Why.MalformedCertificate, () => Leaf(c => c.BeforeSigning = Endless, oracle: false)),
        ["X.690 10.1 a length in more octets than it takes"] = (Why.MalformedCertificate, () => Leaf(c => c.AfterSigning = Longer, oracle: false)),
        ["X.690 10.1 such a length of what is signed"] = (Why.MalformedCertificate, () => Leaf(c => c.BeforeSigning = Longer, oracle: false)),
        ["an octet behind it"] = (Why.MalformedCertificate, () => Leaf(c => c.AfterSigning = der => [.. der, 0], oracle: false)),
        ["a value behind the signature"] = (Why.MalformedCertificate, () => Leaf(c => c.AfterSigning = der => Grown(der, 5, 0))),
        ["a value at the end of what is signed"] = (Why.MalformedCertificate, () => Leaf(c => c.BeforeSigning = tbs => Grown(tbs, 5, 0))),
        ["a value behind an extension's"] = (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.KeyUsage, 3, 2, 7, 0x80, 5, 0)),
        ["an authority that cannot be read"] = (Why.UnknownIssuer, () => Authority(c => c.AfterSigning = der => [.. der, 0], oracle: false)),
        ["X.690 11.1 true as 1"] = (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.BasicConstraints, 0x30, 3, 1, 1, 1)),
        ["X.690 11.5 false, written"] = (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.BasicConstraints, 0x30, 3, 1, 1, 0)),
        ["X.690 8.6.2 key usage with 8 unused bits"] = (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.KeyUsage, 3, 2, 8, 0x80)),
        ["X.690 11.2.1 key usage with set padding"] = (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.KeyUsage, 3, 2, 7, 0xC0)),
        ["X.690 8.6.4 key usage in pieces"] = (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.KeyUsage, 0x23, 4, 3, 2, 7, 0x80)),
        ["X.690 8.19.2 an identifier in more octets than it takes"] =
            (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.ExtendedKeyUsage, 0x30, 4, 6, 2, 0x80, 1)),
        ["a signature that ends within an octet"] = (Why.MalformedCertificate, () => Leaf(c => c.AfterSigning = der =>
        {
            int at = der.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0, 0x30]);
            der[at] = 1;
            return der;
        })),

        ["4.2 no extensions in their list"] = (Why.MalformedCertificate, () => Leaf(c => c.BeforeSigning = tbs =>
        {
            var reader = new DerReader(tbs);
            DerReader inner = reader.Read().Reader();
            var kept = new List<byte>();
            while (!inner.AtEnd)
            {
                DerValue value = inner.Read();
                kept.AddRange(value.Tag == 0xA3 ? [0xA3, 2, 0x30, 0] : tbs[value.Whole]);
            }

            return Value(DerTag.Sequence, [.. kept]);
        }, oracle: false)),
        ["4.2.1.1 critical authority key identifier"] = (Why.UnknownCriticalExtension, () => Leaf(c =>
            c.Extensions[ObjectIdentifiers.AuthorityKeyIdentifier] = (true, c.Extensions[ObjectIdentifiers.AuthorityKeyIdentifier].Write))),
        ["4.2.1.2 critical subject key identifier"] = (Why.UnknownCriticalExtension, () => Leaf(c =>
            c.Extensions[ObjectIdentifiers.SubjectKeyIdentifier] = (true, c.Extensions[ObjectIdentifiers.SubjectKeyIdentifier].Write))),
        ["4.2.1.1 no authority key identifier"] = (Why.InvalidStructure, () => Leaf(c => c.Extensions.Remove(ObjectIdentifiers.AuthorityKeyIdentifier))),
        ["4.2.1.1 an empty authority key identifier"] = (Why.InvalidStructure, () => Extension(ObjectIdentifiers.AuthorityKeyIdentifier, 0x30, 0)),
        ["A.2 an authority's serial number without its issuer"] =
            (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.AuthorityKeyIdentifier, 0x30, 6, 0x80, 1, 1, 0x82, 1, 1)),
        ["A.2 an authority's issuer without its serial number"] =
            (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.AuthorityKeyIdentifier, 0x30, 8, 0x80, 1, 1, 0xA1, 3, 0x82, 1, 0x61)),
        // RFC 4158 §3.5.12: it helps to find the authority, whose signature then decides. OpenSSL insists on it.
        ["4.2.1.1 another authority key identifier"] = (Why.Valid, () => Extension(ObjectIdentifiers.AuthorityKeyIdentifier, 0x30, 3, 0x80, 1, 1)),
        ["4.2.1.1 another authority's issuer and serial number"] = (Why.Valid, () =>
            Extension(ObjectIdentifiers.AuthorityKeyIdentifier, 0x30, 11, 0x80, 1, 1, 0xA1, 3, 0x82, 1, 0x61, 0x82, 1, 7)),
        ["4.2.1.2 an authority without subject key identifier"] = (Why.InvalidStructure, () => Authority(c => c.Extensions.Remove(ObjectIdentifiers.SubjectKeyIdentifier))),
        ["4.2.1.3 key usage without bits"] = (Why.InvalidStructure, () => Extension(ObjectIdentifiers.KeyUsage, 3, 1, 0)),
        ["4.2.1.9 a path length without authority"] = (Why.InvalidStructure, () => Extension(ObjectIdentifiers.BasicConstraints, 0x30, 3, 2, 1, 0)),
        ["4.2.1.9 a negative path length"] = (Why.UnknownIssuer, () => AuthorityExtension(ObjectIdentifiers.BasicConstraints, true, 0x30, 6, 1, 1, 0xFF, 2, 1, 0xFF)),
        ["4.2.1.9 a path length beyond all numbers"] =
            (Why.Valid, () => AuthorityExtension(ObjectIdentifiers.BasicConstraints, true, 0x30, 12, 1, 1, 0xFF, 2, 7, 1, 0, 0, 0, 0, 0, 0)),
        ["4.2.1.9 path length before authority"] = (Why.UnknownIssuer, () => AuthorityExtension(ObjectIdentifiers.BasicConstraints, true, 0x30, 6, 2, 1, 0, 1, 1, 0xFF)),
        ["4.2.1.9 basic constraints of an authority not critical"] = (Why.InvalidStructure, () => Authority(c => c.SetBasicConstraints(false, true, null))),
        ["4.2.1.10 name constraints of an authority not critical"] =
            (Why.InvalidStructure, () => AuthorityExtension(ObjectIdentifiers.NameConstraints, false, 0x30, 7, 0xA1, 5, 0x30, 3, 0x82, 1, 0x61)),
        ["4.2.1.11 policy constraints not critical"] = (Why.InvalidStructure, () => AuthorityExtension(ObjectIdentifiers.PolicyConstraints, false, 0x30, 3, 0x80, 1, 9)),
        ["4.2.1.11 policy constraints that are empty"] = (Why.UnknownIssuer, () => AuthorityExtension(ObjectIdentifiers.PolicyConstraints, true, 0x30, 0)),
        ["4.2.1.14 inhibit any-policy not critical"] = (Why.InvalidStructure, () => AuthorityExtension(ObjectIdentifiers.InhibitAnyPolicy, false, 2, 1, 9)),
        ["4.2.1.14 a negative inhibit any-policy"] = (Why.UnknownIssuer, () => AuthorityExtension(ObjectIdentifiers.InhibitAnyPolicy, true, 2, 1, 0xFF)),
        ["4.2.1.12 no purposes in their list"] = (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.ExtendedKeyUsage, 0x30, 0)),
        ["4.2.1.12 any purpose"] = (Why.Valid, () => Leaf(c => c.SetPurposes(ObjectIdentifiers.AnyExtendedKeyUsage))),
        ["4.2.1.12 an authority for any purpose"] = (Why.Valid, () => Authority(c => c.SetPurposes(ObjectIdentifiers.AnyExtendedKeyUsage))),
        ["4.2.1.12 an authority for lists of time stamps"] = (Why.KeyPurpose, () => Authority(c => c.SetPurposes(ObjectIdentifiers.TimeStamping), oracle: false)),
        ["4.2.1.6 no names in their list"] = (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.SubjectAlternativeName, 0x30, 0)),
        ["4.2.1.6 an address of 5 octets"] = (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.SubjectAlternativeName, 0x30, 7, 0x87, 5, 1, 2, 3, 4, 5)),
        ["4.2.1.6 another name with two values"] =
            (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.SubjectAlternativeName, 0x30, 12, 0xA0, 10, 6, 2, 0x2A, 3, 0xA0, 4, 5, 0, 5, 0)),
        ["4.2.1.13 a distribution point of reasons alone"] =
            (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.CrlDistributionPoints, 0x30, 6, 0x30, 4, 0x81, 2, 6, 0x40)),
        ["4.2.1.13 an empty distribution point"] = (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.CrlDistributionPoints, 0x30, 2, 0x30, 0)),
        ["4.2.2.1 critical information access"] = (Why.UnknownCriticalExtension, () =>
            Leaf(c => c.Set(ObjectIdentifiers.AuthorityInformationAccess, true, w => w.Raw([0x30, 9, 0x30, 7, 6, 2, 0x2A, 3, 0x82, 1, 0x61])))),
        ["4.2.2.1 information access without a place"] = (Why.MalformedCertificate, () => Extension(ObjectIdentifiers.AuthorityInformationAccess, 0x30, 6, 0x30, 4, 6, 2, 0x2A, 3)),
        ["4.1.2.4 no issuer"] = (Why.InvalidStructure, () => Leaf(c => c.Issuer = [])),
        ["4.1.2.6 an authority without subject"] = (Why.InvalidStructure, () => With(p =>
        {
            p.Authority.Subject = [];
            p.Authority.SetNames(w => w.Text(0x82, "ca.example.com"), critical: true);
            p.Leaf.Issuer = [];
        })),

        ["RSA"] = (Why.Valid, () => SignedBy(s_rsa.ExportSubjectPublicKeyInfo(), Identifier(ObjectIdentifiers.Sha256WithRsa, s_null), Pkcs1)),
        ["RFC 4055 5 parameters absent"] = (Why.Valid, () => SignedBy(s_rsa.ExportSubjectPublicKeyInfo(), Identifier(ObjectIdentifiers.Sha256WithRsa), Pkcs1)),
        ["RFC 4055 5 parameters of another type"] =
            (Why.MalformedCertificate, () => SignedBy(s_rsa.ExportSubjectPublicKeyInfo(), Identifier(ObjectIdentifiers.Sha256WithRsa, 0x30, 0), Pkcs1, oracle: false)),
        ["RFC 4055 5 null with content"] =
            (Why.MalformedCertificate, () => SignedBy(s_rsa.ExportSubjectPublicKeyInfo(), Identifier(ObjectIdentifiers.Sha256WithRsa, 5, 1, 0), Pkcs1)),
        ["RFC 3279 2.3.1 an RSA key without parameters"] =
            (Why.UnknownIssuer, () => SignedBy(RsaKey(s_rsa, ObjectIdentifiers.RsaEncryption), Identifier(ObjectIdentifiers.Sha256WithRsa, s_null), Pkcs1, oracle: false)),
        ["RFC 4055 1.2 a key for PSS with null"] =
            (Why.UnknownIssuer, () => SignedBy(RsaKey(s_rsa, ObjectIdentifiers.RsaPss, s_null), Identifier(ObjectIdentifiers.Sha256WithRsa, s_null), Pkcs1)),
        ["RFC 4055 1.2 a key for PSS that signs in the old way"] =
            (Why.BadSignature, () => SignedBy(RsaKey(s_rsa, ObjectIdentifiers.RsaPss), Identifier(ObjectIdentifiers.Sha256WithRsa, s_null), Pkcs1)),
        ["an RSA signature said to be of an elliptic curve"] =
            (Why.BadSignature, () => SignedBy(s_rsa.ExportSubjectPublicKeyInfo(), Identifier(ObjectIdentifiers.Sha256WithEcdsa), Pkcs1)),
        ["an RSA signature with another hash than said"] =
            (Why.BadSignature, () => SignedBy(s_rsa.ExportSubjectPublicKeyInfo(), Identifier(ObjectIdentifiers.Sha384WithRsa, s_null), Pkcs1)),
        ["RFC 5758 3.2 parameters beside ECDSA"] = (Why.MalformedCertificate, () => Leaf(c => c.Algorithm = Identifier(ObjectIdentifiers.Sha256WithEcdsa, s_null), oracle: false)),
        ["a signature algorithm that nobody knows"] = (Why.WeakAlgorithm, () => Leaf(c => c.Algorithm = Identifier("1.2.3.4"))),
        ["a signature with SHA-1"] = (Why.WeakAlgorithm, () => Leaf(c =>
        {
            c.Algorithm = Identifier(ObjectIdentifiers.Sha1WithEcdsa);
            c.Sign = tbs => c.Signer.SignData(tbs, HashAlgorithmName.SHA1, DSASignatureFormat.Rfc3279DerSequence);
        }, oracle: false)),
        ["a signature with MD5"] = (Why.WeakAlgorithm, () => SignedBy(s_rsa.ExportSubjectPublicKeyInfo(), Identifier(ObjectIdentifiers.Md5WithRsa, s_null),
            tbs => s_rsa.SignData(tbs, HashAlgorithmName.MD5, RSASignaturePadding.Pkcs1), oracle: false)),
        ["RSA of 1024 bits"] = (Why.WeakKey, () => Leaf(c => c.PublicKey = Small(1024), oracle: false)),
        ["RSA of 2048 bits"] = (Why.Valid, () => Leaf(c => c.PublicKey = Small(2048))),
        ["RSA with exponent 1"] = (Why.MalformedCertificate, () => Leaf(c => c.PublicKey = Rsa([1]), oracle: false)),
        ["RSA with exponent 2"] = (Why.MalformedCertificate, () => Leaf(c => c.PublicKey = Rsa([2]), oracle: false)),
        ["RSA with a negative exponent"] = (Why.MalformedCertificate, () => Leaf(c => c.PublicKey = Rsa([0x81]), oracle: false)),
        ["RSA with exponent 3"] = (Why.Valid, () => Leaf(c => c.PublicKey = Rsa([3]))),
        ["RSA with an exponent of 5 octets"] = (Why.MalformedCertificate, () => Leaf(c => c.PublicKey = Rsa([1, 0, 0, 0, 0, 1]), oracle: false)),
        ["P-384"] = (Why.Valid, () => Curve("nistP384")),
        ["P-521"] = (Why.Valid, () => Curve("nistP521")),
        ["secp256k1"] = (Why.WeakKey, () => Curve("secp256k1")),
        ["brainpool"] = (Why.WeakKey, () => Curve("brainpoolP256r1")),
        ["RFC 5480 2.1.1 explicit parameters"] = (Why.WeakKey, () => Leaf(c => c.PublicKey = Requested("p256-explicit"))),
        ["RFC 5480 2.1.1 parameters of the issuer"] = (Why.WeakKey, () => Leaf(c => c.PublicKey = Point(s_null), oracle: false)),
        ["RFC 5480 2.1.1 no parameters"] = (Why.WeakKey, () => Leaf(c => c.PublicKey = Point([]), oracle: false)),
        ["Ed448"] = (Why.WeakKey, () => Leaf(c => c.PublicKey = Requested("ed448"), oracle: false)),
        ["Ed25519"] = (Why.Valid, () => SignedBy(EdwardsKey(), s_edwardsId, Edwards)),
        ["RFC 8410 3 a key with parameters"] = (Why.UnknownIssuer, () => SignedBy(EdwardsKey(s_null), s_edwardsId, Edwards, oracle: false)),
        ["RFC 8410 3 a signature with parameters"] = (Why.MalformedCertificate, () => SignedBy(EdwardsKey(), Identifier(ObjectIdentifiers.Ed25519, s_null), Edwards, oracle: false)),
        ["RFC 8410 3 a signature with an octet more"] = (Why.BadSignature, () => SignedBy(EdwardsKey(), s_edwardsId, tbs => [.. Edwards(tbs), 0])),
        ["an ECDSA signature with an octet more"] = (Why.BadSignature, () => Leaf(c =>
            c.Sign = tbs => [.. c.Signer.SignData(tbs, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence), 0])),
        ["an ECDSA signature of zeros"] = (Why.BadSignature, () => Leaf(c => c.Sign = _ => [0x30, 6, 2, 1, 0, 2, 1, 0])),
        ["an ECDSA signature without octets"] = (Why.BadSignature, () => Leaf(c => c.Sign = _ => [])),
    };

    static byte[] Rsa(byte[] exponent) =>
        Sequence(Identifier(ObjectIdentifiers.RsaEncryption, s_null), Value(DerTag.BitString,
            [0, .. Sequence(Value(DerTag.Integer, [0, .. s_rsa.ExportParameters(false).Modulus!]), Value(DerTag.Integer, exponent))]));

    // The key of a request at hand: of what the parser refuses, only the octets.
    static byte[] Requested(string name)
    {
        byte[] der = PemEncoding.TryFind(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "vectors", "requests", $"{name}.pem")), out PemFields fields)
            ? Convert.FromBase64String(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "vectors", "requests", $"{name}.pem"))[fields.Base64Data]) : [];
        DerReader content = new DerReader(der).ReadSequence().ReadSequence();
        content.Skip();
        content.Skip();
        return der[content.Read().Whole];
    }

    static byte[] Point(byte[] parameters)
    {
        byte[] sound = TestCertificate.Key.ExportSubjectPublicKeyInfo();
        DerReader info = new DerReader(sound).ReadSequence();
        info.Skip();
        return Sequence(Identifier(ObjectIdentifiers.EcPublicKey, parameters), sound[info.Read().Whole]);
    }

    // Which key usage an authority and a leaf need: the authority's must let it sign certificates, the leaf's must not.
    public static TheoryData<int> Usages => [.. Enumerable.Range(1, 511)];

    [Theory]
    [MemberData(nameof(Usages))]
    public void Judges_every_key_usage(int bits)
    {
        var usage = (KeyUsages)bits;
        TestPath authority = Authority(c => c.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits((uint)bits)), oracle: false);
        authority.Judge(usage.HasFlag(KeyUsages.KeyCertSign) ? Why.Valid : Why.KeyUsage, _folder);
        TestPath leaf = Leaf(c => c.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits((uint)bits)), oracle: false);
        leaf.Judge(usage.HasFlag(KeyUsages.KeyCertSign) ? Why.InvalidStructure : Why.Valid, _folder);
        leaf.Options = leaf.Options with { Policy = ValidationPolicy.Fleet };
        leaf.Judge(usage.HasFlag(KeyUsages.KeyCertSign) ? Why.InvalidStructure : usage.HasFlag(KeyUsages.DigitalSignature) ? Why.Valid : Why.KeyUsage, _folder);
    }

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Judges_by_the_clause(string name) => s_cases[name].Make().Judge(s_cases[name].Reason, _folder);
}
