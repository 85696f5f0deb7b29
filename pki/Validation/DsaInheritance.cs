namespace Talos.Pki;

/// <summary>
/// RFC 5280 §6.1.4(d–f): a DSA key without parameters takes those of its issuer's key. Only historic suites have such keys.
/// </summary>
static class DsaInheritance
{
    public static SubjectPublicKey KeyOf(Certificate certificate, ILookup<DistinguishedName, Certificate> intermediates, TrustStore trust)
    {
        SubjectPublicKey key = certificate.PublicKey;
        if (key.Algorithm != KeyAlgorithm.Dsa || key.DsaParameters is not null)
            return key;
        Certificate? donor = trust.Named(certificate.Issuer).Concat(intermediates[certificate.Issuer])
            .FirstOrDefault(c => c.PublicKey is { Algorithm: KeyAlgorithm.Dsa, DsaParameters: not null });
        return donor is null ? key : key.WithParametersOf(donor.PublicKey);
    }
}
