using System.Net;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Talos.Api.Hosting;
using Talos.Policy;

namespace Talos.Api.Server;

public sealed partial class ApiHost
{
    static WebApplication Build(ApiHostOptions options, ApiServices services)
    {
        // The other builders watch the content root recursively; with `/` as working directory that is all of /proc and /sys.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Talos", LogLevel.Information);
        // A refused call is an answer, not an event for the log; it is on the record.
        builder.Logging.AddFilter("Grpc", LogLevel.Error);
        builder.Logging.AddProvider(options.Log ?? new LineLog());
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Limits.Drain);
        AddGates(builder.Services, options);
        services.Register(builder.Services);
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = options.Limits.RequestBytes;
            grpc.EnableDetailedErrors = false;
            grpc.IgnoreUnknownServices = true;
            if (options.Maintenance is null) grpc.Interceptors.Add<CallGate>();
            else grpc.Interceptors.Add<MaintenanceGate>();
        });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Limit(kestrel, options));
        // After Kestrel's own, which gives way to one that is there before it.
        if (options.Relay is { } relay) builder.Services.AddSingleton<IConnectionListenerFactory>(relay);

        var application = builder.Build();
        application.UseRouting();
        var unserved = new UnservedCalls(application.Services.GetService<CallRecord>(), options.Limits, options.TooLarge, options.Time);
        application.Use((context, next) => unserved.InvokeAsync(context, next));
        services.Map(application);
        return application;
    }

    static void AddGates(IServiceCollection services, ApiHostOptions options)
    {
        var connections = new LiveConnections(options.Limits.ConnectionsPerSource, options.Time);
        options.Revocations.Revoked += connections.Close;
        services.AddSingleton(provider => new TlsGate(
            options.Trust, options.ClientCertificates, options.Limits, connections, new PeerCheck(options.Node.Cluster, options.Revocations, options.Time),
            new HandshakeRecord(options.Audit, options.Time, provider.GetRequiredService<ILogger<HandshakeRecord>>()), options.Time));
        if (options.Maintenance is { } maintenance)
        {
            services.AddSingleton(new MaintenanceGate(maintenance));
            return;
        }
        services.AddSingleton(provider => new CallRecord(options.Audit!, options.Time, provider.GetRequiredService<ILogger<CallRecord>>()));
        services.AddSingleton(provider => new CallGate(
            options.Policy!, options.Approvals ?? new ApprovalBook(options.Time, ApiLimits.ApprovalLifetime), provider.GetRequiredService<CallRecord>(),
            options.Node, options.Revocations, options.Time, provider.GetRequiredService<ILogger<CallGate>>(),
            provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping));
    }

    static void Limit(KestrelServerOptions kestrel, ApiHostOptions options)
    {
        var limits = options.Limits;
        kestrel.AddServerHeader = false;
        kestrel.AllowAlternateSchemes = false;
        kestrel.Limits.MaxConcurrentConnections = limits.Connections;
        // gRPC looks at the size of each message and refuses with a status; this only bounds what goes on around it.
        kestrel.Limits.MaxRequestBodySize = limits.RequestBytes + (64 << 10);
        kestrel.Limits.MaxRequestHeadersTotalSize = limits.HeaderBytes;
        kestrel.Limits.RequestHeadersTimeout = limits.Handshake;
        kestrel.Limits.Http2.MaxStreamsPerConnection = limits.StreamsPerConnection;
        kestrel.Limits.Http2.MaxRequestHeaderFieldSize = limits.HeaderBytes;
        // A peer whose machine lost power is noticed after at most 50 s, and its streams end.
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
        kestrel.Listen(options.Listen, Guard);
        if (options.Relay is { } relay) kestrel.Listen(relay.EndPoint, Guard);
    }

    static void Guard(ListenOptions listener)
    {
        listener.Protocols = HttpProtocols.Http2;
        var gate = listener.ApplicationServices.GetRequiredService<TlsGate>();
        listener.Use(next => gate.Wrap(next));
    }
}
