using System.Buffers.Binary;
using System.Net;

namespace Talos.Linux.Network;

/// <summary>RFC 2132 §9.6. The zero value is no message of ours.</summary>
enum DhcpType : byte
{
    None = 0,
    Discover = 1,
    Offer = 2,
    Request = 3,
    Acknowledge = 5,
    Refuse = 6,
}

/// <summary>
/// One DHCP message. RFC 2131 §2: <c>op htype hlen hops xid[4] secs[2] flags[2] ciaddr[4] yiaddr[4] siaddr[4] giaddr[4] chaddr[16]
/// sname[64] file[128]</c>, the cookie 63 82 53 63, then options <c>code length data</c> up to code 255.
/// </summary>
sealed record DhcpMessage
{
    internal const int FixedBytes = 240;
    const uint Cookie = 0x63825363;
    const byte RequestOperation = 1, ReplyOperation = 2, Ethernet = 1;
    const ushort BroadcastFlag = 0x8000;
    // RFC 2132
    const byte Pad = 0, SubnetMask = 1, Router = 3, NameServers = 6, HostName = 12, RequestedAddress = 50, LeaseTime = 51, MessageType = 53, ServerId = 54,
        ParameterList = 55, RenewalTime = 58, End = 255;

    public required DhcpType Type { get; init; }

    public required uint Transaction { get; init; }

    public required byte[] HardwareAddress { get; init; }

    public IPAddress ClientAddress { get; init; } = IPAddress.Any;

    public IPAddress YourAddress { get; init; } = IPAddress.Any;

    public IPAddress? Requested { get; init; }

    public IPAddress? Server { get; init; }

    public int? PrefixLength { get; init; }

    public IPAddress? Gateway { get; init; }

    public IReadOnlyList<IPAddress> Resolvers { get; init; } = [];

    public TimeSpan? Lease { get; init; }

    public TimeSpan? RenewAfter { get; init; }

    public string? Name { get; init; }

    /// <summary>The bytes of a request; answers are asked for by broadcast, since there is no address to send them to.</summary>
    internal byte[] ToBytes()
    {
        var bytes = new List<byte>(new byte[FixedBytes]);
        var head = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes);
        head[0] = RequestOperation;
        head[1] = Ethernet;
        head[2] = (byte)HardwareAddress.Length;
        BinaryPrimitives.WriteUInt32BigEndian(head[4..], Transaction);
        BinaryPrimitives.WriteUInt16BigEndian(head[10..], BroadcastFlag);
        ClientAddress.TryWriteBytes(head[12..], out _);
        HardwareAddress.CopyTo(head[28..]);
        BinaryPrimitives.WriteUInt32BigEndian(head[236..], Cookie);
        bytes.AddRange([MessageType, 1, (byte)Type]);
        if (Requested is not null)
            bytes.AddRange([RequestedAddress, 4, .. Requested.GetAddressBytes()]);
        if (Server is not null)
            bytes.AddRange([ServerId, 4, .. Server.GetAddressBytes()]);
        if (Name is { Length: > 0 and <= 63 })
            bytes.AddRange([HostName, (byte)Name.Length, .. System.Text.Encoding.ASCII.GetBytes(Name)]);
        bytes.AddRange([ParameterList, 5, SubnetMask, Router, NameServers, LeaseTime, RenewalTime, End]);
        return [.. bytes];
    }

    /// <summary>A server's answer; null for anything else. Options of unexpected length are ignored.</summary>
    internal static DhcpMessage? TryParse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < FixedBytes || bytes[0] != ReplyOperation || bytes[1] != Ethernet || bytes[2] is 0 or > 16
            || BinaryPrimitives.ReadUInt32BigEndian(bytes[236..]) != Cookie)
            return null;
        var message = new DhcpMessage
        {
            Type = DhcpType.None,
            Transaction = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]),
            HardwareAddress = bytes.Slice(28, bytes[2]).ToArray(),
            ClientAddress = new IPAddress(bytes.Slice(12, 4)),
            YourAddress = new IPAddress(bytes.Slice(16, 4)),
        };
        var rest = bytes[FixedBytes..];
        while (!rest.IsEmpty && rest[0] != End)
        {
            if (rest[0] == Pad)
            {
                rest = rest[1..];
                continue;
            }
            // An option that runs over the end makes the whole message untrustworthy.
            if (rest.Length < 2 || rest.Length < 2 + rest[1])
                return null;
            message = message.With(rest[0], rest.Slice(2, rest[1]));
            rest = rest[(2 + rest[1])..];
        }
        return message.Type == DhcpType.None ? null : message;
    }

    DhcpMessage With(byte code, ReadOnlySpan<byte> data) => (code, data.Length) switch
    {
        (MessageType, 1) when data[0] is (byte)DhcpType.Offer or (byte)DhcpType.Acknowledge or (byte)DhcpType.Refuse => this with { Type = (DhcpType)data[0] },
        (SubnetMask, 4) => this with { PrefixLength = Prefix(BinaryPrimitives.ReadUInt32BigEndian(data)) },
        (Router, >= 4) => this with { Gateway = new IPAddress(data[..4]) },
        (NameServers, >= 4) => this with { Resolvers = Addresses(data) },
        (LeaseTime, 4) => this with { Lease = Seconds(data) },
        (RenewalTime, 4) => this with { RenewAfter = Seconds(data) },
        (ServerId, 4) => this with { Server = new IPAddress(data) },
        _ => this,
    };

    static TimeSpan Seconds(ReadOnlySpan<byte> data) => TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32BigEndian(data));

    /// <summary>Null for a mask with holes.</summary>
    static int? Prefix(uint mask) => uint.LeadingZeroCount(~mask) is var ones && mask << (int)ones == 0 || mask == uint.MaxValue ? (int)uint.LeadingZeroCount(~mask) : null;

    // LIMIT: musl's resolver asks three servers (MAXNS); more are never used.
    static List<IPAddress> Addresses(ReadOnlySpan<byte> data)
    {
        var addresses = new List<IPAddress>();
        for (; data.Length >= 4 && addresses.Count < 3; data = data[4..])
            addresses.Add(new IPAddress(data[..4]));
        return addresses;
    }
}
