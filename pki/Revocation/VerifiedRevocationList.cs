namespace Talos.Pki;

/// <summary>A revocation list of an authority that the verifier trusts. Whether it is the newest one, nothing in it can tell.</summary>
public sealed class VerifiedRevocationList
{
    VerifiedRevocationList(CertificateRevocationList list) => List = list;

    public CertificateRevocationList List { get; }

    /// <summary>What two lists have to share for one to replace or extend the other (RFC 5280 §5.2.4): issuer, its key, and scope.</summary>
    public string Scope => $"{List.Issuer}/{Hex(List.AuthorityKey?.KeyIdentifier)}/{Hex(List.DistributionPointDer)}";

    /// <summary>Reads a list and verifies that an anchor signed it, or an authority that leads to one. Lists whose scope is not whole certificates are refused.</summary>
    /// <param name="der">DER or PEM.</param>
    /// <param name="roots">Whom to trust.</param>
    /// <param name="helpers">DER of certificates that may lead from the signer to an anchor.</param>
    /// <param name="time">The moment for which to judge the signer.</param>
    public static Checked<VerifiedRevocationList> Verify(ReadOnlySpan<byte> der, TrustStore roots, IEnumerable<ReadOnlyMemory<byte>> helpers, DateTimeOffset time)
    {
        if (!CertificateRevocationList.Parse(der).Is(out CertificateRevocationList? list, out PkiFailure? failure))
            return failure;
        if (list.UnknownCritical is { } id)
            return new PkiFailure(PkiReason.MalformedExtension, $"the list has the critical extension {id}, which is not processed");
        if (list.Number is null || list.AuthorityKey?.KeyIdentifier is null)
            return new PkiFailure(PkiReason.MalformedExtension, "the list has no number or no authority key identifier");
        if (list.DistributionPoint is { } point && (point.Indirect || point.OnlyUsers || point.OnlyAuthorities || point.OnlyAttributes || point.OnlyReasons is not null))
            return new PkiFailure(PkiReason.MalformedExtension, "the list covers only some certificates of its issuer");
        if (list.IsSilentlyIndirect)
            return new PkiFailure(PkiReason.MalformedExtension, "the list has entries of other issuers");
        if (!ValidationPolicy.Fleet.Accepts(list.SignatureAlgorithm))
            return new PkiFailure(PkiReason.UnsupportedAlgorithm, $"the list is signed with {list.SignatureAlgorithm.Id}, which is not accepted");
        return IsSigned(list, roots, [.. helpers], time)
            ? Checked<VerifiedRevocationList>.Of(new VerifiedRevocationList(list))
            : new PkiFailure(PkiReason.BadSignature, $"the list of {list.Issuer} is not signed by an authority that is trusted here");
    }

    static bool IsSigned(CertificateRevocationList list, TrustStore roots, ReadOnlyMemory<byte>[] helpers, DateTimeOffset time)
    {
        foreach (Certificate anchor in roots.Named(list.Issuer))
            if (time <= anchor.NotAfter && MaySign(anchor) && list.VerifySignature(anchor.PublicKey) == SignatureVerdict.Valid)
                return true;
        var options = new ValidationOptions { Time = time, Purpose = ValidationPurpose.Any, Identity = IdentityDemand.NotRequired };
        foreach (ReadOnlyMemory<byte> helper in helpers)
            if (Certificate.Parse(helper.Span).Value is { } signer && signer.Subject.Equals(list.Issuer) && MaySign(signer)
                && list.VerifySignature(signer.PublicKey) == SignatureVerdict.Valid
                && PathValidator.Validate(helper, helpers, roots, options).Reason == ValidationReason.Valid)
                return true;
        return false;
    }

    static bool MaySign(Certificate authority) => authority.IsAuthority && authority.KeyUsage is { } usage && usage.HasFlag(KeyUsages.CrlSign);

    static string Hex(ReadOnlyMemory<byte>? octets) => octets is { } value ? Convert.ToHexStringLower(value.Span) : "";
}
