using Talos.Linux.Kernel;

namespace Talos.Linux.Tests;

public sealed class SysctlTests : IDisposable
{
    readonly string _root = Directory.CreateTempSubdirectory("talos-sysctl-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <summary>A link that was there before the default was set keeps what it had, router advertisements for instance.</summary>
    [Fact]
    public void Sets_a_default_of_links_on_those_that_are_there_too()
    {
        foreach (var link in new[] { "all", "default", "eth0", "lo" })
        {
            Directory.CreateDirectory(Path.Combine(_root, "net/ipv6/conf", link));
            File.WriteAllText(Path.Combine(_root, "net/ipv6/conf", link, "accept_ra"), "1");
        }
        Directory.CreateDirectory(Path.Combine(_root, "net/ipv6/conf/bare"));

        Assert.Equal(["default", "eth0", "lo"], Links("net.ipv6.conf.default.accept_ra"));
        Assert.Equal(["all"], Links("net.ipv6.conf.all.accept_ra"));
        Assert.Equal(["eth0"], Links("net.ipv6.conf.eth0.accept_ra"));
        Assert.Equal([Path.Combine(_root, "kernel/conf/default/x")], Sysctl.PathsOf("kernel.conf.default.x", _root));
        Assert.Equal([Path.Combine(_root, "net/ipv4/conf/default/rp_filter")], Sysctl.PathsOf("net.ipv4.conf.default.rp_filter", _root));

        IEnumerable<string> Links(string name) => Sysctl.PathsOf(name, _root).Select(path => path.Split('/')[^2]);
    }
}
