using System.Net;
using System.Text;
using Talos.Api.Configuration;
using Talos.Linux.Kernel;
using Talos.Machined.Boot;

namespace Talos.Machined.Tests;

public sealed class BootTests
{
    const string ControlPlane = """
        version: v1alpha1
        cluster: demo
        machine:
          type: controlplane
          hostname: cp-1
          certSANs: [127.0.0.1, cp.example.org]
          network:
            interfaces:
              - name: eth0
                dhcp: true
        """;

    static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Makes_trustd_know_the_token_that_osd_joins_with()
    {
        var files = ServiceFiles.Render(Machine(ControlPlane), ServicePaths.Node, [IPAddress.Parse("10.0.2.15")], Now);

        var osd = OsdConfiguration.Parse(files.Osd.ToYaml(), "osd.yaml").RequireValue();
        var trustd = TrustdConfiguration.Parse(files.Trustd!.ToYaml(), "trustd.yaml").RequireValue();
        var token = Assert.Single(trustd.Bootstrap);
        Assert.Equal(token.Id, osd.Token!.Id);
        Assert.Equal(token.Verifier.ToArray(), osd.Token.Verifier().ToArray());
        Assert.Equal(["cp-1", "10.0.2.15", "127.0.0.1", "cp.example.org"], osd.Names);
        Assert.Equal(["cp-1", "cp.example.org"], token.Names);
        Assert.Equal([IPNetwork.Parse("10.0.2.15/32"), IPNetwork.Parse("127.0.0.1/32")], token.Addresses);
        Assert.Equal([new Endpoint("127.0.0.1", 50001)], osd.TrustEndpoints);
        Assert.Equal("/state/osd", osd.State);
        Assert.Contains("127.0.0.1", trustd.Names);
    }

    [Fact]
    public void Gives_each_start_another_token()
    {
        var machine = Machine(ControlPlane);
        var first = ServiceFiles.Render(machine, ServicePaths.Node, [], Now);
        var second = ServiceFiles.Render(machine, ServicePaths.Node, [], Now);

        Assert.NotEqual(first.Osd.Token!.Reveal(), second.Osd.Token!.Reveal());
    }

    [Fact]
    public void Runs_no_trustd_on_a_worker()
    {
        var token = TokenSecret.Generate();
        var machine = Machine($"""
            version: v1alpha1
            cluster: demo
            machine: {"{"} type: worker, hostname: worker-1 {"}"}
            trust:
              endpoints: ["10.0.2.2:50001"]
              token: {token.Reveal()}
            """);

        var files = ServiceFiles.Render(machine, ServicePaths.Node, [], Now);

        Assert.Null(files.Trustd);
        Assert.Equal(token.Reveal(), files.Osd.Token!.Reveal());
        Assert.Equal([new Endpoint("10.0.2.2", 50001)], files.Osd.TrustEndpoints);
    }

    [Fact]
    public void Tells_osd_why_the_node_is_in_maintenance()
    {
        const string Reason = "machine.yaml:7:5: unknown field `hostnme`; hint: did you mean `hostname`?";

        var osd = OsdConfiguration.Parse(ServiceFiles.Maintenance(Reason, "talos", ServicePaths.Node).ToYaml(), "osd.yaml").RequireValue();

        Assert.Equal(Reason, osd.Maintenance);
    }

    [Fact]
    public void Names_place_and_culprit_of_a_bad_configuration()
    {
        Assert.Null(ConfigurationSource.Parse("version: v1alpha1\ncluster: demo\nmachin: {}\n"u8, "fw_cfg", out var reason));
        Assert.StartsWith("fw_cfg:3:1: unknown field `machin`", reason, StringComparison.Ordinal);
        Assert.Null(ConfigurationSource.Parse([0xff, 0xfe], "fw_cfg", out reason));
        Assert.Equal("fw_cfg: not UTF-8", reason);
    }

    [Fact]
    public void Finds_the_configuration_of_the_kernel_command_line()
    {
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(ControlPlane));

        Assert.Equal(Encoding.UTF8.GetBytes(ControlPlane), ConfigurationSource.FromCommandLine($"console=ttyS0 talos.config=base64:{encoded} quiet\n"));
        Assert.Null(ConfigurationSource.FromCommandLine("console=ttyS0 quiet\n"));
        Assert.Throws<FormatException>(() => ConfigurationSource.FromCommandLine("talos.config=base64:???"));
        var full = $"talos.config=base64:{encoded}".PadLeft(2047);
        Assert.Contains("lost its end", Assert.Throws<FormatException>(() => ConfigurationSource.FromCommandLine(full + "\n")).Message, StringComparison.Ordinal);
        Assert.NotNull(ConfigurationSource.FromCommandLine(full[1..] + "\n"));
    }

    [Theory]
    [InlineData("[    0.000000] Command line: quiet talos.config=base64:c2VjcmV0 panic=-1", "[    0.000000] Command line: quiet talos.config=base64:… panic=-1")]
    [InlineData("[    0.000000] Command line: talos.config=base64:c2VjcmV0", "[    0.000000] Command line: talos.config=base64:…")]
    [InlineData("[    0.000000] Command line: quiet", "[    0.000000] Command line: quiet")]
    public void Keeps_the_configuration_out_of_the_kernel_log(string line, string shown) => Assert.Equal(shown, ConfigurationSource.Hide(line));

    [Fact]
    public void Denies_settings_that_undo_hardening()
    {
        SysctlSetting[] image = [new("kernel.kptr_restrict", "2", 1)];

        Assert.Equal("`kernel.kptr_restrict` is `2` on every node and cannot become `0`", UserSysctls.Conflict("kernel.kptr_restrict", "0", image));
        Assert.Null(UserSysctls.Conflict("kernel.kptr_restrict", "2", image));
        Assert.Null(UserSysctls.Conflict("net.core.somaxconn", "4096", image));
    }

    [Fact]
    public void Keeps_the_machine_id()
    {
        var directory = Directory.CreateTempSubdirectory("talos-boot-");
        try
        {
            var id = StateFileSystem.MachineId(directory.FullName);
            Assert.Matches("^[0-9a-f]{32}$", id);
            Assert.Equal(id, StateFileSystem.MachineId(directory.FullName));
            File.WriteAllText(Path.Combine(directory.FullName, "machine-id"), "");
            Assert.NotEqual(id, StateFileSystem.MachineId(directory.FullName));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    static MachineConfiguration Machine(string yaml) => MachineConfiguration.Parse(yaml, "machine.yaml").RequireValue();
}
