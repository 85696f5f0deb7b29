using System.Collections.Immutable;

namespace Talos.Policy;

/// <summary>What a decision about a certificate may depend on. Rules see it as the Rego document <c>input</c>.</summary>
public sealed class IssuanceInput
{
    /// <summary>What the request rests on: a word that has a rule in <c>data.talos.issuance.ways</c>.</summary>
    public required string Way { get; init; }

    /// <summary>The kind of identity that is asked for: <c>node</c>, <c>user</c> or <c>trustd</c>.</summary>
    public required string Kind { get; init; }

    public required CertificateWish Request { get; init; }

    public required IssuanceBasis Basis { get; init; }

    /// <summary>Address that the request comes from; empty for the server's own.</summary>
    public required string SourceIp { get; init; }

    public required DateTimeOffset Time { get; init; }
}

/// <summary>What is asked for. Nothing of it is believed.</summary>
public sealed record CertificateWish
{
    public required string Name { get; init; }
    public ImmutableArray<string> Roles { get; init; } = [];
    public ImmutableArray<string> DnsNames { get; init; } = [];

    /// <summary>Without prefix length.</summary>
    public ImmutableArray<string> Addresses { get; init; } = [];

    /// <summary>Names of kinds that no certificate holds, as people write them: <c>email:root@example.org</c>; further common names of a subject.</summary>
    public ImmutableArray<string> Others { get; init; } = [];

    /// <summary>Null leaves it to policy.</summary>
    public TimeSpan? Lifetime { get; init; }
}

/// <summary>What the requester has shown, checked before policy is asked: a certificate, a token, an approval, claims.</summary>
public sealed record IssuanceBasis
{
    /// <summary>How people call it: <c>the token `abcd`</c>.</summary>
    public required string Title { get; init; }

    /// <summary>Name that it speaks for; empty when it speaks for patterns only.</summary>
    public string Name { get; init; } = "";

    public ImmutableArray<string> Roles { get; init; } = [];

    /// <summary>Host names, or patterns of a token.</summary>
    public ImmutableArray<string> DnsNames { get; init; } = [];

    /// <summary>Addresses, or a token's networks in CIDR form.</summary>
    public ImmutableArray<string> Addresses { get; init; } = [];

    /// <summary>When its holder last proved who they are by something other than a certificate; null when nobody knows.</summary>
    public DateTimeOffset? AuthenticatedAt { get; init; }

    /// <summary>Who approved; empty where nobody had to.</summary>
    public string ApprovedBy { get; init; } = "";

    /// <summary>A JSON object: the claims of an ID token.</summary>
    public string Claims { get; init; } = "{}";

    /// <summary>Whether the ID token names the very key that is to be certified.</summary>
    public bool IsBoundToKey { get; init; }

    /// <summary>Roles of the provider's groups, as the configuration has them.</summary>
    public ImmutableArray<(string Group, string Role)> GroupRoles { get; init; } = [];
}
