using System.Collections.Immutable;

namespace Talos.Pki;

public sealed partial class CertificateRequestDocument
{
    /// <summary>Reads a request from DER or PEM; the octets are copied.</summary>
    public static Checked<CertificateRequestDocument> Parse(ReadOnlySpan<byte> derOrPem) =>
        SignedDocument.Parse(derOrPem, "a request", MaximumOctets, [Pem.CertificateRequest, "NEW CERTIFICATE REQUEST"], Read);

    // CertificationRequestInfo ::= SEQUENCE { version 0, subject, subjectPKInfo, [0] attributes }
    static CertificateRequestDocument Read(ReadOnlyMemory<byte> der)
    {
        SignedDocument document = SignedDocument.Open(der);
        var request = new CertificateRequestDocument(der) { ToBeSigned = document.ToBeSigned, SignatureAlgorithm = document.Algorithm, Signature = document.Signature };
        DerReader reader = document.Content.Reader();
        int start = reader.Position;
        if (reader.ReadSmallInteger() != 0)
            throw new MalformedDerException(start, "the version of the request is not 0") { Reason = PkiReason.UnsupportedVersion };
        request.Subject = DistinguishedName.Parse(ref reader, der);
        request.PublicKey = SubjectPublicKey.Parse(ref reader, der);
        // NOTE: RFC 2986 §4.1 makes the attributes mandatory; some tools leave an empty set out, which loses nothing.
        if (!reader.AtEnd)
            request.ReadAttributes(reader.Read(0xA0).Reader());
        reader.RequireEnd();
        return request;
    }

    void ReadAttributes(DerReader attributes)
    {
        int count = 0;
        bool extensionsSeen = false;
        while (!attributes.AtEnd)
        {
            int start = attributes.Position;
            // LIMIT: attributes of a request
            if (++count > 16)
                throw new MalformedDerException(start, "there are more than 16 attributes") { Reason = PkiReason.TooLarge };
            DerReader attribute = attributes.ReadSequence();
            string id = attribute.ReadObjectIdentifier();
            DerReader values = attribute.Read(DerTag.Set).Reader();
            attribute.RequireEnd();
            if (id != ObjectIdentifiers.ExtensionRequest)
                continue;
            if (extensionsSeen)
                throw new MalformedDerException(start, "there are two extension requests");
            extensionsSeen = true;
            DerReader list = values.ReadSequence();
            values.RequireEnd();
            ReadExtensions(CertificateExtension.ParseList(list, Der));
        }
    }

    // Of the extensions only names are read. Whatever else the requester would like its certificate to say is the
    // profile's business, so it is ignored rather than believed.
    void ReadExtensions(ImmutableArray<CertificateExtension> extensions)
    {
        foreach (CertificateExtension extension in extensions)
        {
            if (extension.Id != ObjectIdentifiers.SubjectAlternativeName)
                continue;
            DerReader reader = extension.Reader();
            RequestedNames = GeneralName.ParseList(reader.ReadSequence(), Der);
            reader.RequireEnd();
            if (RequestedNames.Length > MaximumNames)
                throw new MalformedDerException(extension.Position, $"the request asks for more than {MaximumNames} names") { Reason = PkiReason.TooLarge };
        }
    }
}
