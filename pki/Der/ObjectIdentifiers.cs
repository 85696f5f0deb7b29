using System.Collections.Frozen;
using System.Text;

namespace Talos.Pki;

/// <summary>Object identifiers by name, and their two forms: dotted text and content octets (X.690 §8.19).</summary>
static class ObjectIdentifiers
{
    // Attribute types, RFC 5280 appendix A.1
    public const string CommonName = "2.5.4.3";
    public const string Organization = "2.5.4.10";
    public const string DomainComponent = "0.9.2342.19200300.100.1.25";
    public const string EmailAddress = "1.2.840.113549.1.9.1";

    // Extensions, RFC 5280 §4.2 and §5.2
    public const string SubjectKeyIdentifier = "2.5.29.14";
    public const string KeyUsage = "2.5.29.15";
    public const string SubjectAlternativeName = "2.5.29.17";
    public const string IssuerAlternativeName = "2.5.29.18";
    public const string BasicConstraints = "2.5.29.19";
    public const string CrlNumber = "2.5.29.20";
    public const string CrlReason = "2.5.29.21";
    public const string InvalidityDate = "2.5.29.24";
    public const string DeltaCrlIndicator = "2.5.29.27";
    public const string IssuingDistributionPoint = "2.5.29.28";
    public const string CertificateIssuer = "2.5.29.29";
    public const string NameConstraints = "2.5.29.30";
    public const string CrlDistributionPoints = "2.5.29.31";
    public const string CertificatePolicies = "2.5.29.32";
    public const string AnyPolicy = "2.5.29.32.0";
    public const string PolicyMappings = "2.5.29.33";
    public const string AuthorityKeyIdentifier = "2.5.29.35";
    public const string PolicyConstraints = "2.5.29.36";
    public const string ExtendedKeyUsage = "2.5.29.37";
    public const string FreshestCrl = "2.5.29.46";
    public const string InhibitAnyPolicy = "2.5.29.54";
    public const string AuthorityInformationAccess = "1.3.6.1.5.5.7.1.1";
    public const string SubjectInformationAccess = "1.3.6.1.5.5.7.1.11";

    // Another name: a mailbox in letters of any script, RFC 9598 §3
    public const string SmtpUtf8Mailbox = "1.3.6.1.5.5.7.8.9";

    // Key purposes, RFC 5280 §4.2.1.12
    public const string AnyExtendedKeyUsage = "2.5.29.37.0";
    public const string ServerAuth = "1.3.6.1.5.5.7.3.1";
    public const string ClientAuth = "1.3.6.1.5.5.7.3.2";
    public const string CodeSigning = "1.3.6.1.5.5.7.3.3";
    public const string EmailProtection = "1.3.6.1.5.5.7.3.4";
    public const string TimeStamping = "1.3.6.1.5.5.7.3.8";

    // Keys and signatures: RFC 3279, 4055, 5480, 5758, 8410, 9881
    public const string RsaEncryption = "1.2.840.113549.1.1.1";
    public const string Md5WithRsa = "1.2.840.113549.1.1.4";
    public const string Sha1WithRsa = "1.2.840.113549.1.1.5";
    public const string Mgf1 = "1.2.840.113549.1.1.8";
    public const string RsaPss = "1.2.840.113549.1.1.10";
    public const string Sha256WithRsa = "1.2.840.113549.1.1.11";
    public const string Sha384WithRsa = "1.2.840.113549.1.1.12";
    public const string Sha512WithRsa = "1.2.840.113549.1.1.13";
    public const string EcPublicKey = "1.2.840.10045.2.1";
    public const string P256 = "1.2.840.10045.3.1.7";
    public const string P384 = "1.3.132.0.34";
    public const string P521 = "1.3.132.0.35";
    public const string Sha1WithEcdsa = "1.2.840.10045.4.1";
    public const string Sha256WithEcdsa = "1.2.840.10045.4.3.2";
    public const string Sha384WithEcdsa = "1.2.840.10045.4.3.3";
    public const string Sha512WithEcdsa = "1.2.840.10045.4.3.4";
    public const string Ed25519 = "1.3.101.112";
    public const string Dsa = "1.2.840.10040.4.1";
    public const string Sha1WithDsa = "1.2.840.10040.4.3";
    public const string Sha256WithDsa = "2.16.840.1.101.3.4.3.2";
    public const string MlDsa44 = "2.16.840.1.101.3.4.3.17";
    public const string MlDsa65 = "2.16.840.1.101.3.4.3.18";
    public const string MlDsa87 = "2.16.840.1.101.3.4.3.19";
    public const string Sha1 = "1.3.14.3.2.26";
    public const string Sha256 = "2.16.840.1.101.3.4.2.1";
    public const string Sha384 = "2.16.840.1.101.3.4.2.2";
    public const string Sha512 = "2.16.840.1.101.3.4.2.3";

    // Requests, RFC 2985 §5.4
    public const string ChallengePassword = "1.2.840.113549.1.9.7";
    public const string ExtensionRequest = "1.2.840.113549.1.9.14";

    static readonly FrozenDictionary<string, byte[]> s_encoded = new[]
    {
        CommonName, Organization, DomainComponent, EmailAddress, SubjectKeyIdentifier, KeyUsage, SubjectAlternativeName,
        BasicConstraints, NameConstraints, CrlDistributionPoints, CertificatePolicies, AnyPolicy, AuthorityKeyIdentifier,
        ExtendedKeyUsage, AuthorityInformationAccess, ServerAuth, ClientAuth, RsaEncryption, Sha256WithRsa, EcPublicKey,
        P256, P384, Sha256WithEcdsa, Sha384WithEcdsa, Ed25519, ExtensionRequest,
    }.ToFrozenDictionary(dotted => dotted, Compute);

    // The hot path meets the same few identifiers; they are compared, not formatted.
    static readonly (byte[] Octets, string Text)[] s_known = [.. s_encoded.Select(pair => (pair.Value, pair.Key))];

    public static ReadOnlySpan<byte> Encode(string dotted) => s_encoded.TryGetValue(dotted, out byte[]? octets) ? octets : Compute(dotted);

    /// <summary>Dotted text, or null when the octets are no minimal encoding.</summary>
    public static string? ToText(ReadOnlySpan<byte> content)
    {
        foreach ((byte[] octets, string text) in s_known)
            if (content.SequenceEqual(octets))
                return text;
        // LIMIT: 64 octets; the longest identifier in use in X.509 takes fewer than 20.
        if (content.IsEmpty || content.Length > 64 || content[^1] >= 0x80)
            return null;
        var builder = new StringBuilder(content.Length * 3);
        ulong arc = 0;
        bool first = true, start = true;
        foreach (byte b in content)
        {
            if ((start && b == 0x80) || arc > ulong.MaxValue >> 7)
                return null; // X.690 §8.19.2; LIMIT: arcs of 64 bits
            start = false;
            arc = (arc << 7) | (uint)(b & 0x7F);
            if (b >= 0x80)
                continue;
            if (first)
            {
                ulong root = arc < 80 ? arc / 40 : 2;
                builder.Append(root).Append('.').Append(arc - (root * 40));
            }
            else
            {
                builder.Append('.').Append(arc);
            }

            first = false;
            start = true;
            arc = 0;
        }

        return builder.ToString();
    }

    static byte[] Compute(string dotted)
    {
        ulong[] arcs = [.. dotted.Split('.').Select(arc => ulong.Parse(arc, System.Globalization.CultureInfo.InvariantCulture))];
        var octets = new List<byte>();
        Append((arcs[0] * 40) + arcs[1]);
        foreach (ulong arc in arcs.AsSpan(2))
            Append(arc);
        return [.. octets];

        void Append(ulong arc)
        {
            int at = octets.Count;
            octets.Add((byte)(arc & 0x7F));
            for (arc >>= 7; arc != 0; arc >>= 7)
                octets.Insert(at, (byte)(0x80 | (arc & 0x7F)));
        }
    }
}
