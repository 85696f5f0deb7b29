using System.Collections.Immutable;

namespace Talos.Pki;

public sealed partial class DistinguishedName
{
    // LIMIT: a request or certificate is bounded anyway; 4,096 parts keep a name's decoding linear and small.
    const int MaximumParts = 4096;

    // LIMIT: attributes in one part; more than one is rare, more than a handful is hostile.
    const int MaximumAttributes = 16;

    /// <summary>Reads a Name at the reader; <paramref name="document"/> is what the reader's positions refer to.</summary>
    internal static DistinguishedName Parse(ref DerReader reader, ReadOnlyMemory<byte> document, byte tag = DerTag.Sequence)
    {
        DerValue whole = reader.Read(tag);
        return new DistinguishedName(document[whole.Whole], ParseParts(whole.Reader()));
    }

    /// <summary>The name that <paramref name="writer"/>'s parts make.</summary>
    internal static DistinguishedName Create(params ReadOnlySpan<(string Type, string Text)> attributes)
    {
        var writer = new DerWriter(256);
        using (writer.Sequence())
            foreach ((string type, string text) in attributes)
                using (writer.Set())
                using (writer.Sequence())
                {
                    writer.ObjectIdentifier(type);
                    writer.Utf8(text);
                }

        byte[] der = writer.ToArray();
        var reader = new DerReader(der);
        return Parse(ref reader, der);
    }

    /// <summary>
    /// This name followed by one more part, as a distribution point may name it (RFC 5280 §4.2.1.13). The octets are the
    /// content of the part's set.
    /// </summary>
    internal DistinguishedName Append(ReadOnlyMemory<byte> relative) =>
        new(ReadOnlyMemory<byte>.Empty, Parts.Add(ParsePart(new DerReader(relative.Span), 0)));

    static ImmutableArray<RelativeDistinguishedName> ParseParts(DerReader reader)
    {
        var parts = ImmutableArray.CreateBuilder<RelativeDistinguishedName>();
        while (!reader.AtEnd)
        {
            if (parts.Count == MaximumParts)
                throw new MalformedDerException(reader.Position, $"a name has more than {MaximumParts} parts") { Reason = PkiReason.TooLarge };
            DerValue set = reader.Read(DerTag.Set);
            parts.Add(ParsePart(set.Reader(), set.Start));
        }

        return parts.DrainToImmutable();
    }

    static RelativeDistinguishedName ParsePart(DerReader set, int start)
    {
        if (set.AtEnd)
            throw new MalformedDerException(start, "a part of a name is empty");
        var attributes = ImmutableArray.CreateBuilder<NameAttribute>(1);
        while (!set.AtEnd)
        {
            if (attributes.Count == MaximumAttributes)
                throw new MalformedDerException(set.Position, $"a part of a name has more than {MaximumAttributes} attributes") { Reason = PkiReason.TooLarge };
            DerReader pair = set.ReadSequence();
            attributes.Add(NameAttribute.Parse(ref pair));
        }

        return new RelativeDistinguishedName(attributes.DrainToImmutable());
    }
}
