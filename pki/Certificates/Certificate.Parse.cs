using System.Collections.Immutable;

namespace Talos.Pki;

public sealed partial class Certificate
{
    /// <summary>Reads one certificate from DER or PEM; the octets are copied.</summary>
    public static Checked<Certificate> Parse(ReadOnlySpan<byte> derOrPem) =>
        SignedDocument.Parse(derOrPem, What, MaximumOctets, [Pem.Certificate], Read);

    /// <summary>Reads every certificate of a PEM bundle; other blocks are refused.</summary>
    public static Checked<CertificateBundle> ParseBundle(ReadOnlySpan<byte> pem)
    {
        if (!Pem.Read(pem).Is(out PemBlocks? found, out PkiFailure? failure))
            return failure;
        var certificates = ImmutableArray.CreateBuilder<Certificate>();
        foreach (PemBlock block in found.Blocks)
        {
            if (block.Label != Pem.Certificate)
                return new PkiFailure(PkiReason.MalformedPem, $"a bundle of certificates holds a block labelled `{block.Label}`");
            if (!ParseDer(block.Der).Is(out Certificate? certificate, out failure))
                return failure;
            certificates.Add(certificate);
        }

        return certificates.Count == 0
            ? new PkiFailure(PkiReason.EmptyBundle, "the bundle holds no certificate")
            : Checked<CertificateBundle>.Of(new CertificateBundle(certificates.DrainToImmutable()));
    }

    internal static Checked<Certificate> ParseDer(ReadOnlyMemory<byte> der) => SignedDocument.Read(der, What, MaximumOctets, Read);

    /// <summary>The same certificate under another signature, whose octets are <paramref name="der"/>: what was read of one is not read again.</summary>
    internal Certificate WithSignature(ReadOnlyMemory<byte> der)
    {
        SignedDocument document = SignedDocument.Open(der);
        if (!document.ToBeSigned.Span.SequenceEqual(ToBeSigned.Span))
            throw new ArgumentException("the octets are of another certificate", nameof(der));
        document.RequireSigned(SignatureAlgorithm);
        var signed = (Certificate)MemberwiseClone();
        (signed.Der, signed.Signature, signed._fingerprint) = (der, document.Signature, null);
        return signed;
    }

    const string What = "a certificate";

    static Certificate Read(ReadOnlyMemory<byte> der)
    {
        SignedDocument document = SignedDocument.Open(der);
        var certificate = new Certificate(der) { ToBeSigned = document.ToBeSigned, Signature = document.Signature };
        certificate.ReadToBeSigned(document.Content.Reader(), der);
        document.RequireSigned(certificate.SignatureAlgorithm);
        certificate.ReadExtensions();
        return certificate;
    }

    // TBSCertificate: [0] version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo,
    //                 [1] issuerUniqueID, [2] subjectUniqueID, [3] extensions
    void ReadToBeSigned(DerReader tbs, ReadOnlyMemory<byte> der)
    {
        Version = 1;
        if (tbs.NextIs(0xA0))
        {
            int start = tbs.Position;
            DerReader version = tbs.Read().Reader();
            Version = version.ReadSmallInteger() switch
            {
                1 => 2,
                2 => 3,
                _ => throw new MalformedDerException(start, "the version is not 2 or 3 (and 1 is never encoded)") { Reason = PkiReason.UnsupportedVersion },
            };
            version.RequireEnd();
        }

        DerValue serial = tbs.ReadInteger();
        SerialOctets = der[serial.Inner];
        Serial = SerialText(serial.Content);
        SignatureAlgorithm = SignatureAlgorithm.Parse(ref tbs, der);
        Issuer = DistinguishedName.Parse(ref tbs, der);
        DerReader validity = tbs.ReadSequence();
        bool shortBefore = validity.NextIs(DerTag.UtcTime);
        NotBefore = validity.ReadTime();
        bool shortAfter = validity.NextIs(DerTag.UtcTime);
        NotAfter = validity.ReadTime();
        TimeFormsFollowYear = shortBefore == NotBefore.Year < 2050 && shortAfter == NotAfter.Year < 2050;
        validity.RequireEnd();
        Subject = DistinguishedName.Parse(ref tbs, der);
        PublicKey = SubjectPublicKey.Parse(ref tbs, der);
        foreach (byte unique in (ReadOnlySpan<byte>)[0x81, 0x82])
            if (tbs.NextIs(unique))
            {
                if (Version == 1)
                    throw new MalformedDerException(tbs.Position, "a version 1 certificate has a unique identifier");
                HasUniqueIdentifiers = true;
                tbs.ReadBits(unique);
            }

        if (tbs.NextIs(0xA3))
        {
            if (Version != 3)
                throw new MalformedDerException(tbs.Position, $"a version {Version} certificate has extensions");
            DerReader wrapper = tbs.Read().Reader();
            Extensions = CertificateExtension.ParseList(wrapper.ReadSequence(), der);
            wrapper.RequireEnd();
        }

        tbs.RequireEnd();
    }

    internal static string SerialText(ReadOnlySpan<byte> octets)
    {
        bool negative = octets[0] >= 0x80;
        if (octets.Length > 1 && octets[0] == 0)
            octets = octets[1..];
        return negative ? "-" + Convert.ToHexStringLower(octets) : Convert.ToHexStringLower(octets);
    }
}

/// <summary>Certificates of one PEM file, in order; at least one.</summary>
public sealed record CertificateBundle
{
    internal CertificateBundle(ImmutableArray<Certificate> certificates) => Certificates = certificates;

    public ImmutableArray<Certificate> Certificates { get; }
}
