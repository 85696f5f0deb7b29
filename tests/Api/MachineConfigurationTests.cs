using System.Net;
using Talos.Api.Configuration;
using Talos.Api.Machine.V1;
using Talos.Api.Trust.V1;
using Xunit;

namespace Talos.Api.Tests;

public sealed class MachineConfigurationTests
{
    const string Worker = """
        version: v1alpha1
        cluster: demo
        machine:
          type: worker
          hostname: worker-1
          network:
            interfaces:
              - name: eth0
                addresses: [10.0.0.2/24, "fd00::2/64"]
                gateway: 10.0.0.1
              - name: eth1
                dhcp: true
            nameservers: [10.0.2.3]
          certSANs: [127.0.0.1, node.example]
          sysctls: { net.core.somaxconn: "4096", vm.swappiness: 10 }
        trust:
          endpoints: [10.0.2.2:50001]
          token: abcdefgh.0123456789abcdefghijklmnopqrstuv
        """;

    const string ControlPlane = """
        version: v1alpha1
        cluster: demo
        machine: { type: controlplane, hostname: cp-1 }
        trust:
          bootstrap:
            - id: abcdefgh
              verifier: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
              discovery: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=
              use: client
              name: admin
              roles: [os:admin]
              expires: 2026-12-01T00:00:00Z
        """;

    const string Policy = """
        version: v1alpha1
        cluster: demo
        machine: { type: controlplane, hostname: cp-1, labels: { zone: north, rack: r-7 } }
        policy:
          key: |
            -----BEGIN PUBLIC KEY-----
            AAAA
            -----END PUBLIC KEY-----
          opa: { url: "http://127.0.0.1:8181", deadline: 2s }
        """;

    [Fact]
    public void Accepts_labels_and_what_policy_is_told()
    {
        var configuration = MachineConfiguration.Parse(Policy, "machine.yaml").RequireValue();

        Assert.Equal(("north", "r-7"), (configuration.Machine.Labels["zone"], configuration.Machine.Labels["rack"]));
        Assert.StartsWith("-----BEGIN PUBLIC KEY-----\n", configuration.Policy.Key, StringComparison.Ordinal);
        Assert.Equal((new Uri("http://127.0.0.1:8181/"), TimeSpan.FromSeconds(2)), (configuration.Policy.Opa!.Url, configuration.Policy.Opa.Deadline));
        Assert.Equal(configuration.ToYaml(), MachineConfiguration.Parse(configuration.ToYaml(), "again.yaml").RequireValue().ToYaml());
    }

    [Theory]
    [InlineData("opa: { url: \"http://10.0.0.9:8181\" }", "loopback")]
    [InlineData("opa: { url: \"https://opa.example\" }", "policy.opa.caBundle")]
    [InlineData("opa: { url: \"http://127.0.0.1\", deadline: 1m }", "duration")]
    [InlineData("key: secret", "a public key in PEM")]
    public void Rejects_a_policy_section_that_would_not_do_what_it_says(string field, string expected)
    {
        var text = $"version: v1alpha1\ncluster: demo\nmachine: {{ type: controlplane, hostname: cp-1 }}\npolicy:\n  {field}\n";
        Assert.False(MachineConfiguration.Parse(text, "machine.yaml").TryGet(out _, out var errors));
        Assert.Contains(expected, errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Accepts_every_field_of_a_worker()
    {
        var configuration = MachineConfiguration.Parse(Worker, "machine.yaml").RequireValue();

        Assert.Equal("demo", configuration.Cluster);
        Assert.Equal(MachineType.Worker, configuration.Machine.Type);
        Assert.Equal("worker-1", configuration.Machine.HostName);
        Assert.Equal(["eth0", "eth1"], configuration.Machine.Network.Interfaces.Select(i => i.Name));
        Assert.Equal(new InterfaceAddress(IPAddress.Parse("10.0.0.2"), 24), configuration.Machine.Network.Interfaces[0].Addresses[0]);
        Assert.Equal(IPAddress.Parse("10.0.0.1"), configuration.Machine.Network.Interfaces[0].Gateway);
        Assert.True(configuration.Machine.Network.Interfaces[1].Dhcp);
        Assert.Equal([IPAddress.Parse("10.0.2.3")], configuration.Machine.Network.NameServers);
        Assert.Equal(["127.0.0.1", "node.example"], configuration.Machine.CertificateNames);
        Assert.Equal("4096", configuration.Machine.Sysctls["net.core.somaxconn"]);
        Assert.Equal("10", configuration.Machine.Sysctls["vm.swappiness"]);
        Assert.Equal([new Endpoint("10.0.2.2", 50001)], configuration.Trust.Endpoints);
        Assert.Equal("abcdefgh.0123456789abcdefghijklmnopqrstuv", configuration.Trust.Token!.Reveal());
    }

    [Fact]
    public void Accepts_a_worker_that_knows_the_authority_and_has_no_token()
    {
        var text = Worker.Replace("  token: abcdefgh.0123456789abcdefghijklmnopqrstuv", "  caBundle: |\n    -----BEGIN CERTIFICATE-----\n    MAA=\n    -----END CERTIFICATE-----");
        var configuration = MachineConfiguration.Parse(text, "machine.yaml").RequireValue();

        Assert.Null(configuration.Trust.Token);
        Assert.Contains("MAA=", configuration.Trust.CaPem, StringComparison.Ordinal);
        Assert.Equal(configuration.Trust.CaPem?.Trim(), MachineConfiguration.Parse(configuration.ToYaml(), "machine.yaml").RequireValue().Trust.CaPem?.Trim());
    }

    [Fact]
    public void Accepts_the_tokens_of_a_control_plane()
    {
        var configuration = MachineConfiguration.Parse(ControlPlane, "machine.yaml").RequireValue();

        var token = Assert.Single(configuration.Trust.Bootstrap);
        Assert.Equal("abcdefgh", token.Id);
        Assert.Equal(TokenUse.Client, token.Use);
        Assert.Equal(["os:admin"], token.Roles);
        Assert.Equal(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero), token.Expires);
        Assert.Equal(1u, token.Uses);
        Assert.All(token.Discovery.ToArray(), b => Assert.Equal(1, b));
    }

    [Theory]
    [InlineData(Worker)]
    [InlineData(ControlPlane)]
    public void Accepts_what_it_writes(string text)
    {
        var written = MachineConfiguration.Parse(text, "a").RequireValue().ToYaml();
        Assert.Equal(written, MachineConfiguration.Parse(written, "b").RequireValue().ToYaml());
    }

    [Fact]
    public void Rejects_all_mistakes_of_a_document_at_once_each_with_its_place()
    {
        var result = MachineConfiguration.Parse("""
            version: v1alpha2
            cluster: Demo
            machine:
              type: contrlplane
              hostnme: cp-1
              network:
                interfaces:
                  - name: eth0
                    dhcp: yes
            """, "machine.yaml");

        Assert.Null(result.Value);
        Assert.Equal(
            [
                "machine.yaml:1:10: expected `v1alpha1` in `version`, found `v1alpha2`\n  hint: did you mean `v1alpha1`?",
                "machine.yaml:2:10: expected a name of lower-case letters, digits, dots and dashes in `cluster`, found `Demo`",
                "machine.yaml:4:9: expected one of `controlplane`, `worker` in `machine.type`, found `contrlplane`\n  hint: did you mean `controlplane`?",
                "machine.yaml:5:3: unknown field `hostnme`\n  hint: did you mean `hostname`?",
                "machine.yaml:8:9: missing field `machine.network.interfaces[0].addresses`\n  hint: give addresses, or `dhcp: true`",
                "machine.yaml:9:15: expected `true` or `false` in `machine.network.interfaces[0].dhcp`, found `yes`",
            ],
            result.Errors.Select(e => e.ToString()));
    }

    [Theory]
    [InlineData("cluster: demo\n", "missing field `machine`")]
    [InlineData("cluster: demo\nmachine:\n", "missing field `machine`")]
    [InlineData("cluster: demo\nmachine: []\n", "expected fields in `machine`, found a list")]
    [InlineData("cluster: demo\nmachine: { type: worker }\n", "missing field `machine.hostname`")]
    [InlineData("cluster: [demo]\n", "expected a name of lower-case letters, digits, dots and dashes in `cluster`, found a list")]
    [InlineData("cluster: demo\ncluster: demo\n", "field `cluster` is given twice")]
    [InlineData("cluster: demo\nmachine: { type: worker, hostname: a, certSANs: 127.0.0.1 }\n", "expected a list in `machine.certSANs`, found a single value")]
    [InlineData("cluster: demo\nmachine: { type: worker, hostname: a }\n", "a worker needs `trust.endpoints`, and `trust.token` or `trust.caBundle`")]
    [InlineData("cluster: demo\nmachine: { type: controlplane, hostname: a }\ntrust: { endpoints: [a:1] }\n", "`trust.endpoints`, `trust.token` and `trust.caBundle` are for workers")]
    [InlineData("cluster: demo\nmachine: { type: controlplane, hostname: a, network: { interfaces: [{ name: e, addresses: [10.0.0.2/24], gateway: 10.0.1.1 }] } }\n", "gateway `10.0.1.1` lies in the network of none of the addresses")]
    [InlineData("cluster: demo\nmachine: { type: controlplane, hostname: a, network: { nameservers: [10.1] } }\n", "expected an IP address in an item of `machine.network.nameservers`, found `10.1`")]
    [InlineData("cluster: demo\nmachine: { type: controlplane, hostname: a, sysctls: { ../etc: x } }\n", "expected a sysctl's name as in `net.core.somaxconn` in a name in `machine.sysctls`, found `../etc`")]
    public void Rejects_a_mistake_with_a_sentence(string rest, string message) =>
        Assert.Contains(message, MachineConfiguration.Parse("version: v1alpha1\n" + rest, "m").Errors.Select(e => e.Message));

    [Theory]
    [InlineData("")]
    [InlineData("just text")]
    [InlineData("a: b: c")]
    [InlineData("a: &x 1\nb: *x\n")]
    [InlineData("a: !!int 1")]
    [InlineData("a: !local 1")]
    [InlineData("%YAML 1.1\n---\na: 1")]
    [InlineData("version: v1alpha1\n---\nversion: v1alpha1\n")]
    [InlineData("{a: [}")]
    [InlineData("[a]: b")]
    [InlineData("\"a")]
    [InlineData("a:\n\t- b")]
    [InlineData("\0")]
    public void Rejects_what_is_no_plain_document(string text)
    {
        var result = MachineConfiguration.Parse(text, "m");
        Assert.Null(result.Value);
        Assert.All(result.Errors, e => Assert.True(e is { Line: >= 1, Column: >= 1, Message.Length: > 0 }));
    }

    [Fact]
    public void Rejects_a_document_that_is_too_long() =>
        Assert.Contains("are allowed", Assert.Single(MachineConfiguration.Parse(new string(' ', YamlTree.MaxLength + 1), "m").Errors).Message);

    [Fact]
    public void Rejects_a_document_that_is_too_deep() =>
        Assert.Contains("deeper", Assert.Single(MachineConfiguration.Parse("a: " + new string('[', 10_000), "m").Errors).Message);

    [Fact]
    public void Rejects_a_document_of_too_many_values() =>
        Assert.Contains("more than", Assert.Single(MachineConfiguration.Parse("a: [" + string.Join(',', Enumerable.Repeat("b", YamlTree.MaxNodes)) + "]", "m").Errors).Message);

    [Fact]
    public void Rejects_a_token_without_showing_it()
    {
        var result = MachineConfiguration.Parse(Worker.Replace("token: abcdefgh.", "token: abcdefg."), "m");
        var error = Assert.Single(result.Errors, e => e.Message.Contains("token"));
        Assert.DoesNotContain("0123456789", error.ToString());
        Assert.Equal("expected a token: 8 characters, a dot, 32 characters in `trust.token`, found something else", error.Message);
    }

    [Fact]
    public void Accepts_no_secret_in_any_text_but_the_document()
    {
        var configuration = MachineConfiguration.Parse(Worker, "m").RequireValue();
        Assert.DoesNotContain("0123456789", $"{configuration}{configuration.Trust}{configuration.Trust.Token}");
    }

    /// <summary>The library's scanner fails at these by an exception of its own kind.</summary>
    [Theory]
    [InlineData("a: [Jane: <x\n- y]")]
    [InlineData("a: [Jane: <x\n- y")]
    [InlineData("[a\n#b")]
    public void Rejects_text_that_the_scanner_cannot_read_with_a_place(string text)
    {
        var error = Assert.Single(MachineConfiguration.Parse(text, "machine.yaml").Errors);
        Assert.Matches(@"^machine\.yaml:\d+:\d+: this is no YAML", error.ToString());
    }

    /// <summary>Pieces of syntax in any order, always the same ones.</summary>
    [Fact]
    public void Survives_pieces_of_syntax_in_any_order()
    {
        string[] pieces =
        [
            "a", ": ", "- ", "[", "]", "{", "}", ", ", "\n", "\n  ", "\n- ", "<x", "#", "'", "\"", "|", ">", "? ", "&b ",
            "*b", "!t ", "%", "---\n", "...\n", "\t", "Jane",
        ];
        var order = new Random(5);
        for (var i = 0; i < 30_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, order.Next(1, 14)).Select(_ => pieces[order.Next(pieces.Length)]));
            var result = MachineConfiguration.Parse(text, "m");
            Assert.True(result.Value is null && result.Errors.Count > 0, text);
        }
    }

    /// <summary>Cutting a good document anywhere must give a value or errors with a place, never an exception.</summary>
    [Fact]
    public void Survives_every_cut_and_every_changed_character()
    {
        foreach (var text in new[] { Worker, ControlPlane })
        {
            for (var i = 0; i < text.Length; i++)
            {
                Check(text[..i]);
                foreach (var c in "\0\t\n:{[&*!|'\"-#%@`?\u2028\uD800")
                    Check(string.Concat(text.AsSpan(0, i), c.ToString(), text.AsSpan(i + 1)));
            }
        }

        static void Check(string text)
        {
            var result = MachineConfiguration.Parse(text, "m");
            Assert.True(result.Value is null == result.Errors.Count > 0);
        }
    }
}
