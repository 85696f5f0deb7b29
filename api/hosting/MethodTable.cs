using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace Talos.Api.Hosting;

// What the library activates for each call. It derives from no generated class, or the library would bind that one's methods a second time.
sealed class Bound<TService>(TService service)
{
    internal TService Service => service;
}

sealed class MethodProvider<TService>(string name, Action<MethodTable<TService>> bind) : IServiceMethodProvider<Bound<TService>>
    where TService : class
{
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<Bound<TService>> context) => bind(new MethodTable<TService>(name, context));
}

sealed class MethodTable<TService>(string service, ServiceMethodProviderContext<Bound<TService>> context)
    where TService : class
{
    internal MethodTable<TService> Unary<TRequest, TResponse>(
        string name, MessageParser<TRequest> parser, Func<TService, TRequest, ServerCallContext, Task<TResponse>> call)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        context.AddUnaryMethod(Name<TRequest, TResponse>(MethodType.Unary, name, parser), [], (bound, request, callContext) => call(bound.Service, request, callContext));
        return this;
    }

    internal MethodTable<TService> ServerStreaming<TRequest, TResponse>(
        string name, MessageParser<TRequest> parser, Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task> call)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        context.AddServerStreamingMethod(
            Name<TRequest, TResponse>(MethodType.ServerStreaming, name, parser), [], (bound, request, writer, callContext) => call(bound.Service, request, writer, callContext));
        return this;
    }

    internal MethodTable<TService> DuplexStreaming<TRequest, TResponse>(
        string name, MessageParser<TRequest> parser, Func<TService, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task> call)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        context.AddDuplexStreamingMethod(
            Name<TRequest, TResponse>(MethodType.DuplexStreaming, name, parser), [], (bound, reader, writer, callContext) => call(bound.Service, reader, writer, callContext));
        return this;
    }

    Method<TRequest, TResponse> Name<TRequest, TResponse>(MethodType type, string name, MessageParser<TRequest> parser)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse> =>
        new(type, service, name, new(Unsent, context => parser.ParseFrom(context.PayloadAsReadOnlySequence())), new(Write, Unread<TResponse>));

    static void Write<TResponse>(TResponse message, SerializationContext context)
        where TResponse : IMessage<TResponse>
    {
        context.SetPayloadLength(message.CalculateSize());
        message.WriteTo(context.GetBufferWriter());
        context.Complete();
    }

    // A server sends no requests and reads no answers.
    static void Unsent<TRequest>(TRequest message, SerializationContext context) => throw new NotSupportedException();

    static TResponse Unread<TResponse>(DeserializationContext context) => throw new NotSupportedException();
}
