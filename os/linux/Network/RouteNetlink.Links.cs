using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Talos.Linux.Network;

public sealed unsafe partial class RouteNetlink
{
    // linux/rtnetlink.h
    const ushort NewLink = 16, GetLink = 18, NewAddress = 20, DeleteAddress = 21, GetAddress = 22, NewRoute = 24;
    // linux/if_link.h, linux/if_addr.h, linux/rtnetlink.h
    const ushort LinkAddressAttribute = 1, LinkName = 3, LinkMtu = 4, AddressAddress = 1, AddressLocal = 2, AddressBroadcast = 4, RouteGateway = 5, RouteOutput = 4;
    // netdevice(7)
    const uint FlagUp = 1, FlagLoopback = 8, FlagLowerUp = 0x10000;

    public IReadOnlyList<Link> Links()
    {
        var links = new List<Link>();
        // struct ifinfomsg: u8 family; u8 pad; u16 type; i32 index; u32 flags; u32 change
        Send(Begin(GetLink, Dump).Fixed(stackalloc byte[16]), "list links");
        Receive("list links", (type, body) =>
        {
            if (type != NewLink || body.Length < 16)
                return;
            var index = BinaryPrimitives.ReadInt32LittleEndian(body.Span[4..]);
            var flags = BinaryPrimitives.ReadUInt32LittleEndian(body.Span[8..]);
            string name = "";
            byte[] hardware = [];
            uint mtu = 0;
            ForEachAttribute(body[16..], (attribute, data) =>
            {
                switch (attribute)
                {
                    case LinkName:
                        name = Encoding.ASCII.GetString(data.Span).TrimEnd('\0');
                        break;
                    case LinkAddressAttribute:
                        hardware = data.ToArray();
                        break;
                    case LinkMtu when data.Length >= 4:
                        mtu = BinaryPrimitives.ReadUInt32LittleEndian(data.Span);
                        break;
                }
            });
            links.Add(new Link(index, name, hardware, mtu, (flags & FlagUp) != 0, (flags & FlagLowerUp) != 0, (flags & FlagLoopback) != 0));
        });
        return links;
    }

    public IReadOnlyList<LinkAddress> Addresses()
    {
        var addresses = new List<LinkAddress>();
        // struct ifaddrmsg: u8 family; u8 prefix; u8 flags; u8 scope; u32 index
        Send(Begin(GetAddress, Dump).Fixed(stackalloc byte[8]), "list addresses");
        Receive("list addresses", (type, body) =>
        {
            if (type != NewAddress || body.Length < 8)
                return;
            IPAddress? address = null, local = null;
            ForEachAttribute(body[8..], (attribute, data) =>
            {
                if (data.Length is not (4 or 16))
                    return;
                if (attribute == AddressAddress)
                    address = new IPAddress(data.Span);
                else if (attribute == AddressLocal)
                    local = new IPAddress(data.Span);
            });
            // On a point-to-point link IFA_ADDRESS is the peer's.
            if ((local ?? address) is { } own)
                addresses.Add(new LinkAddress(BinaryPrimitives.ReadInt32LittleEndian(body.Span[4..]), own, body.Span[1]));
        });
        return addresses;
    }

    /// <summary>Switches a link on.</summary>
    /// <exception cref="LinuxException">No such link, or not permitted.</exception>
    public void SetUp(string name) => Change(
        Begin(NewLink, Acknowledge).Fixed(LinkHeader(0, FlagUp, FlagUp)).Attribute(LinkName, name), $"switch on link `{name}`");

    /// <summary>Adds an address, or refreshes it if the link has it.</summary>
    public void AddAddress(int linkIndex, IPAddress address, int prefixLength)
    {
        var message = Begin(NewAddress, Acknowledge | Create | Replace)
            .Fixed(AddressHeader(linkIndex, address, prefixLength))
            .Attribute(AddressLocal, address)
            .Attribute(AddressAddress, address);
        if (address.AddressFamily == AddressFamily.InterNetwork && prefixLength < 31)
            message.Attribute(AddressBroadcast, Broadcast(address, prefixLength));
        Change(message, $"add {address}/{prefixLength} to {Of(linkIndex)}");
    }

    public void RemoveAddress(int linkIndex, IPAddress address, int prefixLength) => Change(
        Begin(DeleteAddress, Acknowledge).Fixed(AddressHeader(linkIndex, address, prefixLength)).Attribute(AddressLocal, address),
        $"remove {address}/{prefixLength} from {Of(linkIndex)}");

    /// <summary>Sets where everything goes that no other route takes.</summary>
    public void SetDefaultRoute(int linkIndex, IPAddress gateway)
    {
        const byte TableMain = 254, ProtocolStatic = 4, ScopeUniverse = 0, Unicast = 1;
        // struct rtmsg: u8 family, dst_len, src_len, tos, table, protocol, scope, type; u32 flags
        Span<byte> header = [(byte)gateway.AddressFamily, 0, 0, 0, TableMain, ProtocolStatic, ScopeUniverse, Unicast, 0, 0, 0, 0];
        if (gateway.AddressFamily == AddressFamily.InterNetworkV6)
            header[0] = 10;
        Change(
            Begin(NewRoute, Acknowledge | Create | Replace).Fixed(header).Attribute(RouteGateway, gateway).Attribute(RouteOutput, linkIndex),
            $"route by {gateway} on {Of(linkIndex)}");
    }

    /// <summary>The last address of the network.</summary>
    internal static IPAddress Broadcast(IPAddress address, int prefixLength)
    {
        var bits = BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());
        var last = bits | (prefixLength == 0 ? uint.MaxValue : (uint)((1UL << (32 - prefixLength)) - 1));
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, last);
        return new IPAddress(bytes);
    }

    static byte[] LinkHeader(int index, uint flags, uint change)
    {
        var header = new byte[16];
        MemoryMarshal.Write(header.AsSpan(4), index);
        MemoryMarshal.Write(header.AsSpan(8), flags);
        MemoryMarshal.Write(header.AsSpan(12), change);
        return header;
    }

    static byte[] AddressHeader(int index, IPAddress address, int prefixLength)
    {
        // Linux numbers the families 2 and 10, the runtime 2 and 23.
        var header = new byte[8];
        header[0] = address.AddressFamily == AddressFamily.InterNetwork ? (byte)2 : (byte)10;
        header[1] = (byte)prefixLength;
        MemoryMarshal.Write(header.AsSpan(4), index);
        return header;
    }
}
