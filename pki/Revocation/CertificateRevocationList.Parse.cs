using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Numerics;

namespace Talos.Pki;

public sealed partial class CertificateRevocationList
{
    /// <summary>Reads one list from DER or PEM; the octets are copied.</summary>
    public static Checked<CertificateRevocationList> Parse(ReadOnlySpan<byte> derOrPem) =>
        SignedDocument.Parse(derOrPem, "a revocation list", MaximumOctets, [Pem.RevocationList], Read);

    static CertificateRevocationList Read(ReadOnlyMemory<byte> der)
    {
        SignedDocument document = SignedDocument.Open(der);
        var list = new CertificateRevocationList(der) { ToBeSigned = document.ToBeSigned, Signature = document.Signature };
        list.ReadToBeSigned(document.Content.Reader(), der);
        document.RequireSigned(list.SignatureAlgorithm);
        return list;
    }

    // TBSCertList: version 1 OPTIONAL, signature, issuer, thisUpdate, nextUpdate OPTIONAL, revokedCertificates OPTIONAL, [0] extensions
    void ReadToBeSigned(DerReader tbs, ReadOnlyMemory<byte> der)
    {
        bool second = tbs.NextIs(DerTag.Integer);
        if (second)
        {
            int start = tbs.Position;
            if (tbs.ReadSmallInteger() != 1)
                throw new MalformedDerException(start, "the version of a revocation list is not 2") { Reason = PkiReason.UnsupportedVersion };
        }

        SignatureAlgorithm = SignatureAlgorithm.Parse(ref tbs, der);
        Issuer = DistinguishedName.Parse(ref tbs, der);
        ThisUpdate = ReadTime(ref tbs);
        if (tbs.NextIs(DerTag.UtcTime) || tbs.NextIs(DerTag.GeneralizedTime))
            NextUpdate = ReadTime(ref tbs);
        if (tbs.NextIs(DerTag.Sequence))
            ReadEntries(tbs.ReadSequence(), der, second);
        if (tbs.NextIs(0xA0))
        {
            if (!second)
                throw new MalformedDerException(tbs.Position, "a version 1 list has extensions");
            DerReader wrapper = tbs.Read().Reader();
            Extensions = CertificateExtension.ParseList(wrapper.ReadSequence(), der);
            wrapper.RequireEnd();
            ReadExtensions(der);
        }

        tbs.RequireEnd();
    }

    DateTimeOffset ReadTime(ref DerReader reader)
    {
        bool isShort = reader.NextIs(DerTag.UtcTime);
        DateTimeOffset time = reader.ReadTime();
        TimeFormsFollowYear &= isShort == time.Year < 2050;
        return time;
    }

    void ReadEntries(DerReader list, ReadOnlyMemory<byte> der, bool second)
    {
        var entries = new Dictionary<string, ImmutableArray<CrlEntry>>();
        DistinguishedName? issuer = null;
        if (list.AtEnd)
            throw new MalformedDerException(list.Position, "the list of revoked certificates is empty instead of absent"); // §5.1.2.6
        while (!list.AtEnd)
        {
            DerReader body = list.ReadSequence();
            string serial = Certificate.SerialText(body.ReadInteger().Content);
            DateTimeOffset revokedAt = ReadTime(ref body);
            CrlReason reason = CrlReason.Unspecified;
            if (!body.AtEnd)
            {
                if (!second)
                    throw new MalformedDerException(body.Position, "an entry of a version 1 list has extensions");
                foreach (CertificateExtension extension in CertificateExtension.ParseList(body.ReadSequence(), der))
                    ReadEntryExtension(extension, der, ref reason, ref issuer);
            }

            body.RequireEnd();
            // §5.3.3: an entry without issuer takes the one before it
            var entry = new CrlEntry(serial, revokedAt, reason) { CertificateIssuer = issuer };
            bool isKnown = entries.TryGetValue(serial, out ImmutableArray<CrlEntry> earlier);
            HasRepeats |= isKnown && earlier.Any(e => Equals(e.CertificateIssuer, issuer));
            NamesIssuers |= issuer is not null;
            entries[serial] = isKnown ? earlier.Add(entry) : [entry];
            Count++;
        }

        _entries = entries.ToFrozenDictionary();
    }

    void ReadEntryExtension(CertificateExtension extension, ReadOnlyMemory<byte> der, ref CrlReason reason, ref DistinguishedName? issuer)
    {
        DerReader reader = extension.Reader();
        switch (extension.Id)
        {
            case ObjectIdentifiers.CrlReason:
                int code = reader.ReadSmallInteger(DerTag.Enumerated);
                if (code is < 0 or 7 or > 10)
                    throw new MalformedDerException(extension.Position, $"revocation reason {code} is not defined");
                reason = (CrlReason)code;
                break;
            case ObjectIdentifiers.InvalidityDate:
                reader.ReadGeneralizedTime();
                break;
            case ObjectIdentifiers.CertificateIssuer:
                issuer = GeneralName.ParseList(reader.ReadSequence(), der).FirstOrDefault(n => n.Kind == NameKinds.Directory)?.Directory
                    ?? throw new MalformedDerException(extension.Position, "a certificate issuer is no directory name");
                break;
            default:
                if (extension.Critical)
                    UnknownCritical = extension.Id;
                return;
        }

        reader.RequireEnd();
    }

    void ReadExtensions(ReadOnlyMemory<byte> der)
    {
        foreach (CertificateExtension extension in Extensions)
        {
            DerReader reader = extension.Reader();
            switch (extension.Id)
            {
                case ObjectIdentifiers.AuthorityKeyIdentifier:
                    AuthorityKey = Certificate.ReadAuthorityKey(ref reader, der);
                    break;
                case ObjectIdentifiers.CrlNumber:
                    Number = ReadNumber(ref reader);
                    break;
                case ObjectIdentifiers.DeltaCrlIndicator:
                    DeltaBase = ReadNumber(ref reader);
                    break;
                case ObjectIdentifiers.IssuingDistributionPoint:
                    DistributionPoint = ReadDistributionPoint(ref reader, der);
                    DistributionPointDer = extension.Value;
                    break;
                default:
                    if (extension.Critical)
                        UnknownCritical = extension.Id;
                    continue;
            }

            reader.RequireEnd();
            // §5.2.1, §5.2.3: a key identifier and a number are never critical
            bool mayBeCritical = extension.Id is ObjectIdentifiers.DeltaCrlIndicator or ObjectIdentifiers.IssuingDistributionPoint;
            if (extension.Critical && !mayBeCritical)
                UnknownCritical = extension.Id;
        }
    }

    static BigInteger ReadNumber(ref DerReader reader)
    {
        DerValue value = reader.ReadInteger();
        // §5.2.3: up to 20 octets, not negative
        return value.Content.Length <= 21 && value.Content[0] < 0x80
            ? new BigInteger(value.Content, isUnsigned: true, isBigEndian: true)
            : throw new MalformedDerException(value.Start, "the number of a list is negative or longer than 20 octets");
    }

    static IssuingDistributionPoint ReadDistributionPoint(ref DerReader reader, ReadOnlyMemory<byte> der)
    {
        DerReader body = reader.ReadSequence();
        DistributionPointName? name = body.NextIs(0xA0) ? DistributionPointName.Parse(body.Read().Reader(), der) : null;
        bool users = Flag(ref body, 0x81), authorities = Flag(ref body, 0x82);
        uint? reasons = body.NextIs(0x83) ? body.ReadNamedBits(0x83) : null;
        bool indirect = Flag(ref body, 0x84), attributes = Flag(ref body, 0x85);
        int end = body.Position;
        body.RequireEnd();
        if ((users ? 1 : 0) + (authorities ? 1 : 0) + (attributes ? 1 : 0) > 1)
            throw new MalformedDerException(end, "a list covers only users, only authorities and only attributes at once");
        return new IssuingDistributionPoint(name, users, authorities, reasons, indirect, attributes);
    }

    static bool Flag(ref DerReader body, byte tag)
    {
        if (!body.NextIs(tag))
            return false;
        DerValue value = body.Read();
        if (value.Content.Length != 1 || value.Content[0] != 0xFF)
            throw new MalformedDerException(value.Start, "a flag is not the DER form of true");
        return true;
    }
}
