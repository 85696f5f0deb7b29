using Talos.Cluster;
using Talos.Cluster.Provisioning;
using Xunit;

namespace Talos.EndToEnd.Tests;

/// <summary>A node set up by hand, as `osctl gen config` says: the configuration from each of the places it may lie in, fixed addresses, no DHCP.</summary>
[Collection("image")]
public sealed class ConfigurationSourceTests : IDisposable
{
    const string Address = "10.0.2.77";

    readonly OsctlProgram _osctl = new();

    public void Dispose() => _osctl.Dispose();

    [Theory]
    [InlineData(ConfigurationMedium.Disk)]
    [InlineData(ConfigurationMedium.KernelArgument)]
    public async Task Accepts_a_node_with_a_fixed_address(ConfigurationMedium medium)
    {
        ImageCluster.Require();
        var plan = ClusterPlan.Create("fixed", Provisioner.Qemu, Path.Combine(_osctl.Home, "fixed"), 1, OsctlProgram.FreePorts());
        var node = plan.Nodes[0];
        Directory.CreateDirectory(node.Folder);
        _osctl.Succeed("gen", "config", "fixed", "--controlplane", "127.0.0.1", "--output-dir", _osctl.Home);
        File.WriteAllText(node.ConfigurationFile, WithFixedAddress(File.ReadAllText(Path.Combine(_osctl.Home, "controlplane.yaml"))));
        _osctl.Succeed("validate", node.ConfigurationFile);

        var record = ClusterRecord.Open(plan);
        new QemuNodes(ImageCluster.Image, "tcg").Start(record, node, new QemuOverrides(Medium: medium, GuestAddress: Address));
        try
        {
            _osctl.SucceedWithin(TimeSpan.FromMinutes(5), _ => true, "config", "new", "--name", "admin", "--roles", "os:admin",
                "--token", Path.Combine(_osctl.Home, "admin.token"), "--trustd", plan.Trustd.ToString(), "--endpoint", $"cp-1={node.Api}");
            var version = _osctl.SucceedWithin(TimeSpan.FromMinutes(1), _ => true, "version", "-o", "json").Json["servers"]![0]!;
            Assert.Equal("MACHINE_STAGE_RUNNING", (string?)version["stage"]);
            Assert.Contains(Address + "/24", _osctl.Succeed("interfaces").Output, StringComparison.Ordinal);
            if (medium == ConfigurationMedium.KernelArgument) Assert.Contains("talos.config=base64:…", _osctl.Succeed("dmesg").Output, StringComparison.Ordinal);
        }
        finally
        {
            await record.StopAsync(TimeProvider.System, CancellationToken.None);
        }
    }

    static string WithFixedAddress(string configuration)
    {
        const string Dhcp = "dhcp: true\n";
        var line = configuration.Split('\n').Single(l => l.EndsWith(Dhcp.TrimEnd(), StringComparison.Ordinal));
        var indent = new string(' ', line.IndexOf(Dhcp.TrimEnd(), StringComparison.Ordinal));
        return configuration.Replace(Dhcp, $"addresses: [{Address}/24]\n{indent}gateway: 10.0.2.2\n", StringComparison.Ordinal);
    }
}
