using System.Net;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Talos.Policy;

namespace Talos.Api.Server;

/// <summary>
/// A gRPC server over TLS 1.3 in which every call is identified, recorded and decided by policy before a handler sees it.
/// A method that policy does not name stops the host from starting.
/// </summary>
public sealed partial class ApiHost : IAsyncDisposable
{
    readonly WebApplication application;
    readonly AuthorizerSlot authorizer;

    ApiHost(WebApplication application, AuthorizerSlot authorizer)
    {
        this.application = application;
        this.authorizer = authorizer;
        Methods = [.. MethodsOf(application)];
    }

    /// <summary>Full gRPC names of all methods this host answers, in order.</summary>
    public IReadOnlyList<string> Methods { get; }

    /// <summary>What decides calls; lets another bundle be put in force. Null before the start and in maintenance.</summary>
    public Authorizer? Authorizer => authorizer.Current;

    /// <summary>Where the host listens, once it was started.</summary>
    public IPEndPoint Endpoint =>
        IPEndPoint.Parse(new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Authority);

    /// <summary>Ends when the process was asked to stop (SIGTERM, SIGINT) or <see cref="StopAsync"/> was called.</summary>
    public CancellationToken Stopping => application.Lifetime.ApplicationStopping;

    /// <summary>Puts the host together; nothing listens yet.</summary>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public static ApiHost Create(ApiHostOptions options, ApiServices services)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(services);
        if (options.Maintenance is null && (options.Policy is null || options.Audit is null))
            throw new ArgumentException("a host needs a policy and a record unless it is in maintenance", nameof(options));
        var slot = new AuthorizerSlot();
        var application = Build(options, services, slot);
        var host = new ApiHost(application, slot);
        if (options.Maintenance is null) (slot.Bundle, slot.Issuance) = (options.Policy, options.Issuance);
        return host;
    }

    /// <summary>Checks that policy names every method, then listens.</summary>
    /// <exception cref="PolicyException">No rule names some of the methods; the exception does.</exception>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        if (authorizer.Bundle is { } bundle) authorizer.Current = Talos.Policy.Authorizer.Create(bundle, Methods, issuance: authorizer.Issuance);
        await application.StartAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Takes no more connections, lets calls end for a moment, then ends them.</summary>
    public Task StopAsync() => application.StopAsync();

    /// <summary>Returns when the host has stopped.</summary>
    public Task WaitAsync() => application.WaitForShutdownAsync();

    public ValueTask DisposeAsync() => application.DisposeAsync();

    // What is mapped, not what the .proto files say: a method that a host answers without its descriptor would be missed otherwise.
    static IEnumerable<string> MethodsOf(WebApplication application) =>
        ((IEndpointRouteBuilder)application).DataSources
            .SelectMany(source => source.Endpoints)
            .Select(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.FullName)
            .OfType<string>()
            .Distinct()
            .Order(StringComparer.Ordinal);
}

/// <summary>The authorizer of a host, which can be made only after the host knows its methods.</summary>
sealed class AuthorizerSlot
{
    volatile Authorizer? current;

    public PolicyBundle? Bundle { get; set; }

    public IssuancePolicy? Issuance { get; set; }

    public Authorizer? Current { get => current; set => current = value; }

    public Authorizer Required => current ?? throw new InvalidOperationException("the host was not started");
}
