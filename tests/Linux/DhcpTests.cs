using System.Net;
using Talos.Linux.Network;

namespace Talos.Linux.Tests;

public sealed class DhcpTests
{
    static readonly byte[] Hardware = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

    [Theory]
    [InlineData("offer.hex", DhcpType.Offer)]
    [InlineData("acknowledge.hex", DhcpType.Acknowledge)]
    public void Accepts_what_a_server_of_another_make_says(string file, object type)
    {
        var message = DhcpMessage.TryParse(UdpPacket.Payload(Vector(file), 68));

        Assert.NotNull(message);
        Assert.Equal(type, message.Type);
        Assert.Equal((IPAddress.Parse("10.0.2.15"), 24), (message.YourAddress, message.PrefixLength));
        Assert.Equal((IPAddress.Parse("10.0.2.2"), IPAddress.Parse("10.0.2.2")), (message.Gateway, message.Server));
        Assert.Equal([IPAddress.Parse("10.0.2.3")], message.Resolvers);
        Assert.Equal(TimeSpan.FromDays(1), message.Lease);
        Assert.Equal(Hardware, message.HardwareAddress);
    }

    [Theory]
    [InlineData("discover.hex")]
    [InlineData("request.hex")]
    public void Asks_as_that_server_understood(string file)
    {
        var packet = Vector(file);
        var transaction = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(32));
        var isRequest = file == "request.hex";
        var request = new DhcpMessage
        {
            Type = isRequest ? DhcpType.Request : DhcpType.Discover,
            Transaction = transaction,
            HardwareAddress = Hardware,
            Name = "talos",
            Requested = isRequest ? IPAddress.Parse("10.0.2.15") : null,
            Server = isRequest ? IPAddress.Parse("10.0.2.2") : null,
        };

        Assert.Equal(packet, UdpPacket.Broadcast(68, 67, request.ToBytes()));
    }

    [Fact]
    public void Accepts_an_acknowledgement()
    {
        var message = DhcpMessage.TryParse(Answer(
            [53, 1, 5], [1, 4, 255, 255, 255, 0], [3, 8, 10, 0, 2, 2, 10, 0, 2, 9], [6, 4, 10, 0, 2, 3], [51, 4, 0, 1, 0x51, 0x80], [54, 4, 10, 0, 2, 2], [0], [255]));

        Assert.NotNull(message);
        Assert.Equal(DhcpType.Acknowledge, message.Type);
        var lease = DhcpClient.ToLease(message);
        Assert.Equal((IPAddress.Parse("10.0.2.15"), 24, IPAddress.Parse("10.0.2.2")), (lease.Address, lease.PrefixLength, lease.Gateway));
        Assert.Equal([IPAddress.Parse("10.0.2.3")], lease.Resolvers);
        Assert.Equal((TimeSpan.FromHours(12), TimeSpan.FromHours(24)), (lease.RenewAfter, lease.Duration));
    }

    [Fact]
    public void Bounds_what_a_server_promises()
    {
        var shortest = DhcpClient.ToLease(DhcpMessage.TryParse(Answer([53, 1, 5], [51, 4, 0, 0, 0, 0], [58, 4, 0, 0, 0, 0]))!);
        var longest = DhcpClient.ToLease(DhcpMessage.TryParse(Answer([53, 1, 5], [51, 4, 255, 255, 255, 255], [58, 4, 255, 255, 255, 255]))!);

        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1)), (shortest.RenewAfter, shortest.Duration));
        Assert.Equal((TimeSpan.FromDays(7), TimeSpan.FromDays(7)), (longest.RenewAfter, longest.Duration));
        Assert.Equal(32, shortest.PrefixLength);
    }

    [Theory]
    [InlineData(new byte[] { 255, 255, 255, 255 }, 32)]
    [InlineData(new byte[] { 255, 255, 254, 0 }, 23)]
    [InlineData(new byte[] { 0, 0, 0, 0 }, 0)]
    [InlineData(new byte[] { 255, 0, 255, 0 }, null)]
    public void Reads_masks_without_holes(byte[] mask, int? prefix) =>
        Assert.Equal(prefix, DhcpMessage.TryParse(Answer([53, 1, 5], [1, 4, .. mask]))!.PrefixLength);

    [Fact]
    public void Rejects_what_is_no_answer()
    {
        var whole = Answer([53, 1, 5], [255]);
        for (var length = 0; length < DhcpMessage.FixedBytes + 3; length++)
            Assert.Null(DhcpMessage.TryParse(whole.AsSpan(0, length)));
        Assert.Null(DhcpMessage.TryParse(Answer([53, 1, 1])));
        Assert.Null(DhcpMessage.TryParse(Answer([53, 1, 5], [51, 9, 1])));
        Assert.Null(DhcpMessage.TryParse(Answer([53])));
        var cookie = Answer([53, 1, 5]);
        cookie[239] ^= 1;
        Assert.Null(DhcpMessage.TryParse(cookie));
    }

    [Fact]
    public void Survives_every_flipped_byte()
    {
        var whole = Answer([53, 1, 2], [1, 4, 255, 255, 255, 0], [3, 4, 10, 0, 2, 2], [54, 4, 10, 0, 2, 2], [255]);
        for (var at = 0; at < whole.Length; at++)
        {
            for (var value = 0; value < 256; value++)
            {
                var changed = (byte[])whole.Clone();
                changed[at] = (byte)value;
                _ = DhcpMessage.TryParse(changed) is { } message ? DhcpClient.ToLease(message) : null;
            }
        }
    }

    [Fact]
    public void Carries_a_datagram_there_and_back()
    {
        byte[] payload = [1, 2, 3];
        var packet = UdpPacket.Broadcast(68, 67, payload);

        Assert.Equal(payload, UdpPacket.Payload(packet, 67).ToArray());
        Assert.True(UdpPacket.Payload(packet, 68).IsEmpty);
        for (var length = 0; length < packet.Length; length++)
            Assert.True(UdpPacket.Payload(packet.AsSpan(0, length), 67).IsEmpty);
        // RFC 1071: the sum over a header with its checksum is all ones.
        var sum = 0;
        for (var i = 0; i < 20; i += 2)
            sum += packet[i] << 8 | packet[i + 1];
        Assert.Equal(0xffff, (sum & 0xffff) + (sum >> 16));
    }

    [Fact]
    public void Gets_and_renews_a_lease_over_a_cable() => RouteNetlinkTests.InNewNetwork(() =>
    {
        Cable.Plug("client", "server");
        using var network = new RouteNetlink();
        network.SetUp("client");
        network.SetUp("server");
        var links = network.Links();
        using var socket = new PacketSocket(links.Single(link => link.Name == "server").Index);
        var requests = new List<DhcpType>();
        var server = Serve(socket, requests, answers: 3);
        var client = new DhcpClient(links.Single(link => link.Name == "client"), "cp-1");

        var lease = client.Acquire();
        Assert.NotNull(lease);
        var renewed = client.Renew(lease);
        server.Join();

        Assert.Equal(IPAddress.Parse("10.0.2.15"), lease.Address);
        Assert.Equal(lease.Address, renewed!.Address);
        Assert.Equal([DhcpType.Discover, DhcpType.Request, DhcpType.Request], requests);
    });

    static Thread Serve(PacketSocket socket, List<DhcpType> requests, int answers)
    {
        var thread = new Thread(() =>
        {
            var buffer = new byte[1514];
            while (requests.Count < answers)
            {
                var length = socket.Receive(buffer, TimeSpan.FromSeconds(10));
                if (length == 0)
                    return;
                var request = UdpPacket.Payload(buffer.AsSpan(0, length), 67);
                if (request.IsEmpty)
                    continue;
                var type = (DhcpType)request[242];
                requests.Add(type);
                var answer = Answer([53, 1, (byte)(type == DhcpType.Discover ? DhcpType.Offer : DhcpType.Acknowledge)], [1, 4, 255, 255, 255, 0], [54, 4, 10, 0, 2, 2], [255]);
                request.Slice(4, 4).CopyTo(answer.AsSpan(4));
                request.Slice(28, 6).CopyTo(answer.AsSpan(28));
                socket.Broadcast(UdpPacket.Broadcast(67, 68, answer));
            }
        });
        thread.Start();
        return thread;
    }

    static byte[] Vector(string file) =>
        Convert.FromHexString(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "vectors", file)).ReplaceLineEndings(""));

    static byte[] Answer(params byte[][] options)
    {
        var bytes = new byte[DhcpMessage.FixedBytes];
        (bytes[0], bytes[1], bytes[2]) = (2, 1, 6);
        byte[] your = [10, 0, 2, 15];
        your.CopyTo(bytes, 16);
        Hardware.CopyTo(bytes, 28);
        byte[] cookie = [0x63, 0x82, 0x53, 0x63];
        cookie.CopyTo(bytes, 236);
        return [.. bytes, .. options.SelectMany(option => option)];
    }
}
