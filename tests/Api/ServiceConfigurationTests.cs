using System.Net;
using Talos.Api.Configuration;
using Talos.Api.Machine.V1;
using Xunit;

namespace Talos.Api.Tests;

public sealed class ServiceConfigurationTests
{
    static readonly DateTimeOffset Expiry = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Accepts_what_machined_writes_for_osd()
    {
        var token = TokenSecret.Generate();
        var written = new OsdConfiguration
        {
            Cluster = "demo",
            Node = "cp-1",
            Role = MachineType.Controlplane,
            Listen = new Endpoint("0.0.0.0", 50000),
            State = "/state/osd",
            Machined = "/run/talos/machined.sock",
            Policy = "/etc/talos/policy",
            TrustEndpoints = [new Endpoint("127.0.0.1", 50001), new Endpoint("fd00::1", 50001)],
            Token = token,
            CaBundle = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            Names = ["cp-1", "10.0.2.15", "::1"],
        }.ToYaml();

        var read = OsdConfiguration.Parse(written, "osd.yaml").RequireValue();
        Assert.Equal(written, read.ToYaml());
        Assert.Equal(MachineType.Controlplane, read.Role);
        Assert.Equal(token.Reveal(), read.Token!.Reveal());
        Assert.Equal("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", read.CaBundle);
        Assert.Equal(new Endpoint("fd00::1", 50001), read.TrustEndpoints[1]);
        Assert.Equal(["cp-1", "10.0.2.15", "::1"], read.Names);
        Assert.Equal("", read.Maintenance);
    }

    [Fact]
    public void Accepts_a_node_in_maintenance_that_knows_neither_role_nor_trust()
    {
        const string reason = "machine.yaml:7:5: unknown field `hostnme`\n  hint: did you mean \"hostname\"?";
        var written = new OsdConfiguration
        {
            Cluster = "unknown",
            Node = "localhost",
            Role = MachineType.Unspecified,
            Listen = new Endpoint("0.0.0.0", 50000),
            State = "/state/osd",
            Machined = "/run/talos/machined.sock",
            Policy = "/etc/talos/policy",
            Maintenance = reason,
        }.ToYaml();

        Assert.Equal(reason.Replace("\n", " "), OsdConfiguration.Parse(written, "osd.yaml").RequireValue().Maintenance);
    }

    [Fact]
    public void Rejects_a_node_out_of_maintenance_without_trust()
    {
        var result = OsdConfiguration.Parse("""
            cluster: demo
            node: cp-1
            listen: 0.0.0.0:50000
            state: state
            machined: /run/m.sock
            policy: /p
            maintenance: ""
            """, "osd.yaml");
        Assert.Equal(["missing field `role`", "missing field `trust.endpoints`", "expected an absolute path in `state`, found `state`"], result.Errors.Select(e => e.Message));
    }

    [Fact]
    public void Accepts_what_machined_writes_for_trustd()
    {
        var client = BootstrapToken.ForClient(TokenSecret.Generate(), "admin", ["os:admin"], Expiry);
        var node = BootstrapToken.ForNode(TokenSecret.Generate(), ["worker-*"], [IPNetwork.Parse("10.0.0.0/8")], Expiry, uses: 3);
        var written = new TrustdConfiguration
        {
            Cluster = "demo",
            Node = "cp-1",
            Listen = new Endpoint("0.0.0.0", 50001),
            State = "/state/trustd",
            Policy = "/etc/talos/policy",
            Names = ["cp-1"],
            Bootstrap = [client, node],
        }.ToYaml();

        var read = TrustdConfiguration.Parse(written, "trustd.yaml").RequireValue();
        Assert.Equal(written, read.ToYaml());
        Assert.Equal(["os:admin"], read.Bootstrap[0].Roles);
        Assert.Equal(["worker-*"], read.Bootstrap[1].Names);
        Assert.Equal(IPNetwork.Parse("10.0.0.0/8"), read.Bootstrap[1].Addresses[0]);
        Assert.Equal(3u, read.Bootstrap[1].Uses);
        Assert.Equal(Expiry, read.Bootstrap[1].Expires);
        Assert.Equal(client.Verifier.ToArray(), read.Bootstrap[0].Verifier.ToArray());
    }

    [Theory]
    [InlineData("use: client\nroles: [os:admin]", "a token for a person needs `name`")]
    [InlineData("use: client\nname: a", "a token for a person needs `roles`")]
    [InlineData("use: client\nname: a\nroles: [os:admin]\nnames: [b]", "`names` and `addresses` are for tokens of use `node`")]
    [InlineData("use: node", "a token for nodes needs `names`")]
    [InlineData("use: node\nnames: [b]\nroles: [os:admin]", "`name` and `roles` are for tokens of use `client`")]
    [InlineData("use: node\nnames: [b]\naddresses: [10.0.0.1/8]", "expected a network as in `10.0.0.0/8` in an item of `addresses`, found `10.0.0.1/8`")]
    public void Rejects_a_token_whose_fields_do_not_go_together(string fields, string message)
    {
        const string key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        var result = Section.ReadDocument($"id: abcdefgh\nverifier: {key}\ndiscovery: {key}\nexpires: 2030-01-01T00:00:00Z\n{fields}\n", "t", BootstrapToken.Read);
        Assert.Contains(message, result.Errors.Select(e => e.Message));
    }
}
