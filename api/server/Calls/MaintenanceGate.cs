using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Talos.Api.Server;

/// <summary>Stands where the call gate stands on a node that has no trust, no policy and no place for a record yet.</summary>
sealed class MaintenanceGate(MaintenanceMode mode) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Require(context);
        return continuation(request, context);
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Require(context);
        return continuation(request, responseStream, context);
    }

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Require(context);
        return continuation(requestStream, context);
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Require(context);
        return continuation(requestStream, responseStream, context);
    }

    void Require(ServerCallContext context)
    {
        if (mode.OpenMethods.Contains(context.Method)) return;
        throw new RefusalException(RefusalReason.Maintenance, $"the node is in maintenance: {mode.Reason}")
        {
            Hint = "give the node a valid configuration and start it again",
        }.ToRpc();
    }
}
