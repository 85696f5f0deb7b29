using System.Net;
using System.Security.Cryptography;

namespace Talos.Pki;

/// <summary>The requester's side: a new P-256 key and the request that it signs. Owns the key unless it was given.</summary>
public sealed class CertificateSigningRequest : IDisposable
{
    readonly bool _ownsKey;

    CertificateSigningRequest(ECDsa key, bool ownsKey, byte[] der)
    {
        Key = key;
        _ownsKey = ownsKey;
        Der = der;
    }

    public ECDsa Key { get; }

    public ReadOnlyMemory<byte> Der { get; }

    public string Pem => Talos.Pki.Pem.Write(Talos.Pki.Pem.CertificateRequest, Der.Span);

    /// <summary>PKCS #8, unencrypted: write it to a file of mode 0600 and nowhere else.</summary>
    public string ExportPrivateKeyPem() => Key.ExportPkcs8PrivateKeyPem() + "\n";

    /// <summary>Makes a key and a request for <paramref name="name"/> with these DNS names and addresses.</summary>
    public static CertificateSigningRequest Create(string name, IEnumerable<string>? dnsNames = null, IEnumerable<IPAddress>? addresses = null)
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateSigningRequest(key, ownsKey: true, Build(key, name, dnsNames ?? [], addresses ?? []));
    }

    /// <summary>As above with a P-256 key that exists, one inside a TPM for instance; the caller keeps owning it.</summary>
    public static CertificateSigningRequest Create(ECDsa key, string name, IEnumerable<string>? dnsNames = null, IEnumerable<IPAddress>? addresses = null) =>
        new(key, ownsKey: false, Build(key, name, dnsNames ?? [], addresses ?? []));

    /// <summary>
    /// A request for an authority of <paramref name="cluster"/> under a root kept elsewhere. It asks for what such an authority has to have: no authorities
    /// below it, and identities of its cluster alone.
    /// </summary>
    public static CertificateSigningRequest CreateForAuthority(ECDsa key, string cluster)
    {
        byte[] spki = key.ExportSubjectPublicKeyInfo();
        var reader = new DerReader(spki);
        SubjectPublicKey publicKey = SubjectPublicKey.Parse(ref reader, spki);
        DistinguishedName subject = DistinguishedName.Create(
            (ObjectIdentifiers.Organization, cluster),
            (ObjectIdentifiers.CommonName, $"Talos OS intermediate {Convert.ToHexStringLower(publicKey.Identifier.Span[..4])}"));
        return new(key, ownsKey: false, Build(key, subject.Der.Span, writer => CertificateWriter.WriteAuthorityExtensions(writer, CertificateProfile.OsIntermediate, cluster)));
    }

    public void Dispose()
    {
        if (_ownsKey)
            Key.Dispose();
    }

    static byte[] Build(ECDsa key, string name, IEnumerable<string> dnsNames, IEnumerable<IPAddress> addresses)
    {
        (string[] dns, IPAddress[] ips) = ([.. dnsNames], [.. addresses]);
        var subject = new DerWriter();
        using (subject.Sequence())
        {
            // Empty leaves the name to whoever grants it.
            if (name.Length > 0)
                WriteName(subject, name);
        }

        return Build(key, subject.ToArray(), dns.Length + ips.Length == 0 ? null : writer => WriteNames(writer, dns, ips));
    }

    static byte[] Build(ECDsa key, ReadOnlySpan<byte> subject, Action<DerWriter>? writeExtensions)
    {
        var writer = new DerWriter();
        using (writer.Sequence())
        {
            writer.Integer(0);
            writer.Raw(subject);
            writer.Raw(key.ExportSubjectPublicKeyInfo());
            using (writer.Open(0xA0))
                if (writeExtensions is not null)
                    using (writer.Sequence())
                    {
                        writer.ObjectIdentifier(ObjectIdentifiers.ExtensionRequest);
                        using (writer.Set())
                        using (writer.Sequence())
                            writeExtensions(writer);
                    }
        }

        byte[] info = writer.ToArray();
        byte[] signature = key.SignData(info, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        var document = new DerWriter();
        using (document.Sequence())
        {
            document.Raw(info);
            using (document.Sequence())
                document.ObjectIdentifier(ObjectIdentifiers.Sha256WithEcdsa);
            using (document.BitString())
                document.Raw(signature);
        }

        return document.ToArray();
    }

    static void WriteName(DerWriter writer, string name)
    {
        using (writer.Set())
        using (writer.Sequence())
        {
            writer.ObjectIdentifier(ObjectIdentifiers.CommonName);
            writer.Utf8(name);
        }
    }

    static void WriteNames(DerWriter writer, string[] dnsNames, IPAddress[] addresses)
    {
        using (writer.Sequence())
        {
            writer.ObjectIdentifier(ObjectIdentifiers.SubjectAlternativeName);
            using (writer.OctetString())
            using (writer.Sequence())
            {
                foreach (string dns in dnsNames)
                    writer.Text(0x82, dns);
                foreach (IPAddress address in addresses)
                    writer.Address(0x87, address);
            }
        }
    }
}
