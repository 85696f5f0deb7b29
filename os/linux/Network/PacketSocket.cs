using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using Talos.Linux.Native;

namespace Talos.Linux.Network;

/// <summary>IPv4 packets of one link, with or without addresses on it. packet(7).</summary>
sealed unsafe class PacketSocket : IDisposable
{
    const ushort ProtocolIPv4 = 0x0800;
    const short Readable = 1;
    // struct sockaddr_ll: u16 family, be16 protocol, i32 index, u16 hatype, u8 pkttype, u8 halen, u8 addr[8]
    const int AddressBytes = 20, HardwareBytes = 6;

    readonly SafeFileHandle _socket;
    readonly byte[] _everybody;

    internal PacketSocket(int linkIndex)
    {
        var protocol = BinaryPrimitives.ReverseEndianness(ProtocolIPv4);
        var descriptor = Libc.socket(Libc.AddressFamilyPacket, Libc.SocketDatagram | Libc.SocketCloseOnExec, protocol);
        LinuxException.ThrowIfFailed(descriptor, "open a packet socket");
        _socket = new SafeFileHandle(descriptor, ownsHandle: true);
        _everybody = new byte[AddressBytes];
        BinaryPrimitives.WriteUInt16LittleEndian(_everybody, Libc.AddressFamilyPacket);
        BinaryPrimitives.WriteUInt16BigEndian(_everybody.AsSpan(2), ProtocolIPv4);
        BinaryPrimitives.WriteInt32LittleEndian(_everybody.AsSpan(4), linkIndex);
        _everybody[11] = HardwareBytes;
        _everybody.AsSpan(12, HardwareBytes).Fill(0xff);
        fixed (byte* address = _everybody)
            LinuxException.ThrowIfFailed(Libc.bind(descriptor, address, AddressBytes), $"listen on link {linkIndex}");
    }

    internal void Broadcast(ReadOnlySpan<byte> packet)
    {
        fixed (byte* data = packet, address = _everybody)
        {
            var sent = Libc.sendto((int)_socket.DangerousGetHandle(), data, (nuint)packet.Length, 0, address, AddressBytes);
            LinuxException.ThrowIfFailed(sent, "send a packet");
        }
    }

    /// <summary>The next packet, or 0 after the timeout.</summary>
    internal int Receive(Span<byte> buffer, TimeSpan timeout)
    {
        var descriptor = (int)_socket.DangerousGetHandle();
        var entry = new Libc.PollEntry { Descriptor = descriptor, Events = Readable };
        if (Libc.poll(&entry, 1, (int)Math.Max(0, timeout.TotalMilliseconds)) <= 0)
            return 0;
        fixed (byte* data = buffer)
            return (int)Math.Max(0, Libc.recv(descriptor, data, (nuint)buffer.Length, 0));
    }

    public void Dispose() => _socket.Dispose();
}
