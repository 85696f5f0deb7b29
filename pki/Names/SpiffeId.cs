using System.Diagnostics.CodeAnalysis;

namespace Talos.Pki;

/// <summary>
/// <c>spiffe://&lt;cluster&gt;/user|node|trustd/&lt;name&gt;</c> (SPIFFE-ID §2). Cluster and name are lower case, so that no two
/// identities differ only in case.
/// </summary>
public sealed record SpiffeId
{
    const string Scheme = "spiffe://";

    SpiffeId(string cluster, PeerKind kind, string name)
    {
        Cluster = cluster;
        Kind = kind;
        Name = name;
    }

    public string Cluster { get; }

    public PeerKind Kind { get; }

    public string Name { get; }

    public override string ToString() => $"{Scheme}{Cluster}/{Segment(Kind)}/{Name}";

    public static Checked<SpiffeId> Create(string cluster, PeerKind kind, string name)
    {
        if (kind == PeerKind.Unknown)
            return new PkiFailure(PkiReason.MalformedName, "an identity needs a kind");
        if (ClusterFault(cluster) is { } clusterFault)
            return clusterFault;
        return NameFault("name", name, MaximumName, extra: ".-_") is { } nameFault ? nameFault : Checked<SpiffeId>.Of(new SpiffeId(cluster, kind, name));
    }

    /// <summary>Reads exactly the form above; anything else, a query, a port or a deeper path included, is refused.</summary>
    public static Checked<SpiffeId> Parse(string text)
    {
        string[] parts = text.StartsWith(Scheme, StringComparison.Ordinal) ? text[Scheme.Length..].Split('/') : [];
        PeerKind kind = parts.Length == 3 ? parts[1] switch
        {
            "user" => PeerKind.User,
            "node" => PeerKind.Node,
            "trustd" => PeerKind.Trustd,
            _ => PeerKind.Unknown,
        } : PeerKind.Unknown;
        return kind == PeerKind.Unknown
            ? new PkiFailure(PkiReason.MalformedName, $"`{text}` is not of the form `spiffe://<cluster>/user|node|trustd/<name>`")
            : Create(parts[0], kind, parts[2]);
    }

    // RFC 5280 appendix A: ub-common-name is 64.
    internal const int MaximumName = 64;

    /// <summary>A cluster is a trust domain, and so a host name (SPIFFE-ID §2.1; RFC 5280 §4.2.1.10 constrains URIs by host).</summary>
    internal static PkiFailure? ClusterFault(string cluster) =>
        NameFault("cluster", cluster, 63, extra: ".-") ?? (DnsName.IsValid(cluster)
            ? null : new PkiFailure(PkiReason.MalformedName, $"the cluster `{cluster}` is no host name") { Hint = "use labels of letters, digits and hyphens; the last may not be a number" });

    /// <summary>Why <paramref name="value"/> cannot be a cluster's, person's or machine's name; null when it can.</summary>
    internal static PkiFailure? NameFault(string what, string value, int longest, string extra)
    {
        if (value.Length == 0 || value.Length > longest)
            return new PkiFailure(PkiReason.MalformedName, $"the {what} `{value}` is empty or longer than {longest} characters");
        foreach (char c in value)
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && !extra.Contains(c))
                return new PkiFailure(PkiReason.MalformedName, $"the {what} `{value}` holds `{c}`")
                {
                    Hint = $"use lower-case letters, digits and any of `{extra}`",
                };
        return char.IsAsciiLetterOrDigit(value[0]) && char.IsAsciiLetterOrDigit(value[^1])
            ? null
            : new PkiFailure(PkiReason.MalformedName, $"the {what} `{value}` does not start and end with a letter or digit");
    }

    internal static string Segment(PeerKind kind) => kind switch
    {
        PeerKind.Unknown => "unknown",
        PeerKind.User => "user",
        PeerKind.Node => "node",
        PeerKind.Trustd => "trustd",
    };
}
