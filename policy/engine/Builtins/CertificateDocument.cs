using System.Formats.Asn1;
using System.Globalization;
using System.Net;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Talos.Policy;

/// <summary>Certificates and requests with the member names and shapes of Go's encoding/json over crypto/x509.</summary>
static class CertificateDocument
{
    /// <param name="certificate">Whose members to write.</param>
    /// <param name="withStrings">Whether addresses are there as text too; OPA adds them in some places.</param>
    /// <exception cref="BuiltinException">An extension is not what its identifier says.</exception>
    public static Value Write(X509Certificate2 certificate, bool withStrings = true)
    {
        try
        {
            return Members(certificate, withStrings);
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException or OverflowException)
        {
            throw new BuiltinException("x509: malformed certificate");
        }
    }

    static ObjectValue Members(X509Certificate2 certificate, bool withStrings)
    {
        AsnReader tbs = new AsnReader(certificate.RawData, AsnEncodingRules.DER).ReadSequence();
        ReadOnlyMemory<byte> rawTbs = tbs.PeekEncodedValue();
        var members = new Dictionary<string, Value>(StringComparer.Ordinal)
        {
            ["Raw"] = Base64(certificate.RawData),
            ["RawTBSCertificate"] = Base64(rawTbs.Span),
            ["RawSubjectPublicKeyInfo"] = Base64(certificate.PublicKey.ExportSubjectPublicKeyInfo()),
            ["RawSubject"] = Base64(certificate.SubjectName.RawData),
            ["RawIssuer"] = Base64(certificate.IssuerName.RawData),
            ["Signature"] = Base64(SignatureOf(certificate.RawData)),
            ["SignatureAlgorithm"] = Value.From(SignatureAlgorithm(certificate.SignatureAlgorithm.Value)),
            ["PublicKeyAlgorithm"] = Value.From(KeyAlgorithm(certificate.PublicKey.Oid.Value)),
            ["PublicKey"] = PublicKey(certificate.PublicKey),
            ["Version"] = Value.From(certificate.Version),
            ["SerialNumber"] = NumberValue.From(new BigInteger(certificate.SerialNumberBytes.Span, false, true)),
            ["Issuer"] = Name(certificate.IssuerName.RawData),
            ["Subject"] = Name(certificate.SubjectName.RawData),
            ["NotBefore"] = Time(certificate.NotBefore),
            ["NotAfter"] = Time(certificate.NotAfter),
        };
        Extensions(certificate.Extensions, members, true);
        CertificateExtensions.Write(certificate.Extensions, members);
        if (!withStrings) members.Remove("URIStrings");
        return Object(members);
    }

    // RFC 2986 §4
    public static ObjectValue WriteRequest(byte[] der)
    {
        AsnReader request = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        ReadOnlyMemory<byte> rawInfo = request.PeekEncodedValue();
        AsnReader info = request.ReadSequence();
        BigInteger version = info.ReadInteger();
        ReadOnlyMemory<byte> subject = info.ReadEncodedValue(), key = info.ReadEncodedValue();
        CertificateRequest loaded = CertificateRequest.LoadSigningRequest(der, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions | CertificateRequestLoadOptions.SkipSignatureValidation);
        string algorithm = request.ReadSequence().ReadObjectIdentifier();
        var members = new Dictionary<string, Value>(StringComparer.Ordinal)
        {
            ["Raw"] = Base64(der),
            ["RawTBSCertificateRequest"] = Base64(rawInfo.Span),
            ["RawSubjectPublicKeyInfo"] = Base64(key.Span),
            ["RawSubject"] = Base64(subject.Span),
            ["Version"] = NumberValue.From(version),
            ["Signature"] = Base64(request.ReadBitString(out _)),
            ["SignatureAlgorithm"] = Value.From(SignatureAlgorithm(algorithm)),
            ["PublicKeyAlgorithm"] = Value.From(KeyAlgorithm(loaded.PublicKey.Oid.Value)),
            ["PublicKey"] = PublicKey(loaded.PublicKey),
            ["Subject"] = Name(subject.ToArray()),
            ["Attributes"] = ArrayValue.Empty,
        };
        var extensions = new X509ExtensionCollection();
        foreach (X509Extension extension in loaded.CertificateExtensions) extensions.Add(extension);
        Extensions(extensions, members, false);
        return Object(members);
    }

    static ObjectValue Object(Dictionary<string, Value> members) => ObjectValue.From([.. members.Select(m => new KeyValuePair<Value, Value>(Value.From(m.Key), m.Value))]);

    static Value Base64(ReadOnlySpan<byte> bytes) => Value.From(Convert.ToBase64String(bytes));

    static Value Time(DateTime local) => Value.From(local.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));

    static byte[] SignatureOf(byte[] der)
    {
        AsnReader certificate = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        certificate.ReadEncodedValue();
        certificate.ReadEncodedValue();
        return certificate.ReadBitString(out _);
    }

    // The numbers of Go's x509.SignatureAlgorithm.
    static int SignatureAlgorithm(string? oid) => oid switch
    {
        "1.2.840.113549.1.1.4" => 2,
        "1.2.840.113549.1.1.5" => 3,
        "1.2.840.113549.1.1.11" => 4,
        "1.2.840.113549.1.1.12" => 5,
        "1.2.840.113549.1.1.13" => 6,
        "1.2.840.10045.4.1" => 9,
        "1.2.840.10045.4.3.2" => 10,
        "1.2.840.10045.4.3.3" => 11,
        "1.2.840.10045.4.3.4" => 12,
        "1.2.840.113549.1.1.10" => 13,
        "1.3.101.112" => 16,
        _ => 0,
    };

    // The numbers of Go's x509.PublicKeyAlgorithm.
    static int KeyAlgorithm(string? oid) => oid switch { "1.2.840.113549.1.1.1" => 1, "1.2.840.10040.4.1" => 2, "1.2.840.10045.2.1" => 3, "1.3.101.112" => 4, _ => 0 };

    static Value PublicKey(PublicKey key)
    {
        if (key.GetRSAPublicKey() is { } rsa)
        {
            using (rsa)
            {
                RSAParameters p = rsa.ExportParameters(false);
                return ObjectValue.From(("N", NumberValue.From(new BigInteger(p.Modulus!, true, true))), ("E", NumberValue.From(new BigInteger(p.Exponent!, true, true))));
            }
        }
        if (key.GetECDsaPublicKey() is { } ec)
        {
            using (ec)
            {
                ECParameters p = ec.ExportParameters(false);
                return ObjectValue.From(("Curve", ObjectValue.Empty), ("X", NumberValue.From(new BigInteger(p.Q.X!, true, true))), ("Y", NumberValue.From(new BigInteger(p.Q.Y!, true, true))));
            }
        }
        return Base64(key.EncodedKeyValue.RawData);
    }

    // Go's pkix.Name
    static ObjectValue Name(byte[] der)
    {
        var lists = new Dictionary<string, List<Value>>(StringComparer.Ordinal);
        string common = "", serial = "";
        var all = new List<Value>();
        AsnReader name = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        while (name.HasData)
        {
            AsnReader set = name.ReadSetOf();
            while (set.HasData)
            {
                AsnReader attribute = set.ReadSequence();
                string oid = attribute.ReadObjectIdentifier();
                Asn1Tag tag = attribute.PeekTag();
                string text = tag.TagClass == TagClass.Universal && tag.TagValue is 12 or 18 or 19 or 20 or 22 or 26 or 30 ? attribute.ReadCharacterString((UniversalTagNumber)tag.TagValue) : Convert.ToBase64String(attribute.ReadEncodedValue().Span);
                all.Add(ObjectValue.From(("Type", new ArrayValue([.. oid.Split('.').Select(n => NumberValue.Parse(n)!)])), ("Value", Value.From(text))));
                string? list = oid switch
                {
                    "2.5.4.6" => "Country",
                    "2.5.4.10" => "Organization",
                    "2.5.4.11" => "OrganizationalUnit",
                    "2.5.4.7" => "Locality",
                    "2.5.4.8" => "Province",
                    "2.5.4.9" => "StreetAddress",
                    "2.5.4.17" => "PostalCode",
                    _ => null,
                };
                if (oid == "2.5.4.3") common = text;
                else if (oid == "2.5.4.5") serial = text;
                else if (list is not null)
                {
                    if (!lists.TryGetValue(list, out List<Value>? values)) lists.Add(list, values = []);
                    values.Add(Value.From(text));
                }
            }
        }
        Value List(string key) => lists.TryGetValue(key, out List<Value>? values) ? new ArrayValue([.. values]) : NullValue.Instance;
        return ObjectValue.From(("Country", List("Country")), ("Organization", List("Organization")), ("OrganizationalUnit", List("OrganizationalUnit")), ("Locality", List("Locality")),
            ("Province", List("Province")), ("StreetAddress", List("StreetAddress")), ("PostalCode", List("PostalCode")), ("SerialNumber", Value.From(serial)), ("CommonName", Value.From(common)),
            ("Names", new ArrayValue([.. all])), ("ExtraNames", NullValue.Instance));
    }

    static void Extensions(X509ExtensionCollection extensions, Dictionary<string, Value> members, bool isCertificate)
    {
        var raw = new List<Value>();
        List<Value> dns = [], mail = [], addresses = [], uris = [];
        if (isCertificate)
        {
            (members["KeyUsage"], members["ExtKeyUsage"], members["UnknownExtKeyUsage"]) = (Value.From(0), NullValue.Instance, NullValue.Instance);
            (members["BasicConstraintsValid"], members["IsCA"], members["MaxPathLen"], members["MaxPathLenZero"]) = (BooleanValue.False, BooleanValue.False, Value.From(0), BooleanValue.False);
            (members["SubjectKeyId"], members["AuthorityKeyId"]) = (NullValue.Instance, NullValue.Instance);
        }
        foreach (X509Extension extension in extensions)
        {
            raw.Add(ObjectValue.From(("Id", new ArrayValue([.. extension.Oid!.Value!.Split('.').Select(n => NumberValue.Parse(n)!)])), ("Critical", Value.From(extension.Critical)), ("Value", Base64(extension.RawData))));
            if (extension.Oid.Value == "2.5.29.17") Names(extension.RawData, dns, mail, addresses, uris);
            if (!isCertificate) continue;
            switch (extension)
            {
                case X509KeyUsageExtension usage:
                    members["KeyUsage"] = Value.From(GoKeyUsage(usage.KeyUsages));
                    break;
                case X509BasicConstraintsExtension basic:
                    members["BasicConstraintsValid"] = BooleanValue.True;
                    members["IsCA"] = Value.From(basic.CertificateAuthority);
                    members["MaxPathLen"] = Value.From(basic.HasPathLengthConstraint ? basic.PathLengthConstraint : -1);
                    members["MaxPathLenZero"] = Value.From(basic is { HasPathLengthConstraint: true, PathLengthConstraint: 0 });
                    break;
                case X509EnhancedKeyUsageExtension enhanced:
                    members["ExtKeyUsage"] = new ArrayValue([.. enhanced.EnhancedKeyUsages.Cast<Oid>().Select(o => ExtendedUsage(o.Value)).Where(u => u >= 0).Select(u => Value.From(u))]);
                    break;
                case X509SubjectKeyIdentifierExtension subject:
                    members["SubjectKeyId"] = Base64(subject.SubjectKeyIdentifierBytes.Span);
                    break;
                case X509AuthorityKeyIdentifierExtension { KeyIdentifier: { } authority }:
                    members["AuthorityKeyId"] = Base64(authority.Span);
                    break;
            }
        }
        static Value List(List<Value> values) => values.Count == 0 ? NullValue.Instance : new ArrayValue([.. values]);
        members["Extensions"] = List(raw);
        members["ExtraExtensions"] = NullValue.Instance;
        (members["DNSNames"], members["EmailAddresses"], members["IPAddresses"]) = (List(dns), List(mail), List(addresses));
        members["URIs"] = uris.Count == 0 ? NullValue.Instance : new ArrayValue([.. uris.Select(u => Uri(((StringValue)u).Text))]);
        if (isCertificate) members["URIStrings"] = List(uris);
    }

    // RFC 5280 §4.2.1.6
    static void Names(byte[] der, List<Value> dns, List<Value> mail, List<Value> addresses, List<Value> uris)
    {
        AsnReader names = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        while (names.HasData)
        {
            Asn1Tag tag = names.PeekTag();
            switch (tag.TagClass == TagClass.ContextSpecific ? tag.TagValue : -1)
            {
                case 1: mail.Add(Value.From(names.ReadCharacterString(UniversalTagNumber.IA5String, tag))); break;
                case 2: dns.Add(Value.From(names.ReadCharacterString(UniversalTagNumber.IA5String, tag))); break;
                case 6: uris.Add(Value.From(names.ReadCharacterString(UniversalTagNumber.IA5String, tag))); break;
                case 7: addresses.Add(Value.From(new IPAddress(names.ReadOctetString(tag)).ToString())); break;
                default: names.ReadEncodedValue(); break;
            }
        }
    }

    static ObjectValue Uri(string text)
    {
        System.Uri.TryCreate(text, UriKind.Absolute, out Uri? uri);
        return ObjectValue.From(("Scheme", Value.From(uri?.Scheme ?? "")), ("Opaque", StringValue.Empty), ("User", NullValue.Instance), ("Host", Value.From(uri?.Authority ?? "")), ("Path", Value.From(uri?.AbsolutePath == "/" ? "" : uri?.AbsolutePath ?? text)),
            ("RawPath", StringValue.Empty), ("ForceQuery", BooleanValue.False), ("OmitHost", BooleanValue.False), ("RawQuery", Value.From(uri?.Query.TrimStart('?') ?? "")), ("Fragment", Value.From(uri?.Fragment.TrimStart('#') ?? "")), ("RawFragment", StringValue.Empty));
    }

    // .NET keeps the bits as DER has them; Go counts from digitalSignature up.
    static int GoKeyUsage(X509KeyUsageFlags flags)
    {
        X509KeyUsageFlags[] order =
        [
            X509KeyUsageFlags.DigitalSignature, X509KeyUsageFlags.NonRepudiation, X509KeyUsageFlags.KeyEncipherment, X509KeyUsageFlags.DataEncipherment, X509KeyUsageFlags.KeyAgreement,
            X509KeyUsageFlags.KeyCertSign, X509KeyUsageFlags.CrlSign, X509KeyUsageFlags.EncipherOnly, X509KeyUsageFlags.DecipherOnly,
        ];
        int usage = 0;
        for (int i = 0; i < order.Length; i++)
            if (flags.HasFlag(order[i])) usage |= 1 << i;
        return usage;
    }

    static int ExtendedUsage(string? oid) => oid switch
    {
        "2.5.29.37.0" => 0,
        "1.3.6.1.5.5.7.3.1" => 1,
        "1.3.6.1.5.5.7.3.2" => 2,
        "1.3.6.1.5.5.7.3.3" => 3,
        "1.3.6.1.5.5.7.3.4" => 4,
        "1.3.6.1.5.5.7.3.5" => 5,
        "1.3.6.1.5.5.7.3.6" => 6,
        "1.3.6.1.5.5.7.3.7" => 7,
        "1.3.6.1.5.5.7.3.8" => 8,
        "1.3.6.1.5.5.7.3.9" => 9,
        "1.3.6.1.4.1.311.10.3.3" => 10,
        "2.16.840.1.113730.4.1" => 11,
        "1.3.6.1.4.1.311.2.1.22" => 12,
        "1.3.6.1.4.1.311.61.1.1" => 13,
        _ => -1,
    };
}
