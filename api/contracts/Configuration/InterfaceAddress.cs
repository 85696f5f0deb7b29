using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Talos.Api.Configuration;

/// <summary>An interface's address and the length of its network's prefix, as in <c>10.0.0.2/24</c>.</summary>
public sealed record InterfaceAddress(IPAddress Address, int PrefixLength)
{
    internal static bool TryParse(string text, out InterfaceAddress value)
    {
        value = null!;
        var slash = text.IndexOf('/');
        if (slash < 0 || !Formats.Address.TryParse(text[..slash], out var address)) return false;
        if (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var prefix)) return false;
        if (prefix > (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)) return false;
        value = new InterfaceAddress(address, prefix);
        return true;
    }

    /// <summary>Whether an address lies in this address's network.</summary>
    public bool Reaches(IPAddress other) => new IPNetwork(Masked(), PrefixLength).Contains(other);

    internal IPAddress Masked()
    {
        var bytes = Address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var kept = Math.Clamp(PrefixLength - i * 8, 0, 8);
            bytes[i] &= (byte)(0xFF << (8 - kept));
        }
        return new IPAddress(bytes);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}/{PrefixLength}");
}
