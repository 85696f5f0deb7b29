using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Talos.AotSelfTest;

static class NetworkCases
{
    internal static void Run(Cases cases)
    {
        cases.Run("sockets: 40 connections echo", () => Echo().GetAwaiter().GetResult());

        cases.Run("sockets: a listener for both address families", () =>
        {
            using var listener = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
            listener.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
            listener.Listen();
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            client.Connect(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint!).Port);
            using var accepted = listener.Accept();
            Expect.True(((IPEndPoint)accepted.RemoteEndPoint!).Address.IsIPv4MappedToIPv6);
        });

        cases.Run("sockets: refusal has its text", () =>
        {
            using var client = new TcpClient();
            var refused = Expect.Throws<SocketException>(() => client.Connect(IPAddress.Loopback, 1));
            Expect.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
            Expect.True(refused.Message.Contains("refused", StringComparison.Ordinal));
        });

        cases.Run("sockets: datagrams", () =>
        {
            using var receiver = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
            using var sender = new UdpClient();
            sender.Send([1, 2, 3], 3, (IPEndPoint)receiver.Client.LocalEndPoint!);
            Expect.Equal(3, receiver.ReceiveAsync().Result.Buffer.Length);
        });

        cases.Run("sockets: unix, with the peer's credentials", () =>
        {
            const int SocketLevel = 1, PeerCredentials = 17; // socket(7): SOL_SOCKET, SO_PEERCRED
            var path = $"/tmp/self-test-{Environment.ProcessId}.sock";
            File.Delete(path);
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen();
            using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            client.Connect(new UnixDomainSocketEndPoint(path));
            using var accepted = listener.Accept();
            Span<byte> credentials = stackalloc byte[12];
            accepted.GetRawSocketOption(SocketLevel, PeerCredentials, credentials);
            Expect.Equal(Environment.ProcessId, BitConverter.ToInt32(credentials));
            File.Delete(path);
        });

        cases.Run("sockets: options", () =>
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 33);
            Expect.Equal(33, (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)!);
        });

        cases.Run("names: numbers and the host's own", () =>
        {
            Expect.Equal("127.0.0.1", Dns.GetHostAddresses("127.0.0.1")[0].ToString());
            Expect.True(Dns.GetHostName().Length > 0);
        });

        cases.Run("names: an unknown one is told", () =>
            Expect.True(Expect.Throws<SocketException>(() => Dns.GetHostAddresses("no-such-host.invalid")).SocketErrorCode != SocketError.Success));

        cases.Run("interfaces: loopback is listed", () =>
        {
            var loopback = NetworkInterface.GetAllNetworkInterfaces().First(i => i.NetworkInterfaceType == NetworkInterfaceType.Loopback);
            Expect.True(loopback.GetIPProperties().UnicastAddresses.Count > 0);
            Expect.True(loopback.GetIPStatistics().BytesReceived > 0);
        });
    }

    static async Task Echo()
    {
        const int Connections = 40;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var server = Task.Run(async () =>
        {
            for (var i = 0; i < Connections; i++)
            {
                using var socket = await listener.AcceptSocketAsync();
                var buffer = new byte[65536];
                for (int count; (count = await socket.ReceiveAsync(buffer)) > 0;) await socket.SendAsync(buffer.AsMemory(0, count));
            }
        });
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async _ =>
        {
            using var client = new TcpClient();
            await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
            var sent = RandomNumberGenerator.GetBytes(100_000);
            var writing = Task.Run(async () =>
            {
                await client.GetStream().WriteAsync(sent);
                client.Client.Shutdown(SocketShutdown.Send);
            });
            using var received = new MemoryStream();
            await client.GetStream().CopyToAsync(received);
            await writing;
            Expect.True(received.ToArray().AsSpan().SequenceEqual(sent));
        }));
        await server;
    }
}
