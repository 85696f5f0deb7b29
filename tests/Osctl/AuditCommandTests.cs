using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Talos.Api.Configuration;
using Talos.Api.Machine.V1;
using Talos.Api.Server.Tests;
using Talos.Audit;
using Xunit;

namespace Talos.Osctl.Tests;

/// <summary>osctl audit against a server with real TLS and a real record.</summary>
public sealed class AuditCommandTests : IAsyncLifetime
{
    readonly Fixture _osctl = new();
    TestHost _node = null!;

    public async ValueTask InitializeAsync()
    {
        _node = await TestHost.StartAsync();
        _osctl.SpeakAs(_node.Authority, "alice", "os:admin", new SortedDictionary<string, Endpoint> { ["cp-1"] = Fixture.At(_node) }, "cp-1");
        // Three calls that are allowed, and one that is not.
        var alice = _node.As("alice", "os:admin");
        for (var i = 0; i < 3; i++) await alice.VersionAsync(new VersionRequest());
        await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await _node.As("rita", "os:reader").RebootAsync(new RebootRequest()));
        await _node.EntryAsync(e => e.Kind == EntryKind.CallClosed && e.Method.EndsWith("Reboot", StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        _osctl.Dispose();
    }

    async Task Run(int code, params string[] args)
    {
        var done = await _osctl.RunAsync(args);
        Assert.True(code == done, $"osctl {string.Join(' ', args)} ended with {done}: {_osctl.Error}");
    }

    string In(string name) => Path.Combine(_osctl.Home, name);

    [Fact]
    public async Task Proves_one_entry_to_someone_who_has_only_the_file_and_the_key()
    {
        await Run(0, "audit", "prove", "0", "--to", In("entry.proof"));
        Assert.Contains($"whoever checks it needs the key {_node.Log.Key}", _osctl.Output, StringComparison.Ordinal);

        using var third = new Fixture();
        Assert.Equal(0, await third.RunAsync("audit", "check-proof", In("entry.proof"), "--key", _node.Log.Key.ToString()));
        Assert.Contains($"holds: entry 0 is one of the ", third.Output, StringComparison.Ordinal);
        Assert.Contains("name: alice", third.Output, StringComparison.Ordinal);

        // One other character of the entry, and it proves nothing.
        var lines = await File.ReadAllLinesAsync(In("entry.proof"));
        var raw = Convert.FromBase64String(lines[1]["extra ".Length..]);
        raw[^1] ^= 1;
        lines[1] = "extra " + Convert.ToBase64String(raw);
        await File.WriteAllTextAsync(In("forged.proof"), string.Join('\n', lines) + "\n");
        Assert.Equal(ExitCode.NotInOrder, await third.RunAsync("audit", "check-proof", In("forged.proof"), "--key", _node.Log.Key.ToString()));
        Assert.Contains("proves nothing: the hashes do not lead from entry 0 to the checkpoint's root", third.Error, StringComparison.Ordinal);

        using var other = Ed25519CheckpointSigner.Create(_node.Log.Origin);
        Assert.Equal(ExitCode.NotInOrder, await third.RunAsync("audit", "check-proof", In("entry.proof"), "--key", other.Key.ToString()));
        Assert.Contains("is not signed by key", third.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verifies_a_copy_and_asks_for_the_witnesses_that_were_named()
    {
        using var witnessKey = AuditCosigner.Create("demo/worker-1/witness");
        var checkpoint = _node.Log.PublishNow();
        var witness = new AuditWitness(In("witness"), witnessKey, TimeProvider.System);
        var answer = witness.Cosign(_node.Log.Key, 0, [], checkpoint.Note);
        Assert.True(_node.Log.TryAddCosignature(checkpoint, answer.Cosignature, witnessKey.Key));
        await File.WriteAllTextAsync(In("worker-1.key"), witnessKey.Key + "\n");

        await Run(0, "audit", "export", In("record"));
        await Run(0, "audit", "verify", "--from-export", In("record"), "--witness", In("worker-1.key"));
        Assert.Contains($"demo/worker-1/witness signed the first {checkpoint.Size} entries on 2", _osctl.Output, StringComparison.Ordinal);

        using var stranger = AuditCosigner.Create("demo/worker-2/witness");
        await Run(ExitCode.NotInOrder, "audit", "verify", "--from-export", In("record"), "--witness", stranger.Key.ToString());
        Assert.Contains("witness `demo/worker-2/witness` signed no checkpoint of this log", _osctl.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_what_fits_and_no_more()
    {
        await Run(0, "audit", "tail", "--denied", "--tail", "1", "-o", "json");
        var entry = JsonNode.Parse(_osctl.Output)!.AsArray()[0]!["entries"]!.AsArray().Single()!;
        Assert.Equal("rita", (string?)entry["caller"]!["name"]);

        await Run(0, "audit", "list", "-w", "caller=alice", "-w", "kind=call-closed", "--method", "Version", "-o", "json");
        Assert.Equal(3, JsonNode.Parse(_osctl.Output)!.AsArray()[0]!["entries"]!.AsArray().Count);

        await Run(ExitCode.NodeFailed, "audit", "list", "-w", "colour=red");
        Assert.Contains("there is no filter `colour`", _osctl.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("jsonl", "\"method\":\"/talos.machine.v1.MachineService/Reboot\"")]
    [InlineData("ocsf", "\"class_uid\":6003")]
    [InlineData("syslog", "1 2")]
    [InlineData("cef", "CEF:0|")]
    [InlineData("otlp", "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\"")]
    public async Task Writes_every_format_to_the_terminal(string format, string marker)
    {
        await Run(0, "audit", "export", "--format", format, "-w", "method=Reboot");

        var lines = _osctl.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.All(lines, line => Assert.Contains(marker, line, StringComparison.Ordinal));
        if (format is "jsonl" or "ocsf" or "otlp") Assert.All(lines, line => Assert.NotNull(JsonNode.Parse(line)));
    }

    [Fact]
    public async Task Goes_on_behind_its_cursor_and_mends_a_line_that_was_cut()
    {
        string[] command = ["audit", "export", "--format", "jsonl", "-w", "caller=alice,rita", "--to", In("log.jsonl"), "--cursor", In("cursor")];
        await Run(0, command);
        var first = await File.ReadAllLinesAsync(In("log.jsonl"));
        // As a process that was killed while it wrote leaves it.
        await File.AppendAllTextAsync(In("log.jsonl"), "{\"index\":");

        await Run(0, command);

        var indexes = (await File.ReadAllLinesAsync(In("log.jsonl"))).Select(line => (ulong)JsonNode.Parse(line)!["index"]!).ToArray();
        Assert.True(indexes.Length > first.Length);
        Assert.Equal(Enumerable.Range(0, indexes.Length).Select(i => (ulong)i), indexes);
    }

    [Fact]
    public async Task Says_why_it_cannot_deliver_while_it_waits_for_more()
    {
        // Where the next cursor would be written.
        Directory.CreateDirectory(In("cursor.new"));

        await Run(ExitCode.NotAsked, "audit", "export", "--format", "jsonl", "-f", "--to", In("log.jsonl"), "--cursor", In("cursor"));

        Assert.Contains("cursor.new", _osctl.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("bug", _osctl.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shows_how_the_record_is_doing()
    {
        await Run(0, "audit", "status");
        Assert.Contains($"cp-1: key {_node.Log.Key}", _osctl.Output, StringComparison.Ordinal);
        await Run(0, "audit", "status", "-o", "json");
        Assert.Equal(_node.Log.Key.ToString(), (string?)JsonNode.Parse(_osctl.Output)!.AsArray()[0]!["verifier_key"]);
    }

    [Fact]
    public async Task Rejects_what_it_cannot_mean()
    {
        await Run(ExitCode.NotAsked, "audit", "export");
        Assert.Contains("either a folder or `--format` is needed", _osctl.Error, StringComparison.Ordinal);
        await Run(ExitCode.NotAsked, "audit", "export", "--format", "xml");
        Assert.Contains("`xml` is no format", _osctl.Error, StringComparison.Ordinal);
        await Run(ExitCode.NotAsked, "audit", "check-proof", In("none"), "--key", "x");
        Assert.Contains("there is no file", _osctl.Error, StringComparison.Ordinal);
        await Run(ExitCode.NodeFailed, "audit", "prove", "100000");
        Assert.Contains("there is no entry 100000", _osctl.Error, StringComparison.Ordinal);
    }
}
