using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Talos.Api.Server;

/// <summary>Where a connection comes from.</summary>
/// <param name="Source">The caller's address; IPv4 in its own form. Of a connection that was carried, as the last node that carried it says.</param>
/// <param name="Seen">
/// The address that this server saw by itself. What a source may use up counts for this one: a node that lies about where connections come from takes
/// nothing away from others.
/// </param>
/// <param name="ForwardedBy">The nodes that carried it, first hop first; names from their certificates.</param>
sealed record Origin(IPAddress Source, IPAddress Seen, IReadOnlyList<string> ForwardedBy)
{
    public static Origin Of(ConnectionContext connection)
    {
        if (connection is RelayedConnection { Origin: var told }) return told;
        var address = Plain((connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None);
        return new Origin(address, address, []);
    }

    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    public override string ToString() => ForwardedBy.Count == 0 ? Source.ToString() : $"{Source} through {string.Join(", ", ForwardedBy)}";
}
