using System.Net.Sockets;
using Grpc.Net.Client;
using Talos.Api.Compliance.V1;
using Talos.Api.Machine.V1;

namespace Talos.Machined.Tests;

/// <summary>A client of machined's unix socket.</summary>
sealed class MachinedSocket : IDisposable
{
    readonly GrpcChannel _channel;

    internal MachinedSocket(string path)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        _channel = GrpcChannel.ForAddress("http://machined", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        Client = new MachineService.MachineServiceClient(_channel);
        Compliance = new ComplianceService.ComplianceServiceClient(_channel);
    }

    internal MachineService.MachineServiceClient Client { get; }

    internal ComplianceService.ComplianceServiceClient Compliance { get; }

    public void Dispose() => _channel.Dispose();
}
