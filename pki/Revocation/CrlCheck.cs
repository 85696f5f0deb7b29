using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>Revocation by lists for the certificates of one path (RFC 5280 §6.3).</summary>
sealed class CrlCheck(ImmutableArray<Certificate> path, ValidationOptions options, ILookup<DistinguishedName, Certificate> intermediates)
{
    // LIMIT: a list's signer may need a path of its own, whose members need lists again.
    const int MaximumDepth = 3;

    readonly Dictionary<CertificateRevocationList, Certificate?> _signers = [];

    /// <summary>The status of the certificate at <paramref name="at"/>, and what the matter was when it is not known.</summary>
    public (RevocationStatus Status, string? Fault) StatusOf(int at)
    {
        Certificate certificate = path[at];
        uint covered = 0;
        string? fault = null;
        foreach (DistributionPoint point in PointsOf(certificate))
        {
            foreach (CertificateRevocationList list in options.Crls!.Lists)
            {
                uint reasons = list.DeltaBase is null ? CrlScope.Reasons(list, point, certificate) : 0;
                // §6.3.3(e): a list that adds no reason is not looked at
                if ((reasons & ~covered) == 0)
                    continue;
                if (UnusableFault(list) is { } unusable)
                {
                    fault ??= unusable;
                    continue;
                }

                if (SignerOf(list, at) is not { } signer)
                {
                    fault ??= "it is not signed by an authority that may";
                    continue;
                }

                if (IsListed(certificate, list, signer))
                    return (RevocationStatus.Revoked, null);
                covered |= reasons;
            }
        }

        if (covered == CrlScope.AllReasons || (options.Crls!.Demand == CrlDemand.WhereProvided && fault is null && !HasListsOf(certificate.Issuer)))
            return (RevocationStatus.Good, null);
        return (RevocationStatus.Unknown, fault is null ? "no current revocation list covers it" : $"the revocation list for it is of no use: {fault}");
    }

    // An issuer that publishes lists publishes one for each of its certificates, so one that none covers is not known to be good.
    bool HasListsOf(DistinguishedName issuer) => options.Crls!.Lists.Any(list => list.DeltaBase is null && list.Issuer.Equals(issuer));

    // §6.3.3: the certificate's own points, and then the lists of its issuer that none of them names.
    static IEnumerable<DistributionPoint> PointsOf(Certificate certificate)
    {
        var issuer = new GeneralName(NameKinds.Directory, "", default, certificate.Issuer);
        var implied = new DistributionPoint(new DistributionPointName { FullName = [issuer] }, null, []);
        return (certificate.CrlDistributionPoints ?? []).Append(implied);
    }

    string? UnusableFault(CertificateRevocationList list)
    {
        if (list.UnknownCritical is { } id)
            return $"it has the critical extension {id}, which is not processed";
        if (options.Time < list.ThisUpdate)
            return "it is from the future";
        if (list.NextUpdate is { } next && CertificateRules.IsPast(next, options.Time))
            return $"it should have been replaced by {next:u}";
        if (!options.Policy.Accepts(list.SignatureAlgorithm))
            return "its signature algorithm is not accepted";
        // §5.1.2.5, §5.2.1, §5.2.3: every conforming list has these three
        if (options.Policy.Rules != RuleBook.Historic && (list.Number is null || list.NextUpdate is null || list.AuthorityKey?.KeyIdentifier is null))
            return "it has no number, no next update or no authority key identifier";
        if (options.Policy.Rules != RuleBook.Historic && !list.TimeFormsFollowYear)
            return "a time before 2050 is not UTCTime, or a later one is not GeneralizedTime";
        if (options.Policy.Rules != RuleBook.Historic && list.HasRepeats)
            return "it lists a certificate twice";
        if (options.Policy.Rules != RuleBook.Historic && list.IsSilentlyIndirect)
            return "its entries name issuers, and it does not say that it is indirect";
        // CABF BR §7.2.2.1: a list of a part is named by URIs alone, and speaks for its own issuer
        if (options.Policy.Rules == RuleBook.Web && list.DistributionPoint is { } scope
            && (scope.Indirect || scope.Name is { } name && (!name.Relative.IsEmpty || name.FullName.Any(n => n.Kind != NameKinds.Uri))))
            return "its distribution point is indirect or named by something else than URIs";
        return null;
    }

    // §6.3.3(f–g): signed by the certificate's issuer, or by another certificate of the list's issuer that the same anchor vouches for.
    Certificate? SignerOf(CertificateRevocationList list, int at)
    {
        if (_signers.TryGetValue(list, out Certificate? known))
            return known;
        Certificate[] candidates = [path[at + 1], .. path, .. intermediates[list.Issuer]];
        foreach (Certificate candidate in candidates.Distinct())
        {
            if (!candidate.Subject.Equals(list.Issuer) || (candidate.KeyUsage is { } usage && !usage.HasFlag(KeyUsages.CrlSign)))
                continue;
            if (list.VerifySignature(KeyOf(candidate)) == SignatureVerdict.Valid && IsVouchedFor(candidate, list, at))
                return _signers[list] = candidate;
        }

        return _signers[list] = null;
    }

    // A DSA key without parameters has those of its issuer on this path (RFC 5280 §6.1.4(d–f)).
    SubjectPublicKey KeyOf(Certificate signer)
    {
        int at = path.IndexOf(signer);
        return signer.PublicKey is { Algorithm: KeyAlgorithm.Dsa, DsaParameters: null } bare && at >= 0 && at + 1 < path.Length
            && path[at + 1].PublicKey is { DsaParameters: not null } donor ? bare.WithParametersOf(donor) : signer.PublicKey;
    }

    bool IsVouchedFor(Certificate signer, CertificateRevocationList list, int at)
    {
        // Above the certificate on its own path: judged there. The certificate itself must not vouch for its own status.
        if (path.IndexOf(signer) > at)
            return true;
        if (options.ListsInQuestion.Count == MaximumDepth)
            return false;
        // A list that alone vouches for its signer could never revoke it, so it vouches for nothing; historic suites have one.
        if (options.ListsInQuestion.Contains(list))
            return options.Policy.Rules == RuleBook.Historic;
        ValidationOptions nested = options with
        {
            Purpose = ValidationPurpose.Any,
            Identity = IdentityDemand.NotRequired,
            ExpectedKinds = [],
            ExpectedCluster = null,
            ExpectedName = null,
            InitialPolicies = [],
            RequireExplicitPolicy = false,
            ListsInQuestion = options.ListsInQuestion.Add(list),
        };
        Certificate[] known = [.. intermediates.SelectMany(group => group)];
        return new PathSearch(signer, known, TrustStore.Create(path[^1]), nested).Run().Path is not null;
    }

    // §6.3.3(c), (h–l): the delta with the highest number that fits, then the complete list.
    bool IsListed(Certificate certificate, CertificateRevocationList list, Certificate signer)
    {
        CertificateRevocationList? newest = null;
        foreach (CertificateRevocationList delta in options.Crls!.Lists)
            if (FitsAsDelta(delta, list) && UnusableFault(delta) is null && !(delta.Number <= newest?.Number)
                && delta.VerifySignature(KeyOf(signer)) == SignatureVerdict.Valid)
                newest = delta;
        if (newest?.Find(certificate.Serial, certificate.Issuer) is { } change)
            return change.Reason != CrlReason.RemoveFromCrl;
        return list.Find(certificate.Serial, certificate.Issuer) is not null;
    }

    static bool FitsAsDelta(CertificateRevocationList delta, CertificateRevocationList complete) =>
        delta.DeltaBase is { } from && complete.Number is { } number && delta.Number is { } own
        && from <= number && number <= own
        && delta.Issuer.Equals(complete.Issuer)
        && Same(delta.DistributionPointDer, complete.DistributionPointDer)
        && Same(delta.AuthorityKey?.KeyIdentifier, complete.AuthorityKey?.KeyIdentifier);

    static bool Same(ReadOnlyMemory<byte>? a, ReadOnlyMemory<byte>? b) =>
        a is null ? b is null : b is { } other && a.Value.Span.SequenceEqual(other.Span);
}
