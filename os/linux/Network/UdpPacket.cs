using System.Buffers.Binary;
using System.Net;

namespace Talos.Linux.Network;

/// <summary>A UDP datagram in an IPv4 packet without options. RFC 791 §3.1, RFC 768.</summary>
static class UdpPacket
{
    const int AddressHeaderBytes = 20, PortHeaderBytes = 8;
    const byte Version4 = 0x45, TimeToLive = 64, Udp = 17;

    /// <summary>From no address to everybody on the link.</summary>
    internal static byte[] Broadcast(ushort sourcePort, ushort port, ReadOnlySpan<byte> payload)
    {
        var packet = new byte[AddressHeaderBytes + PortHeaderBytes + payload.Length];
        packet[0] = Version4;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        packet[8] = TimeToLive;
        packet[9] = Udp;
        IPAddress.Broadcast.TryWriteBytes(packet.AsSpan(16), out _);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), Checksum(packet.AsSpan(0, AddressHeaderBytes)));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(20), sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(22), port);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(24), (ushort)(PortHeaderBytes + payload.Length));
        // RFC 768: a checksum of zero means that none was made.
        payload.CopyTo(packet.AsSpan(AddressHeaderBytes + PortHeaderBytes));
        return packet;
    }

    /// <summary>The datagram to <paramref name="port"/> that the packet holds, or empty.</summary>
    /// <remarks>NOTE: checksums are not verified: a packet from the same host comes without (virtio leaves them to hardware).</remarks>
    internal static ReadOnlySpan<byte> Payload(ReadOnlySpan<byte> packet, ushort port)
    {
        if (packet.Length < AddressHeaderBytes || packet[0] >> 4 != 4 || packet[9] != Udp)
            return [];
        var headerBytes = (packet[0] & 15) * 4;
        var total = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        // RFC 791 §3.2: a fragment is not a whole datagram.
        var isFragment = (BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) & 0x3fff) != 0;
        if (isFragment || headerBytes < AddressHeaderBytes || total > packet.Length || total < headerBytes + PortHeaderBytes)
            return [];
        var datagram = packet[headerBytes..total];
        var length = BinaryPrimitives.ReadUInt16BigEndian(datagram[4..]);
        if (BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]) != port || length < PortHeaderBytes || length > datagram.Length)
            return [];
        return datagram[PortHeaderBytes..length];
    }

    /// <summary>RFC 1071.</summary>
    static ushort Checksum(ReadOnlySpan<byte> header)
    {
        uint sum = 0;
        for (var i = 0; i < header.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(header[i..]);
        while (sum >> 16 != 0)
            sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }
}
