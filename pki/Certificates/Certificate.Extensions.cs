using System.Collections.Immutable;

namespace Talos.Pki;

public sealed partial class Certificate
{
    // Every extension that path validation uses is decoded when the certificate is read: one that is malformed,
    // critical or not, makes the certificate malformed.
    void ReadExtensions()
    {
        foreach (CertificateExtension extension in Extensions)
        {
            DerReader reader = extension.Reader();
            switch (extension.Id)
            {
                case ObjectIdentifiers.BasicConstraints: BasicConstraints = ReadBasicConstraints(ref reader); break;
                case ObjectIdentifiers.KeyUsage:
                    KeyUsage = (KeyUsages)reader.ReadNamedBits(DerTag.BitString, out bool isShortest);
                    HasLooseKeyUsage = !isShortest;
                    break;
                case ObjectIdentifiers.ExtendedKeyUsage: ExtendedKeyUsage = ReadPurposes(ref reader); break;
                case ObjectIdentifiers.SubjectAlternativeName: AlternativeNames = ReadNames(ref reader); break;
                case ObjectIdentifiers.IssuerAlternativeName: ReadNames(ref reader); break;
                case ObjectIdentifiers.SubjectKeyIdentifier: SubjectKeyIdentifier = ReadKeyIdentifier(ref reader); break;
                case ObjectIdentifiers.AuthorityKeyIdentifier: AuthorityKey = ReadAuthorityKey(ref reader, Der); break;
                case ObjectIdentifiers.NameConstraints: NameConstraints = ReadNameConstraints(ref reader); break;
                case ObjectIdentifiers.CertificatePolicies: Policies = ReadPolicies(ref reader); break;
                case ObjectIdentifiers.PolicyMappings: PolicyMappings = ReadPolicyMappings(ref reader); break;
                case ObjectIdentifiers.PolicyConstraints: PolicyConstraints = ReadPolicyConstraints(ref reader); break;
                case ObjectIdentifiers.InhibitAnyPolicy: InhibitAnyPolicy = reader.ReadSmallInteger(); break;
                case ObjectIdentifiers.CrlDistributionPoints: CrlDistributionPoints = ReadDistributionPoints(ref reader); break;
                case ObjectIdentifiers.FreshestCrl: FreshestCrl = ReadDistributionPoints(ref reader); break;
                case ObjectIdentifiers.AuthorityInformationAccess or ObjectIdentifiers.SubjectInformationAccess: ReadAccess(ref reader); break;
                default: continue;
            }

            reader.RequireEnd();
        }
    }

    // BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL }
    static BasicConstraints ReadBasicConstraints(ref DerReader reader)
    {
        DerReader body = reader.ReadSequence();
        bool authority = false;
        if (body.NextIs(DerTag.Boolean) && !(authority = body.ReadBoolean()))
            throw new MalformedDerException(body.Position, "basic constraints encode their default");
        int? length = body.NextIs(DerTag.Integer) ? body.ReadSmallInteger() : null;
        body.RequireEnd();
        return new BasicConstraints(authority, length);
    }

    static List<string> ReadPurposes(ref DerReader reader)
    {
        DerReader list = reader.ReadSequence();
        RequireSome(list, "the list of key purposes");
        var purposes = new List<string>(2);
        while (!list.AtEnd)
            purposes.Add(list.ReadObjectIdentifier());
        return purposes;
    }

    ImmutableArray<GeneralName> ReadNames(ref DerReader reader)
    {
        DerReader list = reader.ReadSequence();
        RequireSome(list, "the list of names");
        return GeneralName.ParseList(list, Der);
    }

    ReadOnlyMemory<byte> ReadKeyIdentifier(ref DerReader reader)
    {
        DerValue value = reader.Read(DerTag.OctetString);
        return Der[value.Inner];
    }

    // AuthorityKeyIdentifier ::= SEQUENCE { [0] keyIdentifier, [1] authorityCertIssuer, [2] authorityCertSerialNumber }
    internal static AuthorityKey ReadAuthorityKey(ref DerReader reader, ReadOnlyMemory<byte> document)
    {
        DerReader body = reader.ReadSequence();
        ReadOnlyMemory<byte>? key = null, serial = null;
        ImmutableArray<GeneralName> issuer = [];
        if (body.NextIs(0x80))
            key = document[body.Read().Inner];
        if (body.NextIs(0xA1))
            issuer = ReadSomeNames(ref body, document);
        if (body.NextIs(0x82))
            serial = document[body.ReadInteger(0x82).Inner];
        body.RequireEnd();
        // RFC 5280 appendix A.2
        if (issuer.IsEmpty != serial is null)
            throw new MalformedDerException(body.Position, "an authority key identifier names an issuer without a serial number, or the other way round");
        return new AuthorityKey(key, issuer, serial);
    }

    static ImmutableArray<GeneralName> ReadSomeNames(ref DerReader reader, ReadOnlyMemory<byte> document)
    {
        DerReader list = reader.Read().Reader();
        RequireSome(list, "a list of names");
        return GeneralName.ParseList(list, document);
    }

    // NameConstraints ::= SEQUENCE { [0] permittedSubtrees, [1] excludedSubtrees }
    NameConstraintSet ReadNameConstraints(ref DerReader reader)
    {
        DerReader body = reader.ReadSequence();
        RequireSome(body, "the list of name constraints"); // RFC 5280 §4.2.1.10: not an empty sequence
        ImmutableArray<GeneralName> permitted = body.NextIs(0xA0) ? ReadSubtrees(body.Read()) : [];
        ImmutableArray<GeneralName> excluded = body.NextIs(0xA1) ? ReadSubtrees(body.Read()) : [];
        body.RequireEnd();
        return new NameConstraintSet(permitted, excluded);
    }

    ImmutableArray<GeneralName> ReadSubtrees(DerValue value)
    {
        DerReader list = value.Reader();
        RequireSome(list, "a list of subtrees");
        var bases = ImmutableArray.CreateBuilder<GeneralName>();
        while (!list.AtEnd)
        {
            if (bases.Count == GeneralName.MaximumNames)
                throw new MalformedDerException(list.Position, $"a list has more than {GeneralName.MaximumNames} subtrees") { Reason = PkiReason.TooLarge };
            DerReader subtree = list.ReadSequence();
            bases.Add(GeneralName.Parse(ref subtree, Der, constraint: true));
            // RFC 5280 §4.2.1.10: minimum is 0 (so not encoded) and maximum absent
            subtree.RequireEnd();
        }

        return bases.DrainToImmutable();
    }

    static ImmutableArray<string> ReadPolicies(ref DerReader reader)
    {
        DerReader list = reader.ReadSequence();
        RequireSome(list, "the list of policies");
        var policies = ImmutableArray.CreateBuilder<string>();
        while (!list.AtEnd)
        {
            DerReader information = list.ReadSequence();
            int at = information.Position;
            string policy = information.ReadObjectIdentifier();
            // RFC 5280 §4.2.1.4: a policy occurs once. LIMIT: 64 policies.
            if (policies.Contains(policy) || policies.Count == 64)
                throw new MalformedDerException(at, $"policy {policy} occurs twice or is one of more than 64");
            policies.Add(policy);
            if (!information.AtEnd)
            {
                DerReader qualifiers = information.ReadSequence();
                RequireSome(qualifiers, "a list of policy qualifiers");
                while (!qualifiers.AtEnd)
                {
                    DerReader qualifier = qualifiers.ReadSequence();
                    qualifier.ReadObjectIdentifier();
                    qualifier.Skip();
                    qualifier.RequireEnd();
                }
            }

            information.RequireEnd();
        }

        return policies.DrainToImmutable();
    }

    static ImmutableArray<PolicyMapping> ReadPolicyMappings(ref DerReader reader)
    {
        DerReader list = reader.ReadSequence();
        RequireSome(list, "the list of policy mappings");
        var mappings = ImmutableArray.CreateBuilder<PolicyMapping>();
        while (!list.AtEnd)
        {
            // LIMIT: 64 mappings.
            if (mappings.Count == 64)
                throw new MalformedDerException(list.Position, "there are more than 64 policy mappings") { Reason = PkiReason.TooLarge };
            DerReader pair = list.ReadSequence();
            mappings.Add(new PolicyMapping(pair.ReadObjectIdentifier(), pair.ReadObjectIdentifier()));
            pair.RequireEnd();
        }

        return mappings.DrainToImmutable();
    }

    // PolicyConstraints ::= SEQUENCE { [0] requireExplicitPolicy, [1] inhibitPolicyMapping }
    static PolicyConstraintSet ReadPolicyConstraints(ref DerReader reader)
    {
        DerReader body = reader.ReadSequence();
        RequireSome(body, "the list of policy constraints"); // RFC 5280 §4.2.1.11
        int? require = body.NextIs(0x80) ? body.ReadSmallInteger(0x80) : null;
        int? inhibit = body.NextIs(0x81) ? body.ReadSmallInteger(0x81) : null;
        body.RequireEnd();
        return new PolicyConstraintSet(require, inhibit);
    }

    ImmutableArray<DistributionPoint> ReadDistributionPoints(ref DerReader reader)
    {
        DerReader list = reader.ReadSequence();
        RequireSome(list, "the list of distribution points");
        var points = ImmutableArray.CreateBuilder<DistributionPoint>();
        while (!list.AtEnd)
        {
            // LIMIT: 64 distribution points.
            if (points.Count == 64)
                throw new MalformedDerException(list.Position, "there are more than 64 distribution points") { Reason = PkiReason.TooLarge };
            DerReader point = list.ReadSequence();
            DistributionPointName? name = point.NextIs(0xA0) ? DistributionPointName.Parse(point.Read().Reader(), Der) : null;
            uint? reasons = point.NextIs(0x81) ? point.ReadNamedBits(0x81) : null;
            ImmutableArray<GeneralName> issuer = point.NextIs(0xA2) ? ReadSomeNames(ref point, Der) : [];
            point.RequireEnd();
            // RFC 5280 §4.2.1.13: never reasons alone
            if (name is null && issuer.IsEmpty)
                throw new MalformedDerException(point.Position, "a distribution point has neither a name nor an issuer of lists");
            points.Add(new DistributionPoint(name, reasons, issuer));
        }

        return points.DrainToImmutable();
    }

    // AuthorityInfoAccessSyntax ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { accessMethod, accessLocation GeneralName }
    void ReadAccess(ref DerReader reader)
    {
        DerReader list = reader.ReadSequence();
        RequireSome(list, "the list of access descriptions");
        while (!list.AtEnd)
        {
            DerReader description = list.ReadSequence();
            description.ReadObjectIdentifier();
            GeneralName.Parse(ref description, Der);
            description.RequireEnd();
        }
    }

    static void RequireSome(DerReader list, string what)
    {
        if (list.AtEnd)
            throw new MalformedDerException(list.Position, $"{what} is empty") { Reason = PkiReason.MalformedExtension };
    }
}
