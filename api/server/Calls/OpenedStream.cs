using Grpc.Core;

namespace Talos.Api.Server;

/// <summary>A stream of requests whose first message was read, for policy to see what the call is about; its reader gets that message first.</summary>
sealed class OpenedStream<TRequest> : IAsyncStreamReader<TRequest>
    where TRequest : class
{
    // Long enough for a message over a bad line, and short of what a silent stream may hold.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    readonly IAsyncStreamReader<TRequest> rest;
    bool isFirstNext;

    OpenedStream(IAsyncStreamReader<TRequest> rest, TRequest? first)
    {
        this.rest = rest;
        First = first;
        isFirstNext = first is not null;
    }

    /// <summary>Null when no message came in time, or the stream ended without one. Its reader finds the stream ended.</summary>
    public TRequest? First { get; }

    public TRequest Current { get; private set; } = null!;

    public static async Task<OpenedStream<TRequest>> ReadAsync(IAsyncStreamReader<TRequest> stream, TimeProvider time, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            return new(stream, await stream.MoveNext(linked.Token).ConfigureAwait(false) ? stream.Current : null);
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException or IOException && linked.IsCancellationRequested)
        {
            return new(stream, null);
        }
    }

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (First is null) return false;
        if (isFirstNext)
        {
            isFirstNext = false;
            Current = First;
            return true;
        }
        if (!await rest.MoveNext(cancellationToken).ConfigureAwait(false)) return false;
        Current = rest.Current;
        return true;
    }
}
