namespace Talos.Pki;

public sealed partial class CertificateAuthority
{
    // A repeat among 136 random bits is a broken random source or ledger; one more try covers a retried request.
    const int SerialAttempts = 3;

    /// <summary>
    /// Builds the certificate that <paramref name="grant"/> allows for the request's key, lints it under a throw-away key and
    /// has <paramref name="reserve"/> store its serial. Refuses a request that asks for more than was granted, naming it.
    /// </summary>
    public async ValueTask<Checked<PreparedCertificate>> PrepareAsync(
        CertificateProfile profile, IdentityGrant grant, VerifiedRequest request, SerialReservation reserve, CancellationToken cancellation = default)
    {
        if (grant.Fault(profile) is { } fault)
            return fault;
        if (profile.KeyFault(request.PublicKey) is { } weak)
            return weak;
        // RFC 4055 §1.2: such a key is for one hash alone, which not every verifier heeds.
        if (request.PublicKey is { Algorithm: KeyAlgorithm.Rsa, HasParameters: true })
            return new PkiFailure(PkiReason.KeyNotAllowed, "an RSA key with parameters is not allowed") { Hint = "make the key for `rsaEncryption`, or a P-256 key" };
        if (grant.Excess(request.Document) is { } excess)
            return excess;
        if (profile.IsAuthority && Certificate.BasicConstraints is { PathLength: 0 })
            return new PkiFailure(PkiReason.IssuerMismatch, "this authority may not sign another authority");
        return await PrepareAsync(profile, grant, request.PublicKey, CertificateWriter.SubjectOf(profile, grant), reserve, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Prepares a second certificate for a root that is to follow this one: same name and key, signed by this authority, bound to the cluster
    /// and without authorities below it. Whoever trusts only the old root reaches what the new one signs through it.
    /// </summary>
    public async ValueTask<Checked<PreparedCertificate>> PrepareSuccessorAsync(
        Certificate successor, string cluster, SerialReservation reserve, CancellationToken cancellation = default)
    {
        CertificateProfile profile = CertificateProfile.OsIntermediate;
        var grant = new IdentityGrant { Cluster = cluster, Name = $"{cluster}-os-root" };
        if (grant.Fault(profile) is { } fault)
            return fault;
        if (profile.KeyFault(successor.PublicKey) is { } weak)
            return weak;
        if (Certificate.BasicConstraints is { PathLength: 0 })
            return new PkiFailure(PkiReason.IssuerMismatch, "this authority may not sign another authority");
        // A root's own signature is its proof of possession.
        if (!successor.IsAuthority || !successor.IsSelfIssued
            || successor.PublicKey.Verify(successor.SignatureAlgorithm, successor.ToBeSigned.Span, successor.Signature.Span) != SignatureVerdict.Valid)
            return new PkiFailure(PkiReason.IssuerMismatch, "the successor is not a root that signed itself");
        return await PrepareAsync(profile, grant, successor.PublicKey, successor.Subject, reserve, cancellation).ConfigureAwait(false);
    }

    async ValueTask<Checked<PreparedCertificate>> PrepareAsync(
        CertificateProfile profile, IdentityGrant grant, SubjectPublicKey key, DistinguishedName subject, SerialReservation reserve, CancellationToken cancellation)
    {
        for (int attempt = 0; attempt < SerialAttempts; attempt++)
        {
            if (!Build(profile, grant, key, subject).Is(out LintedDraft? built, out PkiFailure? failure))
                return failure;
            switch (await reserve(built.Record, cancellation).ConfigureAwait(false))
            {
                case SerialVerdict.Recorded:
                    return Checked<PreparedCertificate>.Of(new PreparedCertificate(this, built.Record, built.Draft));
                case SerialVerdict.NotRecorded:
                    return new PkiFailure(PkiReason.SerialNotRecorded, "the serial number could not be recorded, so nothing is issued");
                case SerialVerdict.Duplicate:
                    break;
            }
        }

        return new PkiFailure(PkiReason.SerialNotRecorded, $"{SerialAttempts} serial numbers in a row were used before")
        {
            Hint = "check the ledger and the source of random numbers",
        };
    }

    /// <summary>Signs what was prepared. A second call with the same object, or one prepared elsewhere, is a bug and throws.</summary>
    public Certificate Issue(PreparedCertificate prepared)
    {
        if (prepared.Authority != this)
            throw new InvalidOperationException("the certificate was prepared by another authority");
        Certificate draft = prepared.Redeem();
        return draft.WithSignature(Sign(draft.ToBeSigned.Span));
    }

    sealed record LintedDraft(SerialRecord Record, Certificate Draft);

    Checked<LintedDraft> Build(CertificateProfile profile, IdentityGrant grant, SubjectPublicKey key, DistinguishedName name)
    {
        DateTimeOffset now = WholeSeconds(_time.GetUtcNow());
        DateTimeOffset notBefore = now - profile.Backdate;
        // RFC 5280 §4.1.2.5: both ends belong to the validity, so a life of N seconds ends at second N - 1.
        DateTimeOffset notAfter = now + (grant.Lifetime ?? profile.Lifetime) - TimeSpan.FromSeconds(1);
        if (now < Certificate.NotBefore || now > Certificate.NotAfter)
            return new PkiFailure(PkiReason.IssuerExpired, $"the authority's certificate is valid from {Certificate.NotBefore:u} to {Certificate.NotAfter:u}");
        // A certificate never outlives its issuer, nor starts before it.
        if (notAfter > Certificate.NotAfter)
            notAfter = Certificate.NotAfter;
        if (notBefore < Certificate.NotBefore)
            notBefore = Certificate.NotBefore;
        byte[] serial = DrawSerial(_instance);
        byte[] toBeSigned = CertificateWriter.Write(new CertificateContent
        {
            Serial = serial,
            Issuer = Certificate.Subject,
            Subject = name,
            NotBefore = notBefore,
            NotAfter = notAfter,
            PublicKey = key,
            AuthorityKeyIdentifier = Certificate.SubjectKeyIdentifier!.Value,
            Profile = profile,
            Grant = grant,
            RevocationListUri = RevocationLists?.CompleteUri(RevocationLists.ShardOf(Convert.ToHexStringLower(serial))),
        });
        byte[] draft = Assemble(toBeSigned, s_lintKey.Sign(toBeSigned));
        if (!Certificate.ParseDer(draft).Is(out Certificate? subject, out PkiFailure? failure))
            return failure with { Reason = PkiReason.LintFailed };
        if (CertificateLints.Run(subject, LintScope.For(profile, Certificate)) is [var finding, ..])
            return finding.ToFailure();
        // An authority that is bound to names issues nothing that its own constraints would refuse.
        if (NameConstraintCheck.Fault([subject, Certificate]) is { } outside)
            return new PkiFailure(PkiReason.ExcessName, outside.Message);
        var record = new SerialRecord(Convert.ToHexStringLower(serial), profile, grant, subject.ToBeSigned)
        {
            NotBefore = notBefore,
            NotAfter = notAfter,
        };
        return Checked<LintedDraft>.Of(new LintedDraft(record, subject));
    }
}
