using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>One extension as received: identifier, criticality and the DER inside its octet string.</summary>
public sealed record CertificateExtension(string Id, bool Critical, ReadOnlyMemory<byte> Value)
{
    /// <summary>Offset of <see cref="Value"/> in its document.</summary>
    internal int Position { get; init; }

    // LIMIT: extensions in one document; certificates in use have about ten.
    internal const int MaximumExtensions = 64;

    /// <summary>Reads Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension; a repeated identifier is refused (RFC 5280 §4.2).</summary>
    internal static ImmutableArray<CertificateExtension> ParseList(DerReader list, ReadOnlyMemory<byte> document)
    {
        var extensions = ImmutableArray.CreateBuilder<CertificateExtension>();
        if (list.AtEnd)
            throw new MalformedDerException(list.Position, "the list of extensions is empty");
        while (!list.AtEnd)
        {
            int start = list.Position;
            DerReader body = list.ReadSequence();
            string id = body.ReadObjectIdentifier();
            bool critical = false;
            if (body.NextIs(DerTag.Boolean))
            {
                critical = body.ReadBoolean();
                // X.690 §11.5: a default value is not encoded
                if (!critical)
                    throw new MalformedDerException(start, $"extension {id} encodes its default criticality");
            }

            DerValue value = body.Read(DerTag.OctetString);
            body.RequireEnd();
            foreach (CertificateExtension earlier in extensions)
                if (earlier.Id == id)
                    throw new MalformedDerException(start, $"extension {id} occurs twice") { Reason = PkiReason.MalformedExtension };
            if (extensions.Count == MaximumExtensions)
                throw new MalformedDerException(start, $"there are more than {MaximumExtensions} extensions") { Reason = PkiReason.TooLarge };
            extensions.Add(new CertificateExtension(id, critical, document[value.Inner]) { Position = value.ContentStart });
        }

        return extensions.DrainToImmutable();
    }

    internal DerReader Reader() => new(Value.Span, Position);
}
