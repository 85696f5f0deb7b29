using Talos.Api.Configuration;
using Talos.Api.Server.Tests;
using Talos.Audit;
using Xunit;

namespace Talos.Osctl.Tests;

/// <summary>osctl through one node to another, over real TLS, with the shipped policy on both.</summary>
public sealed class RelayTests : IAsyncLifetime
{
    readonly Fixture _osctl = new();
    readonly TestAuthority _authority = new();
    TestHost _carrier = null!, _node = null!;

    public async ValueTask InitializeAsync()
    {
        _carrier = await TestHost.StartAsync(authority: _authority, name: "cp-1");
        _node = await TestHost.StartAsync(authority: _authority, name: "worker-1");
        SpeakAs("alice", "os:admin");
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _carrier.DisposeAsync();
        _authority.Dispose();
        _osctl.Dispose();
    }

    void SpeakAs(string name, string role, string? via = null) => _osctl.SpeakAs(
        _authority, name, role, new SortedDictionary<string, Endpoint> { ["cp-1"] = Fixture.At(_carrier), ["worker-1"] = Fixture.At(_node) }, "worker-1", via);

    static bool IsEnd(Entry entry, string method) => entry.Kind == EntryKind.CallClosed && entry.Method.EndsWith(method, StringComparison.Ordinal);

    [Fact]
    public async Task Reaches_a_node_through_another_as_who_one_is_and_from_where_one_is()
    {
        Assert.True(await _osctl.RunAsync("version", "--via", "cp-1") == 0, _osctl.Error);
        Assert.Contains("worker-1", _osctl.Output, StringComparison.Ordinal);

        var there = await _node.EntryAsync(e => IsEnd(e, "MachineService/Version"));
        Assert.Equal(("alice", "127.0.0.1", "cp-1"), (there.Caller.Name, there.Caller.SourceAddress, Assert.Single(there.Caller.ForwardedBy)));
        // Who carried, and what it was told, has an entry too; the carrier's says for whom.
        var taken = await _node.EntryAsync(e => IsEnd(e, "RelayService/Accept"));
        Assert.Equal(("cp-1", "OK"), (taken.Caller.Name, taken.Outcome.Status));
        var carried = await _carrier.EntryAsync(e => IsEnd(e, "RelayService/Connect"));
        Assert.Equal(("alice", "OK", Fixture.At(_node).ToString()), (carried.Caller.Name, carried.Outcome.Status, carried.Fields.Single(f => f.Path == "node").Value));
        Assert.DoesNotContain(_carrier.Log.Read(0, long.MaxValue), r => r.Entry.Method.EndsWith("Version", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Asks_the_carrier_itself_and_the_others_through_it_as_the_context_says()
    {
        SpeakAs("alice", "os:admin", via: "cp-1");

        Assert.True(await _osctl.RunAsync("version", "-n", "cp-1,worker-1", "-o", "json") == 0, _osctl.Error);
        Assert.Empty((await _carrier.EntryAsync(e => IsEnd(e, "MachineService/Version"))).Caller.ForwardedBy);
        Assert.Equal("cp-1", Assert.Single((await _node.EntryAsync(e => IsEnd(e, "MachineService/Version"))).Caller.ForwardedBy));

        Assert.True(await _osctl.RunAsync("version", "--via", "direct") == 0, _osctl.Error);
        await _node.EntryAsync(e => IsEnd(e, "MachineService/Version") && e.Caller.ForwardedBy.Count == 0);
        Assert.Equal(0, await _osctl.RunAsync("config", "info"));
        Assert.Contains("Via", _osctl.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Is_denied_by_the_node_at_the_end_although_another_carries()
    {
        SpeakAs("rita", "os:reader", via: "cp-1");

        Assert.Equal(3, await _osctl.RunAsync("reboot", "-n", "worker-1"));

        var denied = await _node.EntryAsync(e => IsEnd(e, "MachineService/Reboot"));
        Assert.Equal(("rita", Effect.Deny, "cp-1"), (denied.Caller.Name, denied.Decision.Effect, Assert.Single(denied.Caller.ForwardedBy)));
    }

    [Fact]
    public async Task Says_which_of_the_two_did_not_answer()
    {
        await _node.Host.StopAsync();

        Assert.Equal(2, await _osctl.RunAsync("version", "--via", "cp-1"));
        Assert.Contains($"not carried by {Fixture.At(_carrier)}: {Fixture.At(_node)} cannot be reached from here", _osctl.Error, StringComparison.Ordinal);

        await _carrier.Host.StopAsync();
        Assert.Equal(2, await _osctl.RunAsync("version", "--via", "cp-1"));
        Assert.Contains($"not carried by {Fixture.At(_carrier)}: nothing answers at {Fixture.At(_carrier)}", _osctl.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Is_not_carried_without_a_role_that_may_be()
    {
        SpeakAs("nora", "team:none", via: "cp-1");

        Assert.Equal(3, await _osctl.RunAsync("version"));
        Assert.Contains("not carried by", _osctl.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Copies_a_record_larger_than_all_buffers_on_the_way()
    {
        for (var i = 0; i < 20_000; i++) _ = _node.Log.Post(AuditEvents.ServiceChanged("x", "running", $"number {i}"));

        var copy = Path.Combine(_osctl.Home, "copy");
        Assert.True(await _osctl.RunAsync("audit", "export", copy, "--via", "cp-1") == 0, _osctl.Error);
        Assert.True(new DirectoryInfo(copy).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length) > 1 << 20);
    }
}
