using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Talos.Api.Configuration;
using Xunit;

namespace Talos.Osctl.Tests;

/// <summary>`osctl ca` with a real trustd in a process of its own.</summary>
public sealed class AuthorityTests : IAsyncLifetime
{
    readonly Fixture osctl = new();
    readonly TokenSecret token = TokenSecret.Generate();
    Process trustd = null!;

    public async ValueTask InitializeAsync()
    {
        var port = FreePort();
        var configuration = osctl.Write("trustd.yaml", new TrustdConfiguration
        {
            Cluster = "demo",
            Node = "cp-1",
            Listen = new Endpoint("127.0.0.1", port),
            State = Path.Combine(osctl.Home, "state"),
            Policy = Path.Combine(Root(), "policy/bundle"),
            Names = ["127.0.0.1"],
            Bootstrap = [BootstrapToken.ForClient(token, "alice", ["os:admin"], DateTimeOffset.UtcNow.AddHours(1))],
        }.ToYaml());
        var program = Path.Combine(AppContext.BaseDirectory, "../../Talos.Fuzz", new DirectoryInfo(AppContext.BaseDirectory).Name, "Talos.Fuzz");
        Assert.True(File.Exists(program), $"`{program}` was not built");
        trustd = Process.Start(new ProcessStartInfo(program, ["trustd-kill-child", configuration]) { RedirectStandardError = true })!;
        while (await trustd.StandardError.ReadLineAsync() is { } line && !line.Contains("listening on", StringComparison.Ordinal)) { }
        _ = trustd.StandardError.ReadToEndAsync();
        Assert.Equal(0, await osctl.RunAsync("config", "new", "--name", "alice", "--roles", "os:admin", "--token", token.Reveal(), "--trustd", $"127.0.0.1:{port}"));
    }

    public async ValueTask DisposeAsync()
    {
        trustd.Kill();
        await trustd.WaitForExitAsync();
        trustd.Dispose();
        osctl.Dispose();
    }

    [Fact]
    public async Task Walks_to_the_next_authority_and_the_context_follows()
    {
        Assert.Equal(0, await osctl.RunAsync("ca", "status"));
        Assert.Contains("phase: steady; next: prepare, safe; back: nothing to undo", osctl.Output, StringComparison.Ordinal);

        Assert.Equal(0, await osctl.RunAsync("ca", "rotate"));
        foreach (var done in new[] { "prepare: done", "distribute: done", "activate: done", "the new authority signs" }) Assert.Contains(done, osctl.Output, StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllText(osctl.ConfigPath).Split("BEGIN CERTIFICATE").Length - 2);

        // Her own certificate is of the old authority; nobody waits eight hours for that here.
        Assert.NotEqual(0, await osctl.RunAsync("ca", "rotate", "--retire"));
        Assert.Contains("`alice` may still show a certificate of the old authority", osctl.Error, StringComparison.Ordinal);
        Assert.Contains("`osctl cert revoke SERIAL`", osctl.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("machine that is gone", osctl.Error, StringComparison.Ordinal);

        Assert.Equal(0, await osctl.RunAsync("ca", "rotate", "--step", "back"));
        Assert.Contains("phase: distributing", osctl.Output, StringComparison.Ordinal);
        Assert.Equal(0, await osctl.RunAsync("ca", "rotate"));
        Assert.Equal(0, await osctl.RunAsync("config", "renew"));
        Assert.Equal(0, await osctl.RunAsync("ca", "rotate", "--step", "retire", "--force", "-o", "json"));
        Assert.Contains("\"forced\": true", osctl.Output, StringComparison.Ordinal);
        Assert.Equal(0, await osctl.RunAsync("ca", "status"));
        Assert.Contains("retired", osctl.Output, StringComparison.Ordinal);
        Assert.Equal(0, await osctl.RunAsync("cert", "list"));
        Assert.DoesNotContain("there are more", osctl.Error, StringComparison.Ordinal);
        Assert.Equal(0, await osctl.RunAsync("cert", "list", "--limit", "1"));
        Assert.Contains("hint: there are more; `--limit N`", osctl.Error, StringComparison.Ordinal);
        Assert.Equal(0, await osctl.RunAsync("cert", "list", "--limit", "1", "-o", "json"));
        Assert.True(System.Text.Json.Nodes.JsonNode.Parse(osctl.Output)!["more"]!.GetValue<bool>());
    }

    /// <summary>Nobody is asked to wait for themselves: the certificate of before is revoked once there is another.</summary>
    [Fact]
    public async Task Walks_to_the_end_when_the_last_certificate_of_the_old_authority_is_revoked()
    {
        Assert.Equal(0, await osctl.RunAsync("cert", "list", "--name", "alice", "-o", "json"));
        var old = System.Text.Json.Nodes.JsonNode.Parse(osctl.Output)!["certificates"]![0]!["serial"]!.GetValue<string>();
        Assert.Equal(0, await osctl.RunAsync("ca", "rotate", "--step", "prepare"));
        Assert.DoesNotContain("TRUSTS BOTH", osctl.Output, StringComparison.Ordinal);
        Assert.Equal(0, await osctl.RunAsync("ca", "rotate"));
        Assert.Equal(0, await osctl.RunAsync("config", "renew"));
        Assert.Equal(0, await osctl.RunAsync("cert", "revoke", old, "--reason", "superseded"));

        Assert.Equal(0, await osctl.RunAsync("ca", "rotate", "--retire"));

        Assert.Contains("retire: done", osctl.Output, StringComparison.Ordinal);
        Assert.Equal(0, await osctl.RunAsync("ca", "status"));
        Assert.Contains("phase: steady", osctl.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rejects_a_step_that_is_none_and_force_without_a_step()
    {
        Assert.NotEqual(0, await osctl.RunAsync("ca", "rotate", "--step", "forward"));
        Assert.Contains("`forward` is no step", osctl.Error, StringComparison.Ordinal);
        Assert.NotEqual(0, await osctl.RunAsync("ca", "rotate", "--force"));
        Assert.NotEqual(0, await osctl.RunAsync("ca", "rotate", "--step", "retire"));
        Assert.Contains("[rollover-wrong-step]", osctl.Error, StringComparison.Ordinal);
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Talos.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Talos.sln is in no folder above the tests");
    }
}
