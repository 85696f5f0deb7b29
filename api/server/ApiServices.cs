using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Talos.Api.Server;

/// <summary>The gRPC services a host answers for.</summary>
public sealed class ApiServices
{
    readonly List<Action<IServiceCollection>> registrations = [];
    readonly List<Action<IEndpointRouteBuilder>> endpoints = [];

    /// <summary>Adds one service; the same instance answers every call, so it must be thread-safe.</summary>
    public ApiServices Add<[DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.PublicMethods | DynamicallyAccessedMemberTypes.NonPublicMethods)]
    TService>(TService service)
        where TService : class
    {
        registrations.Add(collection => collection.AddSingleton(service));
        endpoints.Add(builder => builder.MapGrpcService<TService>());
        return this;
    }

    internal void Register(IServiceCollection collection)
    {
        foreach (var registration in registrations) registration(collection);
    }

    internal void Map(IEndpointRouteBuilder builder)
    {
        foreach (var endpoint in endpoints) endpoint(builder);
    }
}
