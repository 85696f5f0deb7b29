using System.Net;
using System.Text;
using Talos.Api.Configuration;
using Talos.Linux;
using Talos.Linux.Network;

namespace Talos.Machined.Boot;

/// <summary>The machine's links, addresses, default route and resolvers.</summary>
sealed class HostNetwork(string resolverFile = "/run/resolv.conf")
{
    /// <summary>Wide enough for links that take their time; a node without a network is of no use anyway.</summary>
    static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(5);

    readonly List<IPAddress> _resolvers = [];

    /// <summary>Sets up what the configuration names.</summary>
    /// <returns>What went wrong; a link without a lease is tried again in the background.</returns>
    internal IReadOnlyList<string> Configure(NetworkSection network, string hostName)
    {
        var problems = new List<string>();
        _resolvers.AddRange(network.NameServers);
        foreach (var wanted in network.Interfaces)
        {
            try
            {
                Configure(wanted, hostName, problems);
            }
            catch (LinuxException e)
            {
                problems.Add($"machine.network: {e.Message}");
            }
        }
        WriteResolvers();
        return problems;
    }

    /// <summary>DHCP on every Ethernet link: what a machine does that knows nothing yet.</summary>
    internal IReadOnlyList<string> ConfigureAll()
    {
        using var network = new RouteNetlink();
        var links = network.Links().Where(link => link is { IsLoopback: false, HardwareAddress.Length: 6 });
        return Configure(new NetworkSection { Interfaces = [.. links.Select(link => new InterfaceSection { Name = link.Name, Dhcp = true })] }, "talos");
    }

    /// <summary>Addresses by which others may reach this machine.</summary>
    internal static IReadOnlyList<IPAddress> Addresses()
    {
        using var network = new RouteNetlink();
        return [.. network.Addresses().Select(address => address.Address).Where(address => !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal)];
    }

    void Configure(InterfaceSection wanted, string hostName, List<string> problems)
    {
        using var network = new RouteNetlink();
        network.SetUp(wanted.Name);
        var link = network.Links().First(link => link.Name == wanted.Name);
        if (wanted.Dhcp)
        {
            var client = new DhcpClient(link, hostName);
            var lease = client.Acquire();
            if (lease is null)
                problems.Add($"no DHCP server answered on `{wanted.Name}`");
            else
                Apply(network, link, lease);
            _ = KeepLeaseAsync(client, link, lease);
            return;
        }
        foreach (var address in wanted.Addresses)
            network.AddAddress(link.Index, address.Address, address.PrefixLength);
        if (wanted.Gateway is { } gateway)
            network.SetDefaultRoute(link.Index, gateway);
    }

    void Apply(RouteNetlink network, Link link, DhcpLease lease)
    {
        network.AddAddress(link.Index, lease.Address, lease.PrefixLength);
        if (lease.Gateway is { } gateway)
            network.SetDefaultRoute(link.Index, gateway);
        foreach (var resolver in lease.Resolvers)
        {
            if (!_resolvers.Contains(resolver))
                _resolvers.Add(resolver);
        }
        Journal.Write($"{link.Name} has {lease.Address}/{lease.PrefixLength} for {lease.Duration.TotalMinutes:0} min");
    }

    /// <summary>Renews until the process ends; an address whose lease has run out is taken off.</summary>
    async Task KeepLeaseAsync(DhcpClient client, Link link, DhcpLease? lease)
    {
        var obtained = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await Task.Delay(lease?.RenewAfter ?? RetryPause);
            try
            {
                var next = await Task.Run(() => lease is null ? client.Acquire() : client.Renew(lease));
                using var network = new RouteNetlink();
                if (next is not null)
                {
                    if (lease is not null && !lease.Address.Equals(next.Address))
                        network.RemoveAddress(link.Index, lease.Address, lease.PrefixLength);
                    Apply(network, link, next);
                    WriteResolvers();
                    (lease, obtained) = (next, TimeProvider.System.GetTimestamp());
                }
                else if (lease is not null && TimeProvider.System.GetElapsedTime(obtained) >= lease.Duration)
                {
                    network.RemoveAddress(link.Index, lease.Address, lease.PrefixLength);
                    Journal.Write($"the lease of {lease.Address} has run out");
                    lease = null;
                }
                else if (lease is not null)
                    lease = lease with { RenewAfter = RetryPause };
            }
            catch (LinuxException e)
            {
                Journal.Write(e.Message);
                await Task.Delay(RetryPause);
            }
        }
    }

    void WriteResolvers()
    {
        // In place: services hold this very file in their view.
        using var file = new FileStream(resolverFile, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(0);
        file.Write(Encoding.ASCII.GetBytes(string.Concat(_resolvers.Select(resolver => $"nameserver {resolver}\n"))));
    }
}
