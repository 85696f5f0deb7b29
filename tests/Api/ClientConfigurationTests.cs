using Talos.Api.Configuration;
using Xunit;

namespace Talos.Api.Tests;

public sealed class ClientConfigurationTests
{
    const string Document = """
        context: demo
        contexts:
          demo:
            endpoints: { cp-1: 127.0.0.1:50000, worker-1: "127.0.0.1:50010" }
            trustd: 127.0.0.1:50001
            nodes: [cp-1]
            ca: |
              -----BEGIN CERTIFICATE-----
              AAAA
              -----END CERTIFICATE-----
            crt: |
              -----BEGIN CERTIFICATE-----
              AAAA
              -----END CERTIFICATE-----
            key: |
              -----BEGIN PRIVATE KEY-----
              U0VDUkVU
              -----END PRIVATE KEY-----
          other: {}
        """;

    [Fact]
    public void Accepts_contexts_and_what_it_writes()
    {
        var configuration = ClientConfiguration.Parse(Document, "config").RequireValue();
        Assert.Equal("demo", configuration.Current);
        Assert.Equal(["demo", "other"], configuration.Contexts.Keys);
        Assert.Equal(new Endpoint("127.0.0.1", 50010), configuration.Contexts["demo"].Endpoints["worker-1"]);
        Assert.Contains("U0VDUkVU", configuration.Contexts["demo"].PrivateKeyPem);
        Assert.DoesNotContain("U0VDUkVU", $"{configuration.Contexts["demo"]}");
        var written = configuration.ToYaml();
        Assert.Equal(written, ClientConfiguration.Parse(written, "config").RequireValue().ToYaml());
    }

    [Fact]
    public void Rejects_a_current_context_that_is_not_there()
    {
        var error = Assert.Single(ClientConfiguration.Parse("context: dem\ncontexts: { demo: {} }", "config").Errors);
        Assert.Equal("context `dem` is not among `contexts`", error.Message);
        Assert.Equal("did you mean `demo`?", error.Hint);
    }

    [Fact]
    public void Rejects_a_key_that_is_none_without_showing_it()
    {
        var result = ClientConfiguration.Parse(Document.Replace("BEGIN PRIVATE KEY", "BEGIN PRIVATE"), "config");
        Assert.DoesNotContain("U0VDUkVU", string.Join('\n', result.Errors));
        Assert.Contains("expected a private key in PEM in `contexts.demo.key`, found something else", result.Errors.Select(e => e.Message));
    }
}
