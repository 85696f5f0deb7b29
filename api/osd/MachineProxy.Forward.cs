using Grpc.Core;
using Talos.Api.Server;

namespace Talos.Osd;

sealed partial class MachineProxy
{
    internal static async Task<TResponse> Unary<TRequest, TResponse>(
        Func<TRequest, CallOptions, AsyncUnaryCall<TResponse>> method, TRequest request, ServerCallContext context)
    {
        try
        {
            using var call = method(request, Options(context, LongestUnary));
            return await call.ResponseAsync.ConfigureAwait(false);
        }
        catch (RpcException e) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw Translate(e);
        }
    }

    internal static async Task Stream<TRequest, TResponse>(
        Func<TRequest, CallOptions, AsyncServerStreamingCall<TResponse>> method, TRequest request, IServerStreamWriter<TResponse> answers,
        ServerCallContext context)
    {
        try
        {
            using var call = method(request, Options(context, longest: null));
            await foreach (var item in call.ResponseStream.ReadAllAsync(context.CancellationToken).ConfigureAwait(false))
                await answers.WriteAsync(item, context.CancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw Translate(e);
        }
    }

    static CallOptions Options(ServerCallContext context, TimeSpan? longest)
    {
        // The caller's own deadline cancels the token; machined gets no deadline that it would have to compare with another clock.
        var options = new CallOptions(cancellationToken: context.CancellationToken);
        return longest is { } limit && context.Deadline == DateTime.MaxValue ? options.WithDeadline(TimeProvider.System.GetUtcNow().UtcDateTime + limit) : options;
    }

    /// <summary>machined's status reaches the caller with its reason and hint; that machined is away is said as such.</summary>
    static Exception Translate(RpcException failure)
    {
        var reason = failure.Trailers.GetValue(RefusalException.ReasonTrailer);
        if (failure.StatusCode == StatusCode.Unavailable && reason is null)
        {
            return new RefusalException(RefusalReason.BackendUnavailable, "machined does not answer")
            {
                Hint = "it is started again by itself; ask once more in a few seconds",
            };
        }
        var trailers = new Metadata();
        foreach (var entry in failure.Trailers)
            if (entry.Key is RefusalException.ReasonTrailer or RefusalException.HintTrailer) trailers.Add(entry);
        return new RpcException(failure.Status, trailers);
    }
}
