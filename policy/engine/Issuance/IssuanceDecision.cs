using System.Collections.Immutable;

namespace Talos.Policy;

/// <summary>What policy lets into a certificate. Only <see cref="IssuancePolicy"/> can make one.</summary>
public sealed class GrantedCertificate
{
    internal GrantedCertificate()
    {
    }

    public required string Name { get; init; }
    public required ImmutableArray<string> Roles { get; init; }
    public required ImmutableArray<string> DnsNames { get; init; }
    public required ImmutableArray<string> Addresses { get; init; }

    /// <summary>From the moment of issue; one minute to <see cref="IssuancePolicy.LongestLife"/>.</summary>
    public required TimeSpan Lifetime { get; init; }

    /// <summary>When the holder last proved who they are; goes from certificate to certificate.</summary>
    public required DateTimeOffset AuthenticatedAt { get; init; }
}

/// <summary>The answer of the policy about one certificate. Without a <see cref="Grant"/> it is no.</summary>
public sealed class IssuanceDecision
{
    internal IssuanceDecision(string reasonId, string sentence, string hint, string revision, GrantedCertificate? grant) =>
        (ReasonId, Sentence, Hint, Revision, Grant) = (reasonId, sentence, hint, revision, grant);

    /// <summary>A stable word for machines: <c>name-not-allowed</c>, <c>authentication-too-old</c>, …</summary>
    public string ReasonId { get; }

    /// <summary>The same for people.</summary>
    public string Sentence { get; }

    /// <summary>What the requester can do; empty when there is nothing.</summary>
    public string Hint { get; }

    /// <summary>The revision of the bundle that decided.</summary>
    public string Revision { get; }

    public GrantedCertificate? Grant { get; }
}
