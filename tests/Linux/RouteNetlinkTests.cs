using System.Net;
using Talos.Linux.Native;
using Talos.Linux.Network;

namespace Talos.Linux.Tests;

public sealed class RouteNetlinkTests
{
    [Fact]
    public void Configures_a_link_in_a_namespace_of_its_own()
    {
        InNewNetwork(() =>
        {
            using var network = new RouteNetlink();
            Assert.False(network.Links().Single(link => link.Name == "lo").IsUp);

            network.SetUp("lo");
            var lo = network.Links().Single(link => link.Name == "lo");
            Assert.True(lo is { IsUp: true, IsLoopback: true });

            network.AddAddress(lo.Index, IPAddress.Parse("10.9.8.7"), 24);
            network.AddAddress(lo.Index, IPAddress.Parse("10.9.8.7"), 24);
            Assert.Contains(new LinkAddress(lo.Index, IPAddress.Parse("10.9.8.7"), 24), network.Addresses());
            network.SetDefaultRoute(lo.Index, IPAddress.Parse("10.9.8.1"));
            Assert.Contains(File.ReadAllLines("/proc/thread-self/net/route"), line => line.StartsWith("lo\t00000000\t0108090A", StringComparison.Ordinal));

            network.RemoveAddress(lo.Index, IPAddress.Parse("10.9.8.7"), 24);
            Assert.DoesNotContain(network.Addresses(), address => address.Address.Equals(IPAddress.Parse("10.9.8.7")));
        });
    }

    [Fact]
    public void Reports_a_link_that_is_not_there()
    {
        InNewNetwork(() =>
        {
            using var network = new RouteNetlink();
            Assert.Equal("switch on link `eth9`: no such device (errno 19)", Assert.Throws<LinuxException>(() => network.SetUp("eth9")).Message);
        });
    }

    [Theory]
    [InlineData("10.0.2.15", 24, "10.0.2.255")]
    [InlineData("10.0.2.15", 8, "10.255.255.255")]
    [InlineData("10.0.2.15", 0, "255.255.255.255")]
    public void Computes_broadcast_addresses(string address, int prefix, string broadcast) =>
        Assert.Equal(IPAddress.Parse(broadcast), RouteNetlink.Broadcast(IPAddress.Parse(address), prefix));

    /// <summary>unshare(2) concerns the calling thread alone, which ends with the test.</summary>
    internal static void InNewNetwork(Action test)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: a network namespace");
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                const int NewNetworkNamespace = 0x40000000;
                LinuxException.ThrowIfFailed(Libc.unshare(NewNetworkNamespace), "unshare the network");
                test();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }
}
