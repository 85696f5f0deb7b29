using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>What is wrong with a certificate or path, before it becomes a <see cref="ValidationResult"/>.</summary>
sealed record PathFault(ValidationReason Reason, string Message, Certificate? Culprit)
{
    public string? Hint { get; init; }
}

/// <summary>
/// One depth-first search from the leaf towards an anchor. A candidate issuer is tried when its name, its own validity and
/// its signature on the certificate below fit; a complete path is then judged as a whole, and the search goes on when it fails.
/// </summary>
sealed class PathSearch
{
    // LIMIT: signatures verified in one search. The fleet needs two; cross-signed webs need dozens; hostile ones want millions.
    const int MaximumSignatures = 96;

    // LIMIT: complete paths judged in one search.
    const int MaximumPaths = 64;

    // LIMIT: candidates looked at in one search, since links that are known already cost no signature: ten authorities that all signed each other
    // have two million paths.
    const int MaximumSteps = 4096;

    readonly Certificate _leaf;
    readonly TrustStore _trust;
    readonly ValidationOptions _options;
    readonly ILookup<DistinguishedName, Certificate> _intermediates;
    readonly List<Certificate> _path = [];
    readonly Dictionary<(Certificate Child, Certificate Issuer), PathFault?> _signatures = [];
    readonly Dictionary<(Certificate Authority, bool IsAnchor), PathFault?> _authorities = [];
    PathFault? _fault;
    int _faultDepth = -1;
    int _paths;
    int _steps;
    bool _exhausted;

    public PathSearch(Certificate leaf, IReadOnlyCollection<Certificate> intermediates, TrustStore trust, ValidationOptions options)
    {
        _leaf = leaf;
        _trust = trust;
        _options = options;
        _intermediates = intermediates.Distinct().ToLookup(c => c.Subject);
    }

    public ValidationResult Run()
    {
        if (CertificateRules.LeafFault(_leaf, _options) is { } fault)
            return Refuse(fault);
        _path.Add(_leaf);
        if (Extend(issuedAuthorities: 0) is { } path)
            return new ValidationResult(path);
        if (_exhausted)
            return Refuse(new PathFault(ValidationReason.SearchTooLong, "no path was found within the limits of the search", _leaf));
        return Refuse(_fault ?? new PathFault(ValidationReason.UnknownIssuer, $"no trusted certificate issued `{_leaf.Subject}`", _leaf)
        {
            Hint = "the certificate may belong to another cluster, or its authority was retired",
        });
    }

    static ValidationResult Refuse(PathFault fault) => new(fault.Reason, fault.Message, fault.Culprit, fault.Hint);

    // issuedAuthorities: authorities on the path so far that are not self-issued, which path lengths count (RFC 5280 §4.2.1.9).
    ValidatedPath? Extend(int issuedAuthorities)
    {
        Certificate current = _path[^1];
        foreach (Certificate anchor in ByKeyIdentifier(_trust.Named(current.Issuer), current))
        {
            if (_exhausted)
                return null;
            // A leaf is never trusted for itself: something in the store must have issued it.
            if (_path.Contains(anchor) || !Links(current, anchor, issuedAuthorities, isAnchor: true))
                continue;
            _path.Add(anchor);
            if (Judge() is { } path)
                return path;
            _path.RemoveAt(_path.Count - 1);
        }

        if (!_intermediates.Contains(current.Issuer))
        {
            Note(new PathFault(ValidationReason.UnknownIssuer, $"no trusted certificate issued `{current.Subject}`", current));
            return null;
        }

        if (_path.Count > _options.MaximumIntermediates)
        {
            Note(new PathFault(ValidationReason.PathTooLong, $"the path has more than {_options.MaximumIntermediates} intermediates", current));
            return null;
        }

        foreach (Certificate candidate in ByKeyIdentifier([.. _intermediates[current.Issuer]], current))
        {
            if (_exhausted)
                return null;
            if (Repeats(candidate) || !Links(current, candidate, issuedAuthorities, isAnchor: false))
                continue;
            _path.Add(candidate);
            if (Extend(issuedAuthorities + (candidate.IsSelfIssued ? 0 : 1)) is { } path)
                return path;
            _path.RemoveAt(_path.Count - 1);
        }

        return null;
    }

    // RFC 4158 §2.4.2: a path in which the same name and key occur again only goes in circles.
    bool Repeats(Certificate candidate)
    {
        foreach (Certificate member in _path)
            if (member.Subject.Equals(candidate.Subject) && member.PublicKey.Der.Span.SequenceEqual(candidate.PublicKey.Der.Span))
                return true;
        return false;
    }

    // RFC 4158 §3.5.12: those whose key identifier matches come first; a mismatch is a hint, not a verdict.
    static IEnumerable<Certificate> ByKeyIdentifier(ImmutableArray<Certificate> candidates, Certificate current)
    {
        if (candidates.Length < 2 || current.AuthorityKeyIdentifier is not { } wanted)
            return candidates;
        return candidates.OrderByDescending(c => c.SubjectKeyIdentifier is { } id ? (id.Span.SequenceEqual(wanted.Span) ? 2 : 0) : 1);
    }

    bool Links(Certificate child, Certificate issuer, int issuedAuthorities, bool isAnchor)
    {
        if (++_steps == MaximumSteps)
            _exhausted = true;
        if (!_authorities.TryGetValue((issuer, isAnchor), out PathFault? fault))
            _authorities[(issuer, isAnchor)] = fault = CertificateRules.AuthorityFault(issuer, _options, isAnchor);
        if (fault is null && issuer.BasicConstraints?.PathLength < issuedAuthorities)
            fault = new PathFault(
                ValidationReason.PathTooLong, $"`{issuer.Subject}` allows {issuer.BasicConstraints!.PathLength} authorities below itself; there are {issuedAuthorities}", issuer);
        fault ??= SignatureFault(child, issuer);
        if (fault is not null)
            Note(fault);
        return fault is null;
    }

    PathFault? SignatureFault(Certificate child, Certificate issuer)
    {
        if (_signatures.TryGetValue((child, issuer), out PathFault? known))
            return known;
        if (_signatures.Count == MaximumSignatures)
        {
            _exhausted = true;
            return new PathFault(ValidationReason.SearchTooLong, "no path was found within the limits of the search", _leaf);
        }

        SignatureVerdict verdict = DsaInheritance.KeyOf(issuer, _intermediates, _trust).Verify(
            child.SignatureAlgorithm, child.ToBeSigned.Span, child.Signature.Span);
        PathFault? fault = verdict switch
        {
            SignatureVerdict.Valid => null,
            SignatureVerdict.Unsupported => new PathFault(ValidationReason.WeakAlgorithm, $"this platform cannot verify {issuer.PublicKey} with {child.SignatureAlgorithm.Id}", child),
            SignatureVerdict.Invalid => new PathFault(ValidationReason.BadSignature, $"`{issuer.Subject}` did not sign `{child.Subject}`", child),
        };
        return _signatures[(child, issuer)] = fault;
    }

    ValidatedPath? Judge()
    {
        if (++_paths == MaximumPaths)
            _exhausted = true;
        ImmutableArray<Certificate> certificates = [.. _path];
        PathFault? fault = DsaInheritance.Fault(certificates) ?? NameConstraintCheck.Fault(certificates) ?? PurposeFault(certificates)
            ?? PolicyTree.Fault(certificates, _options) ?? RevocationCheck.Fault(certificates, _options, _intermediates);
        PeerIdentity? peer = null;
        if (fault is null)
            (peer, fault) = IdentityOf(certificates);
        if (fault is null)
            return new ValidatedPath(certificates, peer);
        Note(fault);
        return null;
    }

    // CABF BR §7.1.2.10.6: purposes of an authority limit those of everything below it.
    PathFault? PurposeFault(ImmutableArray<Certificate> certificates)
    {
        foreach (Certificate authority in certificates.AsSpan()[1..])
            if (!CertificateRules.ServesPurpose(authority, _options.Purpose, anyCounts: true))
                return new PathFault(ValidationReason.KeyPurpose, $"`{authority.Subject}` may not issue certificates for this purpose", authority);
        return null;
    }

    (PeerIdentity?, PathFault?) IdentityOf(ImmutableArray<Certificate> certificates)
    {
        (PeerIdentity? peer, string? message) = PeerIdentity.Read(_leaf, certificates[1]);
        bool demanded = _options.Identity == IdentityDemand.Required || !_options.ExpectedKinds.IsEmpty || _options.ExpectedCluster is not null;
        if (!demanded)
            return (peer, null);
        if (peer is null)
            return (null, new PathFault(ValidationReason.NoIdentity, message!, _leaf));
        if (!_options.ExpectedKinds.IsEmpty && !_options.ExpectedKinds.Contains(peer.Kind))
            return (null, new PathFault(ValidationReason.WrongKind, $"`{peer}` is not a {string.Join(" or ", _options.ExpectedKinds.Select(SpiffeId.Segment))}", _leaf));
        return _options.ExpectedCluster is { } cluster && cluster != peer.Cluster
            ? (null, new PathFault(ValidationReason.WrongCluster, $"`{peer}` does not belong to the cluster `{cluster}`", _leaf))
            : (peer, null);
    }

    // The fault of the longest path that came closest is the one worth telling; an unknown issuer gives way to anything better.
    void Note(PathFault fault)
    {
        int depth = (_path.Count * 2) + (fault.Reason == ValidationReason.UnknownIssuer ? 0 : 1);
        if (depth <= _faultDepth)
            return;
        _fault = fault;
        _faultDepth = depth;
    }
}
