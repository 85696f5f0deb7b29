using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Talos.Api.Configuration;
using Talos.Osctl.Nodes;
using Xunit;

namespace Talos.Osctl.Tests;

public sealed class ContextTests : IDisposable
{
    const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    readonly Fixture _osctl = new();

    public void Dispose() => _osctl.Dispose();

    [Fact]
    public async Task Accepts_a_context_from_files_and_keeps_it_private()
    {
        await AddAsync("one");
        await AddAsync("two");
        Assert.Equal(Private, File.GetUnixFileMode(_osctl.ConfigPath));
        Assert.Equal(Private | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(_osctl.ConfigPath)!));

        await _osctl.RunAsync("config", "contexts");
        Assert.Equal("CURRENT   NAME   ENDPOINTS         NODES\n          one    127.0.0.1:50000   cp-1\n*         two    127.0.0.1:50000   cp-1\n", _osctl.Output);

        Assert.Equal(0, await _osctl.RunAsync("config", "use", "one"));
        await _osctl.RunAsync("config", "info", "-o", "json");
        var info = System.Text.Json.Nodes.JsonNode.Parse(_osctl.Output)!;
        Assert.Equal("one", (string?)info["context"]);
        Assert.Equal("alice", (string?)info["name"]);
        Assert.Equal(["os:reader"], info["roles"]!.AsArray().Select(r => (string?)r));

        Assert.Equal(0, await _osctl.RunAsync("config", "remove", "one"));
        await _osctl.RunAsync("config", "contexts");
        Assert.DoesNotContain("one", _osctl.Output);
    }

    [Fact]
    public async Task Accepts_contexts_of_another_file_and_loses_neither()
    {
        await AddAsync("demo");
        var other = Path.Combine(_osctl.Home, "other");
        await AddAsync("demo", "--talosconfig", other);
        var code = await _osctl.RunAsync("config", "merge", other);
        Assert.True(code == 0, _osctl.Error);
        Assert.Equal("context `demo` is added as `demo-1`\n", _osctl.Output);
        Assert.Equal(["demo", "demo-1"], ClientConfiguration.Parse(File.ReadAllText(_osctl.ConfigPath), "c").RequireValue().Contexts.Keys);
    }

    [Fact]
    public async Task Rejects_a_key_that_belongs_to_another_certificate()
    {
        var (certificate, _) = Identity();
        var (_, otherKey) = Identity();
        Assert.Equal(ExitCode.NotAsked, await AddFilesAsync("bad", certificate, otherKey));
        Assert.Contains("do not belong together", _osctl.Error);
        Assert.False(File.Exists(_osctl.ConfigPath));
    }

    [Fact]
    public async Task Rejects_a_file_with_mistakes_and_shows_their_places()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_osctl.ConfigPath)!);
        File.WriteAllText(_osctl.ConfigPath, "context: demo\ncontexts:\n  demo:\n    endpoint: {}\n");
        Assert.Equal(ExitCode.NotAsked, await _osctl.RunAsync("services"));
        Assert.Contains($"{_osctl.ConfigPath}:4:5: unknown field `endpoint`", _osctl.Error);
    }

    [Fact]
    public async Task Accepts_warnings_about_a_file_that_others_may_read()
    {
        await AddAsync("demo");
        File.SetUnixFileMode(_osctl.ConfigPath, Private | UnixFileMode.GroupRead);
        Assert.Equal(ExitCode.NodeFailed, await _osctl.RunAsync("services", "--timeout", "2s", "-e", "127.0.0.1:1"));
        Assert.Contains("others may read it", _osctl.Error);
        Assert.Contains("nothing answers at 127.0.0.1:1", _osctl.Error);
    }

    [Fact]
    public async Task Accepts_several_nodes_of_which_none_answers_each_with_its_own_error()
    {
        await AddAsync("demo");
        Assert.Equal(ExitCode.NodeFailed, await _osctl.RunAsync("services", "-e", "a=127.0.0.1:1,b=127.0.0.1:2", "-o", "json"));
        var answers = System.Text.Json.Nodes.JsonNode.Parse(_osctl.Output)!.AsArray();
        Assert.Equal(["a", "b"], answers.Select(a => (string?)a!["node"]));
        Assert.All(answers, a => Assert.Equal("UNAVAILABLE", (string?)a!["error"]!["code"]));
    }

    [Theory]
    [InlineData("cp-1", "", "cp-1@127.0.0.1:50000")]
    [InlineData("", "", "cp-1@127.0.0.1:50000")]
    [InlineData("cp-1,worker-1", "", "cp-1@127.0.0.1:50000 worker-1@127.0.0.1:50010")]
    [InlineData("10.0.0.9", "", "10.0.0.9@10.0.0.9:50000")]
    [InlineData("", "10.0.0.9:1", "10.0.0.9:1@10.0.0.9:1")]
    [InlineData("cp-1", "cp-1=10.0.0.9,x=10.0.0.8", "cp-1@10.0.0.9:50000")]
    public void Accepts_nodes_by_name_and_by_address(string nodes, string endpoints, string expected)
    {
        var targets = Target.Select(Context(), Split(nodes), Split(endpoints), "");
        Assert.Equal(expected, string.Join(' ', targets.Select(t => $"{t.Name}@{t.Endpoint}")));
    }

    [Theory]
    [InlineData("cp-2", "there is no node `cp-2` in the context")]
    [InlineData("bad address.", "`bad address.` is no address")]
    public void Rejects_nodes_that_nobody_knows(string node, string message) =>
        Assert.Equal(message, Assert.Throws<OsctlException>(() => Target.Select(Context(), [node], [], "")).Message);

    static string[] Split(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries);

    static ClientContext Context() => new()
    {
        Endpoints = new Dictionary<string, Endpoint> { ["cp-1"] = new("127.0.0.1", 50000), ["worker-1"] = new("127.0.0.1", 50010) },
        Nodes = ["cp-1"],
    };

    async Task AddAsync(string name, params string[] more)
    {
        var (certificate, key) = Identity();
        Assert.Equal(0, await AddFilesAsync(name, certificate, key, more));
    }

    Task<int> AddFilesAsync(string name, string certificate, string key, params string[] more) => _osctl.RunAsync(
    [
        "config", "add", name, "--endpoint", "cp-1=127.0.0.1", "--trustd", "127.0.0.1",
        "--ca", _osctl.Write("ca.crt", certificate), "--crt", _osctl.Write("me.crt", certificate), "--key", _osctl.Write("me.key", key), .. more,
    ]);

    static (string Certificate, string Key) Identity()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=alice,O=os:reader", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        return (certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }
}
