using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Talos.Linux.Network;

/// <summary>
/// One netlink request. netlink(7): <c>u32 length; u16 type; u16 flags; u32 sequence; u32 port</c>, a fixed part, then attributes
/// <c>u16 length; u16 type; data</c>, each padded to four bytes. All in the machine's byte order.
/// </summary>
sealed class NetlinkMessage
{
    internal const int HeaderBytes = 16;

    // LIMIT: the largest request here, a route with three attributes, has 60 bytes.
    readonly byte[] _bytes = new byte[256];
    int _length = HeaderBytes;

    internal NetlinkMessage(ushort type, ushort flags, uint sequence)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(4), type);
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(6), flags);
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(8), sequence);
    }

    internal NetlinkMessage Fixed(ReadOnlySpan<byte> part)
    {
        part.CopyTo(_bytes.AsSpan(_length));
        _length += part.Length;
        return this;
    }

    internal NetlinkMessage Attribute(ushort type, ReadOnlySpan<byte> data)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(_length), (ushort)(4 + data.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(_length + 2), type);
        data.CopyTo(_bytes.AsSpan(_length + 4));
        _length += Align(4 + data.Length);
        return this;
    }

    internal NetlinkMessage Attribute(ushort type, IPAddress address) => Attribute(type, address.GetAddressBytes());

    internal NetlinkMessage Attribute(ushort type, int value)
    {
        Span<byte> data = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(data, value);
        return Attribute(type, data);
    }

    internal NetlinkMessage Attribute(ushort type, string text) => Attribute(type, Encoding.ASCII.GetBytes(text + "\0"));

    internal ReadOnlySpan<byte> Finish()
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes, (uint)_length);
        return _bytes.AsSpan(0, _length);
    }

    internal static int Align(int length) => (length + 3) & ~3;
}
