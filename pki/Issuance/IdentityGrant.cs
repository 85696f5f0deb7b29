using System.Collections.Immutable;
using System.Net;

namespace Talos.Pki;

/// <summary>What the policy decision allowed one requester: exactly this goes into the certificate.</summary>
public sealed record IdentityGrant
{
    // LIMIT: roles and names of one certificate.
    const int MaximumRoles = 16;
    const int MaximumNames = 100;

    /// <summary>Trust domain of the SPIFFE URI.</summary>
    public required string Cluster { get; init; }

    public required string Name { get; init; }

    /// <summary>Organization attributes of the subject, in this order.</summary>
    public ImmutableArray<string> Roles { get; init; } = [];

    public ImmutableArray<string> DnsNames { get; init; } = [];

    public ImmutableArray<IPAddress> Addresses { get; init; } = [];

    /// <summary>A shorter life than the profile's; null for the profile's.</summary>
    public TimeSpan? Lifetime { get; init; }

    internal PkiFailure? Fault(CertificateProfile profile)
    {
        if (SpiffeId.ClusterFault(Cluster) is { } cluster)
            return cluster;
        if (SpiffeId.NameFault("name", Name, SpiffeId.MaximumName, ".-_") is { } name)
            return name;
        if (Roles.Length > MaximumRoles || DnsNames.Length + Addresses.Length > MaximumNames)
            return new PkiFailure(PkiReason.TooLarge, $"a grant holds more than {MaximumRoles} roles or {MaximumNames} names");
        foreach (string role in Roles)
            if (SpiffeId.NameFault("role", role, 64, ":.-_") is { } fault)
                return fault;
        if (Roles.Distinct().Count() != Roles.Length)
            return new PkiFailure(PkiReason.MalformedName, "a role is granted twice");
        foreach (string dns in DnsNames)
            if (!DnsName.IsValid(dns) || dns.AsSpan().ContainsAnyInRange('A', 'Z'))
                return new PkiFailure(PkiReason.MalformedName, $"`{dns}` is no lower-case host name");
        foreach (IPAddress address in Addresses)
            if (address.IsIPv4MappedToIPv6 || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
                return new PkiFailure(PkiReason.MalformedName, $"`{address}` is no address of one machine");
        if ((DnsNames.Length > 0 && !profile.Names.HasFlag(NameKinds.Dns)) || (Addresses.Length > 0 && !profile.Names.HasFlag(NameKinds.Address)))
            return new PkiFailure(PkiReason.NameKindNotAllowed, $"profile `{profile.Id}` holds no DNS names or addresses");
        if (profile.IsAuthority && Roles.Length > 0)
            return new PkiFailure(PkiReason.ExcessRole, "an authority has no roles");
        return Lifetime is { } life && (life > profile.Lifetime || life < TimeSpan.FromMinutes(1))
            ? new PkiFailure(PkiReason.LifetimeTooLong, $"a life of {life} is not between one minute and the {profile.Lifetime} of profile `{profile.Id}`")
            : null;
    }

    /// <summary>Names the first thing that a request asks for beyond this grant; null when there is none.</summary>
    internal PkiFailure? Excess(CertificateRequestDocument request)
    {
        foreach (string common in request.Subject.CommonNames)
            if (common != Name)
                return Excess($"the name `{common}`", $"the requester may use `{Name}`");
        foreach (string role in request.Subject.Organizations)
            if (!Roles.Contains(role))
                return new PkiFailure(PkiReason.ExcessRole, $"the request asks for the role `{role}`, which is not granted");
        foreach (GeneralName asked in request.RequestedNames)
        {
            bool granted = asked.Kind switch
            {
                NameKinds.Dns => DnsNames.Contains(asked.Text.ToLowerInvariant()),
                NameKinds.Address => Addresses.Any(address => asked.Octets.Span.SequenceEqual(address.GetAddressBytes())),
                NameKinds.Uri => SpiffeId.Parse(asked.Text).Value is { } id && id.Cluster == Cluster && id.Name == Name,
                _ => false,
            };
            if (!granted)
                return Excess($"`{asked}`", "ask only for names that the node owns, or have them granted");
        }

        return null;
    }

    static PkiFailure Excess(string what, string hint) => new(PkiReason.ExcessName, $"the request asks for {what}, which is not granted") { Hint = hint };
}
