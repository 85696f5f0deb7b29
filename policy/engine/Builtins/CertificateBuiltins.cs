using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Talos.Policy;

/// <summary>X.509 certificates, requests and private keys, as the documents that Go makes of them.</summary>
static class CertificateBuiltins
{
    // LIMIT: certificates in one text.
    const int MaxCertificates = 1000;

    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("crypto.x509.parse_certificates", v => new ArrayValue([.. Certificates(Operand.Text(v, 1)).Select(c => CertificateDocument.Write(c))])),
        new("crypto.x509.parse_and_verify_certificates", 1, (e, a) => ParseAndVerify(e, Operand.Text(a[0], 1), null)),
        new("crypto.x509.parse_and_verify_certificates_with_options", 2, (e, a) => ParseAndVerify(e, Operand.Text(a[0], 1), Operand.Object(a[1], 2))),
        Builtin.Of("crypto.x509.parse_certificate_request", v => Request(Operand.Text(v, 1))),
        Builtin.Of("crypto.x509.parse_keypair", (c, k) => KeyPair(Operand.Text(c, 1), Operand.Text(k, 1))),
        Builtin.Of("crypto.x509.parse_rsa_private_key", v => PrivateKeys.First(Operand.Text(v, 1))),
        Builtin.Of("crypto.parse_private_keys", v => PrivateKeys.All(Operand.Text(v, 1))),
    ];

    static List<X509Certificate2> Certificates(string text)
    {
        string pem = text;
        if (!text.StartsWith("-----BEGIN", StringComparison.Ordinal))
        {
            byte[] decoded = EncodingBuiltins.FromBase64(text, false, true);
            pem = Encoding.UTF8.GetString(decoded);
            if (!pem.StartsWith("-----BEGIN", StringComparison.Ordinal)) return Split(decoded);
        }
        var all = new List<X509Certificate2>();
        ReadOnlySpan<char> rest = pem;
        while (PemEncoding.TryFind(rest, out PemFields fields))
        {
            if (!rest[fields.Label].SequenceEqual("CERTIFICATE")) throw new BuiltinException($"PEM block type is '{rest[fields.Label]}', expected CERTIFICATE");
            all.AddRange(Split(Convert.FromBase64String(rest[fields.Base64Data].ToString())));
            rest = rest[fields.Location.End..];
        }
        return all;
    }

    // Several DER certificates may follow each other.
    static List<X509Certificate2> Split(byte[] der)
    {
        var all = new List<X509Certificate2>();
        try
        {
            for (int at = 0; at < der.Length;)
            {
                if (all.Count == MaxCertificates) throw new BuiltinException($"x509: more than {MaxCertificates} certificates");
                System.Formats.Asn1.AsnDecoder.ReadEncodedValue(der.AsSpan(at), System.Formats.Asn1.AsnEncodingRules.DER, out _, out _, out int length);
                all.Add(X509CertificateLoader.LoadCertificate(der.AsSpan(at, length)));
                at += length;
            }
        }
        catch (Exception e) when (e is CryptographicException or System.Formats.Asn1.AsnContentException)
        {
            throw new BuiltinException("x509: malformed certificate");
        }
        return all;
    }

    static ArrayValue ParseAndVerify(Evaluation e, string text, ObjectValue? options)
    {
        var failed = new ArrayValue(BooleanValue.False, ArrayValue.Empty);
        List<X509Certificate2> certificates;
        try
        {
            certificates = Certificates(text);
        }
        catch (BuiltinException)
        {
            return failed; // the answer to the question
        }
        ChainOptions chain = ChainOptions.Read(e, options ?? ObjectValue.Empty);
        if (certificates.Count < 2) return failed;
        X509Certificate2 root = certificates[0], leaf = certificates[^1];
        using var builder = new X509Chain();
        builder.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        builder.ChainPolicy.CustomTrustStore.Add(root);
        foreach (X509Certificate2 intermediate in certificates.Skip(1).SkipLast(1)) builder.ChainPolicy.ExtraStore.Add(intermediate);
        builder.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        builder.ChainPolicy.DisableCertificateDownloads = true;
        builder.ChainPolicy.VerificationTime = chain.Time.UtcDateTime;
        builder.ChainPolicy.VerificationTimeIgnored = false;
        foreach (string usage in chain.Usages) builder.ChainPolicy.ApplicationPolicy.Add(new Oid(usage));
        if (!builder.Build(leaf)) return failed;
        if (chain.DnsName is { } name && !leaf.MatchesHostname(name, allowCommonName: false)) return failed;
        return new ArrayValue(BooleanValue.True, new ArrayValue([.. builder.ChainElements.Select(c => CertificateDocument.Write(c.Certificate, options is null))]));
    }

    static ObjectValue Request(string text)
    {
        byte[] der;
        if (text.StartsWith("-----BEGIN CERTIFICATE REQUEST-----", StringComparison.Ordinal)) der = FromPem(text);
        else
        {
            der = EncodingBuiltins.FromBase64(text, false, true);
            string inner = Encoding.UTF8.GetString(der);
            if (inner.StartsWith("-----BEGIN", StringComparison.Ordinal)) der = FromPem(inner);
        }
        try
        {
            return CertificateDocument.WriteRequest(der);
        }
        catch (Exception e) when (e is CryptographicException or System.Formats.Asn1.AsnContentException)
        {
            throw new BuiltinException("asn1: structure error: the request is malformed");
        }
    }

    static byte[] FromPem(string text)
    {
        if (!PemEncoding.TryFind(text, out PemFields fields) || text[fields.Label] != "CERTIFICATE REQUEST") throw new BuiltinException("invalid PEM-encoded certificate signing request");
        return Convert.FromBase64String(text[fields.Base64Data]);
    }

    static ObjectValue KeyPair(string certificate, string key)
    {
        string pem = certificate.StartsWith("-----BEGIN ", StringComparison.Ordinal) ? certificate : Encoding.UTF8.GetString(EncodingBuiltins.FromBase64(certificate, false, true));
        var certificates = Certificates(pem.StartsWith("-----BEGIN", StringComparison.Ordinal) ? pem : certificate);
        if (certificates.Count == 0) throw new BuiltinException("tls: failed to find any PEM data in certificate input");
        Value document = PrivateKeys.Document(PrivateKeys.ForPair(key, certificates[0]));
        return ObjectValue.From(("Certificate", new ArrayValue([.. certificates.Select(c => Value.From(Convert.ToBase64String(c.RawData)))])), ("PrivateKey", document),
            ("SupportedSignatureAlgorithms", NullValue.Instance), ("OCSPStaple", NullValue.Instance), ("SignedCertificateTimestamps", NullValue.Instance), ("Leaf", CertificateDocument.Write(certificates[0], false)));
    }
}

/// <summary>Options of chain verification, by Go's names.</summary>
sealed record ChainOptions(DateTimeOffset Time, string? DnsName, IReadOnlyList<string> Usages)
{
    static readonly Dictionary<string, string?> KnownUsages = new(StringComparer.Ordinal)
    {
        ["KeyUsageAny"] = null,
        ["KeyUsageServerAuth"] = "1.3.6.1.5.5.7.3.1",
        ["KeyUsageClientAuth"] = "1.3.6.1.5.5.7.3.2",
        ["KeyUsageCodeSigning"] = "1.3.6.1.5.5.7.3.3",
        ["KeyUsageEmailProtection"] = "1.3.6.1.5.5.7.3.4",
        ["KeyUsageIPSECEndSystem"] = "1.3.6.1.5.5.7.3.5",
        ["KeyUsageIPSECTunnel"] = "1.3.6.1.5.5.7.3.6",
        ["KeyUsageIPSECUser"] = "1.3.6.1.5.5.7.3.7",
        ["KeyUsageTimeStamping"] = "1.3.6.1.5.5.7.3.8",
        ["KeyUsageOCSPSigning"] = "1.3.6.1.5.5.7.3.9",
        ["KeyUsageMicrosoftServerGatedCrypto"] = "1.3.6.1.4.1.311.10.3.3",
        ["KeyUsageNetscapeServerGatedCrypto"] = "2.16.840.1.113730.4.1",
        ["KeyUsageMicrosoftCommercialCodeSigning"] = "1.3.6.1.4.1.311.2.1.22",
        ["KeyUsageMicrosoftKernelCodeSigning"] = "1.3.6.1.4.1.311.61.1.1",
    };

    public static ChainOptions Read(Evaluation e, ObjectValue options)
    {
        var now = (NumberValue)BuiltinRegistry.Find("time.now_ns")!.Invoke(e, [])!;
        now.TryGetInt64(out long time);
        string? name = null;
        // Without a choice Go asks for server authentication.
        List<string> usages = [KnownUsages["KeyUsageServerAuth"]!];
        foreach ((Value key, Value value) in options.Pairs)
        {
            switch ((key as StringValue)?.Text)
            {
                case "DNSName": name = value is StringValue s ? s.Text.Trim('"') : throw new BuiltinException("'DNSName' should be a string"); break;
                case "CurrentTime":
                    if (value is not NumberValue n) throw new BuiltinException("'CurrentTime' should be a number");
                    if (!n.TryGetInt64(out time)) throw new BuiltinException("'CurrentTime' should be a valid int64 number");
                    break;
                case "MaxConstraintComparisons":
                    if (value is not NumberValue) throw new BuiltinException("'MaxConstraintComparisons' should be a number");
                    break;
                case "KeyUsages":
                    Value[] items = value switch { ArrayValue array => array.Items, SetValue set => set.Members.Sorted, _ => throw new BuiltinException("'KeyUsages' should be an Array or Set") };
                    string[] names = [.. items.OfType<StringValue>().Select(u => u.Text.Trim('"'))];
                    string[] unknown = [.. names.Where(u => !KnownUsages.ContainsKey(u))];
                    if (unknown.Length > 0) throw new BuiltinException($"invalid entries for 'KeyUsages' found: [{string.Join(' ', unknown)}]");
                    usages = names.Contains("KeyUsageAny") ? [] : [.. names.Select(u => KnownUsages[u]!)];
                    break;
                case null: break; // OPA passes over keys that are no text
                default: throw new BuiltinException("invalid key option");
            }
        }
        return new ChainOptions(DateTimeOffset.UnixEpoch.AddTicks(time / 100), name, usages);
    }
}
