using System.Net;

namespace Talos.Api.Configuration;

/// <summary>How a machine reaches the network.</summary>
public sealed class NetworkSection
{
    /// <summary>In the order they are brought up; names are distinct.</summary>
    public IReadOnlyList<InterfaceSection> Interfaces { get; init; } = [];

    /// <summary>Where names are resolved; those that DHCP tells come after.</summary>
    public IReadOnlyList<IPAddress> NameServers { get; init; } = [];

    internal bool IsGiven => Interfaces.Count > 0 || NameServers.Count > 0;

    internal static NetworkSection Read(Section section)
    {
        var network = new NetworkSection
        {
            Interfaces = section.Sections("interfaces", InterfaceSection.Read),
            NameServers = section.List("nameservers", Formats.Address),
        };
        foreach (var twice in network.Interfaces.Select(i => i.Name).Where(n => n is not null).GroupBy(n => n).Where(g => g.Count() > 1))
            section.Fail("interfaces", $"interface `{twice.Key}` is given twice");
        return network;
    }

    internal void Write(YamlWriter writer)
    {
        writer.Sections("interfaces", Interfaces, (item, w) => item.Write(w));
        writer.List("nameservers", NameServers.Select(a => a.ToString()));
    }
}

/// <summary>One interface: either DHCP or fixed addresses.</summary>
public sealed class InterfaceSection
{
    /// <summary>As the kernel names it.</summary>
    public required string Name { get; init; }

    /// <summary>Addresses, route and name servers come from DHCP.</summary>
    public bool Dhcp { get; init; }

    /// <summary>Fixed addresses; empty with DHCP.</summary>
    public IReadOnlyList<InterfaceAddress> Addresses { get; init; } = [];

    /// <summary>Default route, reachable through one of the addresses.</summary>
    public IPAddress? Gateway { get; init; }

    internal static InterfaceSection Read(Section section)
    {
        var item = new InterfaceSection
        {
            Name = section.Required("name", Formats.InterfaceName),
            Dhcp = section.Optional("dhcp", Formats.Boolean, false),
            Addresses = section.List("addresses", Formats.InterfaceAddress),
            Gateway = section.Optional<IPAddress?>("gateway", Formats.Address!, null),
        };
        var addresses = item.Addresses.Where(a => a is not null).ToArray();
        if (item.Dhcp && (section.Has("addresses") || section.Has("gateway")))
            section.Fail("dhcp", "an interface has either `dhcp: true` or `addresses`", "leave one of them out");
        else if (!item.Dhcp && !section.Has("addresses"))
            section.Fail("name", $"missing field {section.Name("addresses")}", "give addresses, or `dhcp: true`");
        else if (item.Gateway is { } gateway && addresses.Length > 0 && !addresses.Any(a => a.Reaches(gateway)))
            section.Fail("gateway", $"gateway `{gateway}` lies in the network of none of the addresses");
        return item;
    }

    internal void Write(YamlWriter writer)
    {
        writer.Field("name", Name);
        if (Dhcp) writer.Field("dhcp", true);
        writer.List("addresses", Addresses.Select(a => a.ToString()));
        if (Gateway is not null) writer.Field("gateway", Gateway.ToString());
    }
}
