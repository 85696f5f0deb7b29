using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Microsoft.Win32.SafeHandles;
using Talos.Linux.Native;

namespace Talos.Linux.Network;

/// <summary>A network interface.</summary>
/// <param name="HardwareAddress">Empty where there is none.</param>
/// <param name="HasCarrier">The other end of the cable is there.</param>
public sealed record Link(int Index, string Name, byte[] HardwareAddress, uint MaximumTransfer, bool IsUp, bool HasCarrier, bool IsLoopback);

/// <summary>An address of an interface.</summary>
public sealed record LinkAddress(int LinkIndex, IPAddress Address, int PrefixLength);

/// <summary>Links, addresses and routes of the caller's network namespace. rtnetlink(7).</summary>
public sealed unsafe partial class RouteNetlink : IDisposable
{
    // linux/netlink.h
    const ushort Request = 1, Acknowledge = 4, Replace = 0x100, Create = 0x400, Dump = 0x300;
    const ushort TypeError = 2, TypeDone = 3;
    // LIMIT: the kernel's own dump buffer; more comes in further datagrams.
    const int ReceiveBytes = 32 << 10;

    readonly SafeFileHandle _socket;
    readonly byte[] _buffer = new byte[ReceiveBytes];
    uint _sequence;

    /// <exception cref="LinuxException">No netlink here.</exception>
    public RouteNetlink()
    {
        var descriptor = Libc.socket(Libc.AddressFamilyNetlink, Libc.SocketRaw | Libc.SocketCloseOnExec, 0);
        LinuxException.ThrowIfFailed(descriptor, "open a netlink socket");
        _socket = new SafeFileHandle(descriptor, ownsHandle: true);
    }

    public void Dispose() => _socket.Dispose();

    void Change(NetlinkMessage message, string operation)
    {
        Send(message, operation);
        Receive(operation, (_, _) => { });
    }

    void Send(NetlinkMessage message, string operation)
    {
        var bytes = message.Finish();
        fixed (byte* p = bytes)
            LinuxException.ThrowIfFailed(Libc.sendto(Descriptor, p, (nuint)bytes.Length, 0, null, 0), operation);
    }

    /// <summary>Takes messages up to the acknowledgement or the end of a dump.</summary>
    void Receive(string operation, Action<ushort, ReadOnlyMemory<byte>> message)
    {
        while (true)
        {
            nint received;
            fixed (byte* p = _buffer)
                received = Libc.recv(Descriptor, p, (nuint)_buffer.Length, 0);
            LinuxException.ThrowIfFailed(received, operation);
            var rest = _buffer.AsMemory(0, (int)received);
            while (rest.Length >= NetlinkMessage.HeaderBytes)
            {
                var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(rest.Span);
                if (length < NetlinkMessage.HeaderBytes || length > rest.Length)
                    throw new LinuxException(operation + ": malformed answer", Errno.Invalid);
                var type = BinaryPrimitives.ReadUInt16LittleEndian(rest.Span[4..]);
                var body = rest[NetlinkMessage.HeaderBytes..length];
                if (BinaryPrimitives.ReadUInt32LittleEndian(rest.Span[8..]) == _sequence)
                {
                    if (type == TypeDone)
                        return;
                    if (type == TypeError)
                    {
                        var error = body.Length >= 4 ? -BinaryPrimitives.ReadInt32LittleEndian(body.Span) : Errno.Invalid;
                        if (error != 0)
                            throw new LinuxException(operation, error);
                        return;
                    }
                    message(type, body);
                }
                rest = rest[Math.Min(NetlinkMessage.Align(length), rest.Length)..];
            }
        }
    }

    NetlinkMessage Begin(ushort type, int flags) => new(type, (ushort)(Request | flags), ++_sequence);

    int Descriptor => (int)_socket.DangerousGetHandle();

    static string Of(int index) => string.Create(CultureInfo.InvariantCulture, $"link {index}");

    /// <summary>Calls <paramref name="attribute"/> with each attribute; a malformed rest is left out.</summary>
    static void ForEachAttribute(ReadOnlyMemory<byte> attributes, Action<ushort, ReadOnlyMemory<byte>> attribute)
    {
        while (attributes.Length >= 4)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(attributes.Span);
            if (length < 4 || length > attributes.Length)
                return;
            attribute(BinaryPrimitives.ReadUInt16LittleEndian(attributes.Span[2..]), attributes[4..length]);
            attributes = attributes[Math.Min(NetlinkMessage.Align(length), attributes.Length)..];
        }
    }
}
