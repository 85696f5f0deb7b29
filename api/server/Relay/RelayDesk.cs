using System.Net;
using Grpc.Core;
using Talos.Api.Configuration;
using Talos.Api.Relay.V1;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>
/// Carries callers' connections to other nodes, and takes those that other nodes carry here. A carried connection begins with the caller's own TLS
/// handshake, so the node at its end identifies, decides and records as ever; a node in between never speaks for anybody.
/// </summary>
/// <param name="own">What this node shows to the others.</param>
/// <param name="door">Where connections that are for this node go.</param>
public sealed class RelayDesk(string cluster, TrustSlot own, RelayDoor door, TimeProvider time) : RelayService.RelayServiceBase
{
    // LIMIT: connections carried at a time; each costs two TLS connections' buffers, about 100 KiB.
    const int MaxCarried = 64;

    // LIMIT: nodes on the way; with more, a connection could be sent round in a circle.
    const int MaxHops = 3;

    // RFC 1035 §2.3.4.
    const int MaxName = 253;

    int carried;

    public override async Task Connect(IAsyncStreamReader<ConnectRequest> requestStream, IServerStreamWriter<Carried> responseStream, ServerCallContext context)
    {
        var caller = ServedCall.Of(context).Caller;
        var cancellation = context.CancellationToken;
        var first = await FirstAsync(requestStream, cancellation).ConfigureAwait(false);
        if (!Endpoint.TryParse(first.Node, null, out var endpoint))
            throw new RefusalException(RefusalReason.InvalidRequest, $"`{Shorten(first.Node)}` is no address of a node") { Hint = "an address looks like `10.0.0.7:50000` or `worker-1.example:50000`" };
        if (caller.ForwardedBy.Count >= MaxHops)
            throw new RefusalException(RefusalReason.InvalidRequest, $"the connection was carried by {MaxHops} nodes already") { Hint = "name a node that is closer" };
        if (own.Current is not { Roots: { } roots } material)
            throw new RefusalException(RefusalReason.BackendUnavailable, "this node has no certificate to show to others yet");
        try
        {
            if (Interlocked.Increment(ref carried) > MaxCarried)
                throw new RefusalException(RefusalReason.TooManyRequests, $"this node carries {MaxCarried} connections already") { Hint = "go through another node, or later" };
            var check = new ServerCheck(endpoint, roots, cluster, time) { Kind = PeerKind.Node };
            using var channel = ServerCheck.Open(endpoint, check, material);
            using var onward = new RelayService.RelayServiceClient(channel).Accept(cancellationToken: cancellation);
            try
            {
                await onward.RequestStream.WriteAsync(
                    new AcceptRequest { SourceAddress = caller.Source.ToString(), ForwardedBy = { caller.ForwardedBy }, Data = RelayBytes.Bounded(first.Data) }, cancellation).ConfigureAwait(false);
                await CarryAsync(requestStream, onward, responseStream, cancellation).ConfigureAwait(false);
            }
            catch (RpcException e) when (!cancellation.IsCancellationRequested)
            {
                throw Refusal(endpoint, check, e);
            }
        }
        finally
        {
            Interlocked.Decrement(ref carried);
        }
    }

    public override async Task Accept(IAsyncStreamReader<AcceptRequest> requestStream, IServerStreamWriter<Carried> responseStream, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        if (call.Caller.Identity is not { Kind: PeerKind.Node } node)
            throw new RefusalException(RefusalReason.NotAllowed, "only nodes carry connections") { Id = "not-a-node" };
        var first = await FirstAsync(requestStream, context.CancellationToken).ConfigureAwait(false);
        var connection = new RelayedConnection($"{call.OpenedIndex}@{node.Name}", OriginOf(first, call.Caller, node.Name));
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, connection.ConnectionClosed);
        if (!door.TryEnter(connection)) throw new RefusalException(RefusalReason.Stopping, "this node takes no more connections");
        try
        {
            // Empty: the connection is taken. What follows is the server's side of the caller's own TLS.
            await responseStream.WriteAsync(new Carried(), ending.Token).ConfigureAwait(false);
            if (first.Data.Length > 0) await connection.FromCaller.WriteAsync(RelayBytes.Bounded(first.Data).Memory, ending.Token).ConfigureAwait(false);
            var receiving = ReceiveAsync(requestStream, connection, ending.Token);
            await RelayBytes.SendAsync(connection.ToCaller, responseStream, ending.Token).ConfigureAwait(false);
            await ending.CancelAsync().ConfigureAwait(false);
            await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            // The server ended the connection: its certificate was revoked, or it broke the protocol. That is the inner connection's affair.
        }
        finally
        {
            await connection.FromCaller.CompleteAsync().ConfigureAwait(false);
            await connection.ToCaller.CompleteAsync().ConfigureAwait(false);
        }
    }

    static async Task ReceiveAsync(IAsyncStreamReader<AcceptRequest> requests, RelayedConnection connection, CancellationToken cancellation)
    {
        await RelayBytes.ReceiveAsync(requests, connection.FromCaller, cancellation).ConfigureAwait(false);
        await connection.FromCaller.CompleteAsync().ConfigureAwait(false);
    }

    static async Task CarryAsync(
        IAsyncStreamReader<ConnectRequest> requests, AsyncDuplexStreamingCall<AcceptRequest, Carried> onward, IServerStreamWriter<Carried> answers, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var sending = SendAsync();
        try
        {
            while (await onward.ResponseStream.MoveNext(cancellation).ConfigureAwait(false))
                await answers.WriteAsync(onward.ResponseStream.Current, cancellation).ConfigureAwait(false);
        }
        finally
        {
            // Whatever the other node says last decides; what the caller still sends has nowhere to go.
            await ending.CancelAsync().ConfigureAwait(false);
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task SendAsync()
        {
            while (await requests.MoveNext(ending.Token).ConfigureAwait(false))
                await onward.RequestStream.WriteAsync(new AcceptRequest { Data = RelayBytes.Bounded(requests.Current.Data) }, ending.Token).ConfigureAwait(false);
            await onward.RequestStream.CompleteAsync().ConfigureAwait(false);
        }
    }

    static async Task<T> FirstAsync<T>(IAsyncStreamReader<T> requests, CancellationToken cancellation) =>
        await requests.MoveNext(cancellation).ConfigureAwait(false)
            ? requests.Current
            : throw new RefusalException(RefusalReason.InvalidRequest, "the stream ended before its first message");

    static Origin OriginOf(AcceptRequest first, Caller caller, string node)
    {
        if (!IPAddress.TryParse(first.SourceAddress, out var source))
            throw new RefusalException(RefusalReason.InvalidRequest, $"`{Shorten(first.SourceAddress)}` is no address that a connection comes from");
        if (first.ForwardedBy.Count >= MaxHops || first.ForwardedBy.Any(name => name.Length is 0 or > MaxName || name.Any(c => c is <= ' ' or > '~')))
            throw new RefusalException(RefusalReason.InvalidRequest, $"`forwarded_by` holds fewer than {MaxHops} names of nodes");
        return new Origin(Origin.Plain(source), caller.Source, [.. first.ForwardedBy, node]);
    }

    static RefusalException Refusal(Endpoint endpoint, ServerCheck check, RpcException e)
    {
        if (check.Fault is { } fault) return new RefusalException(RefusalReason.BackendUnavailable, $"whoever answers at {endpoint} is no node of this cluster: {fault}");
        // The other node's own words where it has some: it was reached, and refused.
        if (e.Trailers.GetValue(RefusalException.ReasonTrailer) is { } reason) return new RefusalException(RefusalReason.BackendUnavailable, $"{endpoint} does not take the connection: {e.Status.Detail}") { Id = reason };
        return new RefusalException(RefusalReason.BackendUnavailable, $"{endpoint} cannot be reached from here") { Hint = "is the node up, and is this the address by which the other node knows it?" };
    }

    static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
