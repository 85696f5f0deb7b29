using Grpc.AspNetCore.Server.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Talos.Api.Hosting;

/// <summary>
/// The gRPC services a host answers for. Their methods are named here one by one: the library's own way, through the generated
/// <c>BindService</c>, makes a NativeAOT executable put generic code together at run time, a third of the start of a small service. Nor
/// are descriptors asked: making those is reflection over every message of a contract.
/// </summary>
public sealed partial class ApiServices
{
    readonly List<Action<IServiceCollection>> _registrations = [];
    readonly List<Action<IEndpointRouteBuilder>> _endpoints = [];

    /// <summary>Makes the services known to the host that is being built.</summary>
    public void Register(IServiceCollection collection)
    {
        foreach (var registration in _registrations) registration(collection);
    }

    /// <summary>Opens their methods.</summary>
    public void Map(IEndpointRouteBuilder builder)
    {
        foreach (var endpoint in _endpoints) endpoint(builder);
    }

    // The same instance answers every call, so it must be thread-safe.
    ApiServices Add<TService>(TService service, string name, Action<MethodTable<TService>> bind)
        where TService : class
    {
        _registrations.Add(collection => collection
            .AddSingleton(new Bound<TService>(service))
            .AddSingleton<IServiceMethodProvider<Bound<TService>>>(new MethodProvider<TService>(name, bind)));
        _endpoints.Add(builder => builder.MapGrpcService<Bound<TService>>());
        return this;
    }
}
