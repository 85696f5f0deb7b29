using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Relay.V1;
using Talos.Audit;
using Xunit;

namespace Talos.Api.Server.Tests;

/// <summary>What a node does not carry and does not take. That it carries what it should is shown with osctl's own tests.</summary>
public sealed class RelayTests : IAsyncLifetime
{
    readonly TestAuthority authority = new();
    TestHost carrier = null!, node = null!;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        carrier = await TestHost.StartAsync(authority: authority, name: "cp-1");
        node = await TestHost.StartAsync(authority: authority, name: "worker-1");
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        await carrier.DisposeAsync();
        authority.Dispose();
    }

    static RelayService.RelayServiceClient As(TestHost host, TrustMaterial caller) => new(host.Channel(caller));

    static async Task<Carried> FirstAsync<T>(AsyncDuplexStreamingCall<T, Carried> call, T first)
    {
        await call.RequestStream.WriteAsync(first, Stop);
        Assert.True(await call.ResponseStream.MoveNext(Stop));
        return call.ResponseStream.Current;
    }

    async Task<RpcException> RefusedAsync(ConnectRequest first)
    {
        using var call = As(carrier, authority.Person("alice", "os:admin")).Connect(cancellationToken: Stop);
        return await Assert.ThrowsAsync<RpcException>(() => FirstAsync(call, first));
    }

    async Task<RpcException> RefusedAsync(TrustMaterial caller, AcceptRequest first)
    {
        using var call = As(node, caller).Accept(cancellationToken: Stop);
        return await Assert.ThrowsAsync<RpcException>(() => FirstAsync(call, first));
    }

    [Theory]
    [InlineData("")]
    [InlineData("worker-1")]
    [InlineData("10.0.0.1:0")]
    [InlineData("10.0.0.1:99999")]
    [InlineData("a b:50000")]
    public async Task Rejects_what_is_no_address(string address) =>
        Assert.Equal(StatusCode.InvalidArgument, (await RefusedAsync(new ConnectRequest { Node = address })).StatusCode);

    [Fact]
    public async Task Rejects_a_server_that_is_no_node_of_the_cluster_before_a_byte_is_carried()
    {
        await using var foreign = await TestHost.StartAsync();

        var refusal = await RefusedAsync(new ConnectRequest { Node = $"127.0.0.1:{foreign.Host.Endpoint.Port}", Data = ByteString.CopyFromUtf8("hello") });

        Assert.Equal(StatusCode.Unavailable, refusal.StatusCode);
        Assert.Contains("is no node of this cluster", refusal.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rejects_more_bytes_than_a_message_may_carry() =>
        Assert.Equal(StatusCode.InvalidArgument, (await RefusedAsync(
            new ConnectRequest { Node = $"127.0.0.1:{node.Host.Endpoint.Port}", Data = ByteString.CopyFrom(new byte[RelayBytes.MaxMessage + 1]) })).StatusCode);

    [Fact]
    public async Task Rejects_people_who_say_where_they_come_from() =>
        Assert.Equal(StatusCode.PermissionDenied, (await RefusedAsync(authority.Person("alice", "os:admin"), new AcceptRequest { SourceAddress = "192.0.2.7" })).StatusCode);

    [Theory]
    [InlineData("")]
    [InlineData("somewhere")]
    [InlineData("192.0.2.7", "a", "b", "c")]
    [InlineData("192.0.2.7", "")]
    [InlineData("192.0.2.7", "a\nb")]
    public async Task Rejects_a_node_that_says_nonsense_of_the_source(string source, params string[] forwardedBy) =>
        Assert.Equal(StatusCode.InvalidArgument, (await RefusedAsync(authority.Node("cp-1"), new AcceptRequest { SourceAddress = source, ForwardedBy = { forwardedBy } })).StatusCode);

    [Fact]
    public async Task Records_where_a_carried_handshake_that_fails_came_from_and_through_whom()
    {
        using var call = As(node, authority.Node("cp-1")).Accept(cancellationToken: Stop);
        await FirstAsync(call, new AcceptRequest { SourceAddress = "::ffff:192.0.2.7", ForwardedBy = { "cp-0" } });
        await call.RequestStream.WriteAsync(new AcceptRequest { Data = ByteString.CopyFromUtf8("GET / HTTP/1.1\r\n\r\n") }, Stop);

        // The connection is ended, and with it the call.
        Assert.False(await call.ResponseStream.MoveNext(Stop));
        var entry = await node.EntryAsync(e => e.Kind == EntryKind.HandshakeFailed);
        Assert.Equal(("192.0.2.7", "not-tls", "cp-0,cp-1"), (entry.Caller.SourceAddress, entry.Decision.ReasonId, string.Join(',', entry.Caller.ForwardedBy)));
    }

    [Fact]
    public async Task Counts_what_a_node_carries_as_the_nodes_own_whatever_it_says_of_the_source()
    {
        await using var small = await TestHost.StartAsync(authority: authority, name: "worker-2", limits: new ApiLimits { ConnectionsPerSource = 2 });
        var client = As(small, authority.Node("cp-1"));
        using var first = client.Accept(cancellationToken: Stop);
        await FirstAsync(first, new AcceptRequest { SourceAddress = "192.0.2.1" });
        using var second = client.Accept(cancellationToken: Stop);
        await FirstAsync(second, new AcceptRequest { SourceAddress = "192.0.2.2" });

        // The node's own connection and the first one carried are two.
        Assert.False(await second.ResponseStream.MoveNext(Stop));
        Assert.Equal("192.0.2.2", (await small.EntryAsync(e => e.Decision?.ReasonId == "too-many-connections")).Caller.SourceAddress);
    }

    [Fact]
    public async Task Stops_carrying_when_the_carriers_certificate_is_revoked()
    {
        var material = authority.Node("cp-1");
        using var call = As(node, material).Accept(cancellationToken: Stop);
        await FirstAsync(call, new AcceptRequest { SourceAddress = "192.0.2.7" });

        node.Revocations.Replace([material.Certificate.SerialNumber.ToLowerInvariant()], DateTimeOffset.UtcNow);

        await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Stop));
    }

    [Fact]
    public async Task Ends_a_stream_whose_first_message_never_comes_with_an_entry()
    {
        using var call = As(node, authority.Node("cp-1")).Accept(cancellationToken: Stop);
        await call.RequestStream.CompleteAsync();

        var refusal = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Stop));

        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        await node.EntryAsync(e => e.Kind == EntryKind.CallClosed && e.Outcome?.Status == "INVALID_ARGUMENT");
    }
}
