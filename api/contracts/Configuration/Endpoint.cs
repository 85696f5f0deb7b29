using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Talos.Api.Configuration;

/// <summary>Where something listens or answers. IPv6 addresses are written in brackets.</summary>
/// <param name="Host">A host name or an address, without brackets.</param>
/// <param name="Port">1 to 65535.</param>
public sealed record Endpoint(string Host, int Port)
{
    /// <summary>Reads <c>host:port</c>, or only a host where there is a default port.</summary>
    public static bool TryParse(string text, int? defaultPort, [NotNullWhen(true)] out Endpoint? endpoint)
    {
        endpoint = null;
        ArgumentNullException.ThrowIfNull(text);
        var end = text.StartsWith('[') ? text.IndexOf(']') + 1 : text.IndexOf(':');
        // A bare IPv6 address has colons of its own.
        if (end < 0 || !text.StartsWith('[') && text.IndexOf(':') != text.LastIndexOf(':')) end = text.Length;
        var host = text[..end];
        if (host.StartsWith('[')) host = host.Trim('[', ']');
        if (!Formats.HostOrAddress.TryParse(host, out _)) return false;
        if (end == text.Length)
        {
            if (defaultPort is not { } port) return false;
            endpoint = new Endpoint(host, port);
            return true;
        }
        if (text[end] != ':' || !int.TryParse(text.AsSpan(end + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var given) || given is < 1 or > 65535) return false;
        endpoint = new Endpoint(host, given);
        return true;
    }

    /// <summary>The address, when <see cref="Host"/> is one and no name.</summary>
    public IPAddress? Address => IPAddress.TryParse(Host, out var address) ? address : null;

    /// <inheritdoc/>
    public override string ToString() => (Host.Contains(':') ? $"[{Host}]:" : $"{Host}:") + Port.ToString(CultureInfo.InvariantCulture);
}
