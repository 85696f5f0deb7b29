using System.Net;
using System.Security.Cryptography;

namespace Talos.Linux.Network;

/// <summary>What a DHCP server gave.</summary>
/// <param name="RenewAfter">When to ask again, from now on.</param>
/// <param name="Duration">When the address is no longer ours.</param>
public sealed record DhcpLease(
    IPAddress Address, int PrefixLength, IPAddress? Gateway, IReadOnlyList<IPAddress> Resolvers, IPAddress? Server, TimeSpan RenewAfter, TimeSpan Duration);

/// <summary>Gets and renews an IPv4 address for one Ethernet link. RFC 2131.</summary>
public sealed class DhcpClient
{
    const ushort ServerPort = 67, ClientPort = 68;
    // LIMIT: an Ethernet frame; servers may not send more unasked (RFC 2131 §2: 576).
    const int PacketBytesMaximum = 1514;
    // LIMIT: what a server may promise or demand; keeps timers within what the runtime takes.
    static readonly TimeSpan LeaseShortest = TimeSpan.FromMinutes(1), LeaseLongest = TimeSpan.FromDays(7);
    // RFC 2131 §4.1: back off exponentially; a node is alone on its link more often than in a crowd, so the start is quicker.
    static readonly TimeSpan[] Waits = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(8)];

    readonly Link _link;
    readonly string? _hostName;

    public DhcpClient(Link link, string? hostName) => (_link, _hostName) = (link, hostName);

    /// <summary>Asks for an address; blocks for at most some 30 s. The link must be up.</summary>
    /// <returns>Null when no server answered or none has an address.</returns>
    /// <exception cref="LinuxException">The link is gone.</exception>
    public DhcpLease? Acquire()
    {
        using var socket = new PacketSocket(_link.Index);
        foreach (var wait in Waits)
        {
            var transaction = NewTransaction();
            var offer = Exchange(socket, Message(DhcpType.Discover, transaction), wait, DhcpType.Offer);
            if (offer is null)
                continue;
            var request = Message(DhcpType.Request, transaction) with { Requested = offer.YourAddress, Server = offer.Server };
            if (Exchange(socket, request, wait, DhcpType.Acknowledge) is { } acknowledged)
                return ToLease(acknowledged);
        }
        return null;
    }

    /// <summary>Prolongs a lease. Asked of every server by broadcast (RFC 2131 §4.4.5, REBINDING), which any of them may answer.</summary>
    /// <returns>Null when none did: the lease holds until its end all the same.</returns>
    public DhcpLease? Renew(DhcpLease lease)
    {
        using var socket = new PacketSocket(_link.Index);
        foreach (var wait in Waits)
        {
            var request = Message(DhcpType.Request, NewTransaction()) with { ClientAddress = lease.Address };
            if (Exchange(socket, request, wait, DhcpType.Acknowledge) is { } acknowledged)
                return ToLease(acknowledged);
        }
        return null;
    }

    DhcpMessage Message(DhcpType type, uint transaction) =>
        new() { Type = type, Transaction = transaction, HardwareAddress = _link.HardwareAddress, Name = _hostName };

    static DhcpMessage? Exchange(PacketSocket socket, DhcpMessage request, TimeSpan wait, DhcpType expected)
    {
        Span<byte> buffer = stackalloc byte[PacketBytesMaximum];
        socket.Broadcast(UdpPacket.Broadcast(ClientPort, ServerPort, request.ToBytes()));
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var left = wait - TimeProvider.System.GetElapsedTime(since);
            if (left <= TimeSpan.Zero)
                return null;
            var received = socket.Receive(buffer, left);
            var answer = DhcpMessage.TryParse(UdpPacket.Payload(buffer[..received], ClientPort));
            if (answer is null || answer.Transaction != request.Transaction || !answer.HardwareAddress.AsSpan().SequenceEqual(request.HardwareAddress))
                continue;
            if (answer.Type == DhcpType.Refuse)
                return null;
            if (answer.Type == expected && !answer.YourAddress.Equals(IPAddress.Any))
                return answer;
        }
    }

    internal static DhcpLease ToLease(DhcpMessage message)
    {
        var duration = Clamp(message.Lease ?? LeaseLongest, LeaseShortest, LeaseLongest);
        return new DhcpLease(
            message.YourAddress,
            // RFC 2131 has no default mask; a host route is the one that cannot capture others' traffic.
            message.PrefixLength ?? 32,
            message.Gateway,
            message.Resolvers,
            message.Server,
            // RFC 2131 §4.4.5: T1 defaults to half the lease.
            Clamp(message.RenewAfter ?? duration / 2, LeaseShortest / 2, duration),
            duration);
    }

    static TimeSpan Clamp(TimeSpan value, TimeSpan low, TimeSpan high) => value < low ? low : value > high ? high : value;

    static uint NewTransaction() => (uint)RandomNumberGenerator.GetInt32(int.MaxValue);
}
