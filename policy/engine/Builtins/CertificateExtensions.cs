using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Talos.Policy;

/// <summary>Members of Go's x509.Certificate that come from extensions beyond the common ones.</summary>
static class CertificateExtensions
{
    // What Go reads; another one that is critical is unhandled.
    static readonly HashSet<string> Handled =
    [
        "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.31", "2.5.29.32", "2.5.29.33", "2.5.29.35", "2.5.29.36", "2.5.29.37", "2.5.29.54", "1.3.6.1.5.5.7.1.1",
    ];

    static readonly string[] Lists =
    [
        "OCSPServer", "IssuingCertificateURL", "CRLDistributionPoints", "PolicyIdentifiers", "Policies", "PolicyMappings", "UnhandledCriticalExtensions", "PermittedDNSDomains", "ExcludedDNSDomains",
        "PermittedIPRanges", "ExcludedIPRanges", "PermittedEmailAddresses", "ExcludedEmailAddresses", "PermittedURIDomains", "ExcludedURIDomains",
    ];

    public static void Write(X509ExtensionCollection extensions, Dictionary<string, Value> members)
    {
        var lists = Lists.ToDictionary(n => n, _ => new List<Value>(), StringComparer.Ordinal);
        members["PermittedDNSDomainsCritical"] = BooleanValue.False;
        foreach (string name in (string[])["InhibitAnyPolicy", "InhibitPolicyMapping", "RequireExplicitPolicy"]) Number(members, name, null);
        foreach (X509Extension extension in extensions)
        {
            string oid = extension.Oid!.Value!;
            var der = new AsnReader(extension.RawData, AsnEncodingRules.DER);
            switch (oid)
            {
                case "1.3.6.1.5.5.7.1.1": Access(der.ReadSequence(), lists); break;
                case "2.5.29.31": DistributionPoints(der.ReadSequence(), lists["CRLDistributionPoints"]); break;
                case "2.5.29.32": Policies(der.ReadSequence(), lists); break;
                case "2.5.29.33": Mappings(der.ReadSequence(), lists["PolicyMappings"]); break;
                case "2.5.29.54": Number(members, "InhibitAnyPolicy", (int)der.ReadInteger()); break;
                case "2.5.29.36": PolicyConstraints(der.ReadSequence(), members); break;
                case "2.5.29.30":
                    if (extension.Critical) members["PermittedDNSDomainsCritical"] = BooleanValue.True;
                    NameConstraints(der.ReadSequence(), lists);
                    break;
            }
            if (extension.Critical && !Handled.Contains(oid)) lists["UnhandledCriticalExtensions"].Add(Identifier(oid));
        }
        foreach ((string name, List<Value> values) in lists) members[name] = values.Count == 0 ? NullValue.Instance : new ArrayValue([.. values]);
    }

    // Go tells an absent number from a zero by a second member.
    static void Number(Dictionary<string, Value> members, string name, int? number) =>
        (members[name], members[name + "Zero"]) = (Value.From(number ?? 0), Value.From(number == 0));

    static ArrayValue Identifier(string oid) => new([.. oid.Split('.').Select(n => NumberValue.Parse(n)!)]);

    // RFC 5280 §4.2.2.1
    static void Access(AsnReader descriptions, Dictionary<string, List<Value>> lists)
    {
        while (descriptions.HasData)
        {
            AsnReader description = descriptions.ReadSequence();
            string method = description.ReadObjectIdentifier();
            string? list = method switch { "1.3.6.1.5.5.7.48.1" => "OCSPServer", "1.3.6.1.5.5.7.48.2" => "IssuingCertificateURL", _ => null };
            if (list is not null && Uri(description) is { } uri) lists[list].Add(uri);
        }
    }

    static StringValue? Uri(AsnReader name)
    {
        Asn1Tag tag = name.PeekTag();
        return tag is { TagClass: TagClass.ContextSpecific, TagValue: 6 } ? new StringValue(name.ReadCharacterString(UniversalTagNumber.IA5String, tag)) : null;
    }

    // RFC 5280 §4.2.1.13: only full names that are addresses
    static void DistributionPoints(AsnReader points, List<Value> into)
    {
        var context0 = new Asn1Tag(TagClass.ContextSpecific, 0, true);
        while (points.HasData)
        {
            AsnReader point = points.ReadSequence();
            if (!point.HasData || !point.PeekTag().HasSameClassAndValue(context0)) continue;
            AsnReader name = point.ReadSequence(context0);
            if (!name.HasData || !name.PeekTag().HasSameClassAndValue(context0)) continue;
            AsnReader names = name.ReadSequence(context0);
            while (names.HasData)
            {
                if (Uri(names) is { } uri) into.Add(uri);
                else names.ReadEncodedValue();
            }
        }
    }

    // RFC 5280 §4.2.1.4
    static void Policies(AsnReader policies, Dictionary<string, List<Value>> lists)
    {
        while (policies.HasData)
        {
            string oid = policies.ReadSequence().ReadObjectIdentifier();
            lists["PolicyIdentifiers"].Add(Identifier(oid));
            lists["Policies"].Add(Value.From(oid));
        }
    }

    // RFC 5280 §4.2.1.5
    static void Mappings(AsnReader mappings, List<Value> into)
    {
        while (mappings.HasData)
        {
            AsnReader mapping = mappings.ReadSequence();
            into.Add(ObjectValue.From(("IssuerDomainPolicy", Value.From(mapping.ReadObjectIdentifier())), ("SubjectDomainPolicy", Value.From(mapping.ReadObjectIdentifier()))));
        }
    }

    // RFC 5280 §4.2.1.11
    static void PolicyConstraints(AsnReader constraints, Dictionary<string, Value> members)
    {
        while (constraints.HasData)
        {
            Asn1Tag tag = constraints.PeekTag();
            Number(members, tag.TagValue == 0 ? "RequireExplicitPolicy" : "InhibitPolicyMapping", (int)constraints.ReadInteger(tag));
        }
    }

    // RFC 5280 §4.2.1.10
    static void NameConstraints(AsnReader constraints, Dictionary<string, List<Value>> lists)
    {
        while (constraints.HasData)
        {
            Asn1Tag side = constraints.PeekTag();
            string prefix = side.TagValue == 0 ? "Permitted" : "Excluded";
            AsnReader subtrees = constraints.ReadSequence(side);
            while (subtrees.HasData)
            {
                AsnReader subtree = subtrees.ReadSequence();
                Asn1Tag tag = subtree.PeekTag();
                switch (tag.TagValue)
                {
                    case 1: lists[prefix + "EmailAddresses"].Add(Value.From(subtree.ReadCharacterString(UniversalTagNumber.IA5String, tag))); break;
                    case 2: lists[prefix + "DNSDomains"].Add(Value.From(subtree.ReadCharacterString(UniversalTagNumber.IA5String, tag))); break;
                    case 6: lists[prefix + "URIDomains"].Add(Value.From(subtree.ReadCharacterString(UniversalTagNumber.IA5String, tag))); break;
                    case 7: lists[prefix + "IPRanges"].Add(Range(subtree.ReadOctetString(tag))); break;
                }
            }
        }
    }

    // Address and mask as Go's net.IPNet in JSON.
    static ObjectValue Range(byte[] bytes)
    {
        int half = bytes.Length / 2;
        string address = half is 4 or 16 ? new IPAddress(bytes.AsSpan(0, half)).ToString() : "";
        return ObjectValue.From(("IP", Value.From(address)), ("Mask", Value.From(Convert.ToBase64String(bytes.AsSpan(half)))));
    }
}
