using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>Who a peer is, read from a leaf whose path was accepted. Only validation makes one.</summary>
public sealed class PeerIdentity
{
    PeerIdentity(SpiffeId spiffe, ImmutableArray<string> roles, Certificate leaf, Certificate issuer)
    {
        Spiffe = spiffe;
        Roles = roles;
        Leaf = leaf;
        IssuerFingerprint = issuer.Fingerprint;
    }

    /// <summary>Common name of the subject, and last segment of the SPIFFE URI.</summary>
    public string Name => Spiffe.Name;

    public PeerKind Kind => Spiffe.Kind;

    public string Cluster => Spiffe.Cluster;

    /// <summary>Organization attributes of the subject, in order.</summary>
    public ImmutableArray<string> Roles { get; }

    /// <summary>Serial number in lower-case hexadecimal.</summary>
    public string Serial => Leaf.Serial;

    public SpiffeId Spiffe { get; }

    public DateTimeOffset NotBefore => Leaf.NotBefore;

    public DateTimeOffset NotAfter => Leaf.NotAfter;

    public Certificate Leaf { get; }

    /// <summary>SHA-256 of the certificate that signed the leaf.</summary>
    public string IssuerFingerprint { get; }

    public override string ToString() => Spiffe.ToString();

    /// <summary>Reads the identity; the caller has validated the path.</summary>
    internal static (PeerIdentity? Peer, string? Fault) Read(Certificate leaf, Certificate issuer)
    {
        if (leaf.Subject.CommonNames is not [var name])
            return (null, $"the certificate has {leaf.Subject.CommonNames.Length} common names; a peer has exactly one");
        GeneralName[] uris = [.. leaf.AlternativeNames.Where(n => n.Kind == NameKinds.Uri)];
        if (uris is not [var uri])
            return (null, $"the certificate has {uris.Length} URIs; a peer has exactly one, its SPIFFE identity");
        if (!SpiffeId.Parse(uri.Text).Is(out SpiffeId? spiffe, out PkiFailure? failure))
            return (null, failure.Message);
        if (spiffe.Name != name)
            return (null, $"the common name `{name}` and the identity `{spiffe}` disagree");
        ImmutableArray<string> roles = leaf.Subject.Organizations;
        foreach (string role in roles)
            if (SpiffeId.NameFault("role", role, 64, ":.-_") is { } fault)
                return (null, fault.Message);
        return (new PeerIdentity(spiffe, roles, leaf, issuer), null);
    }
}
