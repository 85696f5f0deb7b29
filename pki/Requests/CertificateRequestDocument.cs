using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>
/// A PKCS #10 request (RFC 2986), read but not yet believed: only <see cref="VerifyPossession"/> makes the
/// <see cref="VerifiedRequest"/> that issuance takes.
/// </summary>
public sealed partial class CertificateRequestDocument
{
    // LIMIT: 16 KiB; an RSA 8192 request with 100 names takes 6 KiB.
    public const int MaximumOctets = 16 * 1024;

    // LIMIT: names a request may ask for.
    public const int MaximumNames = 100;

    CertificateRequestDocument(ReadOnlyMemory<byte> der) => Der = der;

    public ReadOnlyMemory<byte> Der { get; }

    public DistinguishedName Subject { get; private set; } = null!;

    public SubjectPublicKey PublicKey { get; private set; } = null!;

    public SignatureAlgorithm SignatureAlgorithm { get; private set; } = null!;

    /// <summary>Subject alternative names that it asks for.</summary>
    public ImmutableArray<GeneralName> RequestedNames { get; private set; } = [];

    ReadOnlyMemory<byte> ToBeSigned { get; set; }

    ReadOnlyMemory<byte> Signature { get; set; }

    /// <summary>Checks that the requester holds the private key (RFC 2986 §4.2), with an algorithm that is not broken.</summary>
    public Checked<VerifiedRequest> VerifyPossession()
    {
        if (!ValidationPolicy.Fleet.Accepts(SignatureAlgorithm))
            return new PkiFailure(PkiReason.UnsupportedAlgorithm, $"the request is signed with {SignatureAlgorithm.Id}, which is not accepted")
            {
                Hint = "sign with ECDSA P-256 or P-384, Ed25519, or RSA of 3072 bits or more, with SHA-256 or better",
            };
        // The cheap check before the expensive one: a weak key is refused before it costs a verification.
        if ((ValidationPolicy.Fleet.KeyFault(PublicKey) ?? RsaKeyCheck.Fault(PublicKey)) is { } weak)
            return new PkiFailure(PkiReason.WeakKey, weak) { Hint = "make a P-256 key" };
        SignatureVerdict verdict = PublicKey.Verify(SignatureAlgorithm, ToBeSigned.Span, Signature.Span);
        // Most keys are seen once: the platform's handle goes at once rather than to the finalizer.
        PublicKey.ReleaseHandle();
        return verdict switch
        {
            SignatureVerdict.Valid => Checked<VerifiedRequest>.Of(new VerifiedRequest(this)),
            SignatureVerdict.Unsupported => new PkiFailure(PkiReason.UnsupportedAlgorithm, $"this platform cannot verify {PublicKey}"),
            SignatureVerdict.Invalid => new PkiFailure(PkiReason.BadSignature, "the request is not signed by the key that it names"),
        };
    }
}

/// <summary>A request whose sender proved to hold the private key. Proves nothing about who the sender is.</summary>
public sealed class VerifiedRequest
{
    internal VerifiedRequest(CertificateRequestDocument document) => Document = document;

    public CertificateRequestDocument Document { get; }

    public SubjectPublicKey PublicKey => Document.PublicKey;

    /// <summary>Reads and verifies in one step.</summary>
    public static Checked<VerifiedRequest> Parse(ReadOnlySpan<byte> derOrPem) =>
        CertificateRequestDocument.Parse(derOrPem).Is(out CertificateRequestDocument? document, out PkiFailure? failure)
            ? document.VerifyPossession() : failure;
}
