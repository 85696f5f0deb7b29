using System.Net;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Talos.Api.Hosting;
using Talos.Policy;

namespace Talos.Api.Server;

/// <summary>
/// A gRPC server over TLS 1.3 in which every call is identified, recorded and decided by policy before a handler sees it.
/// A method that policy does not name stops the host from starting.
/// </summary>
public sealed partial class ApiHost : IAsyncDisposable
{
    readonly WebApplication application;
    readonly ApiHostOptions options;
    bool isPrepared, isStarted;

    ApiHost(WebApplication application, ApiHostOptions options)
    {
        this.application = application;
        this.options = options;
        Methods = [.. MethodsOf(application)];
    }

    /// <summary>Full gRPC names of all methods this host answers, in order.</summary>
    public IReadOnlyList<string> Methods { get; }

    /// <summary>Where the host listens, once it was started.</summary>
    public IPEndPoint Endpoint =>
        // The first is the socket's; a relay's door has no address.
        IPEndPoint.Parse(new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Authority);

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
        return new ApiHost(Build(options, services), options);
    }

    /// <summary>Puts policy in force, so that <see cref="StartAsync"/> has only to listen; for who waits for something else meanwhile.</summary>
    /// <exception cref="PolicyException">No rule names some of the methods; the exception does.</exception>
    public void Prepare()
    {
        if (isPrepared || options.Maintenance is not null) return;
        options.Policy!.Start(Methods, options.Audit!, options.Time, application.Services.GetRequiredService<ILogger<PolicyInForce>>());
        isPrepared = true;
    }

    /// <summary>Checks that policy names every method, then listens.</summary>
    /// <exception cref="PolicyException">No rule names some of the methods; the exception does.</exception>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        Prepare();
        await application.StartAsync(cancellation).ConfigureAwait(false);
        isStarted = true;
    }

    /// <summary>Takes no more connections, lets calls end for a moment, then ends them.</summary>
    public Task StopAsync() => application.StopAsync();

    /// <summary>Returns when the host has stopped.</summary>
    public Task WaitAsync() => application.WaitForShutdownAsync();

    /// <summary>Stops first: a call that is still open would otherwise find the services that it needs gone.</summary>
    public async ValueTask DisposeAsync()
    {
        if (isStarted) await application.StopAsync().ConfigureAwait(false);
        await application.DisposeAsync().ConfigureAwait(false);
    }

    // What is mapped, not what the .proto files say: a method that a host answers without its descriptor would be missed otherwise.
    static IEnumerable<string> MethodsOf(WebApplication application) =>
        ((IEndpointRouteBuilder)application).DataSources
            .SelectMany(source => source.Endpoints)
            .Select(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.FullName)
            .OfType<string>()
            .Distinct()
            .Order(StringComparer.Ordinal);
}
