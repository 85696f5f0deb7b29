using System.Net.Sockets;
using Grpc.Net.Client;

namespace Talos.Osd;

/// <summary>The way to machined: HTTP/2 without TLS over a unix socket that only osd's user may open.</summary>
static class MachineSocket
{
    public static GrpcChannel Open(string path)
    {
        var endpoint = new UnixDomainSocketEndPoint(path);
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            EnableMultipleHttp2Connections = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(endpoint, cancellation).ConfigureAwait(false);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        return GrpcChannel.ForAddress("http://machined", new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            // machined may restart under us; its own messages are bounded by what it reads from the node.
            MaxReceiveMessageSize = 8 << 20,
        });
    }
}
