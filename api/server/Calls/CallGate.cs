using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using Talos.Policy;

namespace Talos.Api.Server;

/// <summary>
/// What every call passes: identity, then the record is opened, then policy, then the handler, then the record is closed.
/// A stream of requests is decided by its first message.
/// INVARIANT: a handler runs only after policy allowed the call and, unless policy says otherwise, after its opening is durable.
/// </summary>
sealed partial class CallGate(
    PolicyInForce policy, ApprovalBook approvals, CallRecord record, NodeDescription node, RevocationView revocations, TimeProvider time,
    ILogger<CallGate> log, CancellationToken stopping) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        var call = Begin(context);
        try
        {
            await AdmitAsync(call, request, context).ConfigureAwait(false);
            var response = await continuation(request, context).ConfigureAwait(false);
            await record.CloseAsync(call, StatusCode.OK, "").ConfigureAwait(false);
            return response;
        }
        catch (Exception e)
        {
            throw await EndAsync(call, e, context).ConfigureAwait(false);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var call = Begin(context);
        using var bounds = StreamBounds.Enter(context.GetHttpContext(), call.Caller, time, stopping);
        try
        {
            await AdmitAsync(call, request, context).ConfigureAwait(false);
            await continuation(request, responseStream, context).ConfigureAwait(false);
            await record.CloseAsync(call, StatusCode.OK, "").ConfigureAwait(false);
        }
        catch (Exception e)
        {
            throw await EndAsync(call, bounds.Reason ?? e, context).ConfigureAwait(false);
        }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var call = Begin(context);
        using var bounds = StreamBounds.Enter(context.GetHttpContext(), call.Caller, time, stopping);
        try
        {
            var opened = await OpenedStream<TRequest>.ReadAsync(requestStream, time, context.CancellationToken).ConfigureAwait(false);
            await AdmitAsync(call, opened.First, context).ConfigureAwait(false);
            var response = await continuation(opened, context).ConfigureAwait(false);
            await record.CloseAsync(call, StatusCode.OK, "").ConfigureAwait(false);
            return response;
        }
        catch (Exception e)
        {
            throw await EndAsync(call, bounds.Reason ?? e, context).ConfigureAwait(false);
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var call = Begin(context);
        using var bounds = StreamBounds.Enter(context.GetHttpContext(), call.Caller, time, stopping);
        try
        {
            var opened = await OpenedStream<TRequest>.ReadAsync(requestStream, time, context.CancellationToken).ConfigureAwait(false);
            await AdmitAsync(call, opened.First, context).ConfigureAwait(false);
            await continuation(opened, responseStream, context).ConfigureAwait(false);
            await record.CloseAsync(call, StatusCode.OK, "").ConfigureAwait(false);
        }
        catch (Exception e)
        {
            throw await EndAsync(call, bounds.Reason ?? e, context).ConfigureAwait(false);
        }
    }

    ServedCall Begin(ServerCallContext context)
    {
        var features = context.GetHttpContext().Features;
        var caller = features.Get<Caller>() ?? throw new InvalidOperationException("the connection did not come through the TLS gate");
        var call = new ServedCall(caller, context.Method, time.GetTimestamp());
        features.Set(call);
        return call;
    }
}
