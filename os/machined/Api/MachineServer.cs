using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Talos.Api.Hosting;
using Talos.Linux.Processes;

namespace Talos.Machined.Api;

/// <summary>MachineService and ComplianceService on a unix socket, for the users named alone.</summary>
static class MachineServer
{
    // LIMIT: no request of MachineService is larger than a path.
    const int RequestBytesMaximum = 64 << 10;

    /// <param name="allowedUsers">Checked by SO_PEERCRED on every connection; the socket's mode alone would trust whoever may reach it.</param>
    internal static WebApplication Create(string socketPath, IReadOnlyCollection<uint> allowedUsers, MachineHandler handler, ComplianceHandler compliance)
    {
        // Not one of the builders with defaults: they watch the content root, which is / here, with all of /proc and /sys.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        File.Delete(socketPath);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.ListenUnixSocket(socketPath, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(next => connection =>
                {
                    var socket = connection.Features.Get<IConnectionSocketFeature>()?.Socket;
                    if (socket is not null && allowedUsers.Contains(SocketPeer.Of(socket).User))
                        return next(connection);
                    connection.Abort();
                    return Task.CompletedTask;
                });
            });
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = RequestBytesMaximum;
            options.EnableDetailedErrors = false;
        });
        var services = new ApiServices().Add(handler).Add(compliance);
        services.Register(builder.Services);
        var application = builder.Build();
        application.UseRouting();
        services.Map(application);
        return application;
    }
}
