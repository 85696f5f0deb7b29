using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>
/// RFC 5280 §6.1.4(d–f): a DSA key without parameters takes those of its issuer's key. Only historic suites have such keys.
/// </summary>
static class DsaInheritance
{
    /// <summary>During the search, when the issuer is not chosen yet: the key with a likely issuer's parameters.</summary>
    public static SubjectPublicKey KeyOf(Certificate certificate, ILookup<DistinguishedName, Certificate> intermediates, TrustStore trust)
    {
        SubjectPublicKey key = certificate.PublicKey;
        if (key.Algorithm != KeyAlgorithm.Dsa || key.DsaParameters is not null)
            return key;
        Certificate? donor = trust.Named(certificate.Issuer).Concat(intermediates[certificate.Issuer])
            .FirstOrDefault(c => c.PublicKey is { Algorithm: KeyAlgorithm.Dsa, DsaParameters: not null });
        return donor is null ? key : key.WithParametersOf(donor.PublicKey);
    }

    /// <summary>On a complete path: every such key verifies with the parameters of its true issuer.</summary>
    public static PathFault? Fault(ImmutableArray<Certificate> path)
    {
        for (int at = path.Length - 1; at > 0; at--)
        {
            if (path[at].PublicKey is not { Algorithm: KeyAlgorithm.Dsa, DsaParameters: null } bare)
                continue;
            SubjectPublicKey? whole = at + 1 < path.Length && path[at + 1].PublicKey is { DsaParameters: not null } donor ? bare.WithParametersOf(donor) : null;
            Certificate child = path[at - 1];
            if (whole?.Verify(child.SignatureAlgorithm, child.ToBeSigned.Span, child.Signature.Span) != SignatureVerdict.Valid)
                return new PathFault(ValidationReason.BadSignature, $"the parameters of the key of `{path[at].Subject}` are not its issuer's", path[at]);
        }

        return null;
    }
}
