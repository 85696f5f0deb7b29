using Grpc.Core;

namespace Talos.Osctl.Nodes;

/// <summary>Asks every node at once; what one node does has no influence on the others.</summary>
static class FanOut
{
    /// <param name="invocation">Says which nodes are meant.</param>
    /// <param name="ask">The call.</param>
    /// <param name="timeout">For a call that answers once.</param>
    /// <param name="withTrustd">The context's trustd is asked too, unless nodes are named.</param>
    public static async Task<IReadOnlyList<Answer<T>>> AskAsync<T>(
        Invocation invocation, Func<PeerConnection, CallOptions, Task<T>> ask, TimeSpan? timeout, bool withTrustd = false) where T : class
    {
        var credentials = invocation.Credentials();
        return await Task.WhenAll(invocation.Targets(withTrustd).Select(target => AskOneAsync(target)));

        async Task<Answer<T>> AskOneAsync(Target target)
        {
            using var connection = target.Connect(credentials, invocation.Terminal.Time);
            return await AskAsync(invocation, target, connection, ask, timeout);
        }
    }

    /// <summary>One call with its failure as a value. Being interrupted is none: it ends the whole command.</summary>
    public static async Task<Answer<T>> AskAsync<T>(Invocation invocation, Target target, PeerConnection connection, Func<PeerConnection, CallOptions, Task<T>> ask, TimeSpan? timeout) where T : class
    {
        try
        {
            DateTime? deadline = timeout is { } limit ? invocation.Terminal.Time.GetUtcNow().UtcDateTime + limit : null;
            return new Answer<T>(target, await ask(connection, new CallOptions(deadline: deadline, cancellationToken: invocation.Cancellation)), null);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException && invocation.Cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, invocation.Cancellation);
        }
        catch (RpcException e)
        {
            return new Answer<T>(target, null, CallFailure.From(e, connection, timeout, invocation.Terminal.Time.GetUtcNow()));
        }
    }
}
