using System.Globalization;
using System.Net;

namespace Talos.Checks.Probes;

sealed record ListeningSocket(string Protocol, IPEndPoint Address)
{
    public bool IsExternal => !IPAddress.IsLoopback(Address.Address.IsIPv4MappedToIPv6 ? Address.Address.MapToIPv4() : Address.Address);
}

/// <summary>Sockets that wait for others: /proc/net/tcp and its like, proc_pid_net(5).</summary>
sealed class SocketTable
{
    // LIMIT: 150 bytes a socket; a node with 50,000 connections.
    const int MaxText = 8 << 20;

    const string TcpListening = "0A";
    const string UdpUnconnected = "07";

    static readonly (string File, string Protocol, string State)[] s_tables =
        [("tcp", "tcp", TcpListening), ("tcp6", "tcp", TcpListening), ("udp", "udp", UdpUnconnected), ("udp6", "udp", UdpUnconnected)];

    public IReadOnlyList<ListeningSocket> Sockets { get; private init; } = [];

    public string Trouble { get; private init; } = "";

    public static SocketTable Read(RootFiles files)
    {
        var sockets = new List<ListeningSocket>();
        foreach (var (file, protocol, state) in s_tables)
        {
            var path = $"/proc/net/{file}";
            var read = files.ReadText(path, MaxText);
            // Without IPv6 the kernel has no tables for it.
            if (read.State == ReadingState.Absent && file.EndsWith('6')) continue;
            if (read.State != ReadingState.Present) return new() { Trouble = $"{path}: {(read.State == ReadingState.Absent ? "it is not there" : read.Reason)}" };
            foreach (var line in read.Text.Split('\n').Skip(1))
            {
                var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (fields.Length < 4 || fields[3] != state) continue;
                if (!TryAddress(fields[1], out var address)) return new() { Trouble = $"{path}: unexpected address `{fields[1]}`" };
                sockets.Add(new(protocol, address));
            }
        }
        return new() { Sockets = sockets };
    }

    // The address is printed as 32-bit words of the machine, little-endian on every architecture that we run on; the port as a number.
    static bool TryAddress(string text, out IPEndPoint address)
    {
        address = new(IPAddress.None, 0);
        var colon = text.IndexOf(':');
        if (colon is not (8 or 32) || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var port)) return false;
        Span<byte> bytes = stackalloc byte[colon / 2];
        for (var i = 0; i < bytes.Length; i++)
        {
            var place = i / 4 * 8 + (3 - i % 4) * 2;
            if (!byte.TryParse(text.AsSpan(place, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out bytes[i])) return false;
        }
        address = new(new IPAddress(bytes), port);
        return true;
    }
}

static class NetworkProbes
{
    public static readonly string[] Names = ["tcp", "udp", "tcp-external", "udp-external", "external-ports"];

    public static Reading Listening(FactStore facts, IReadOnlyList<string> arguments)
    {
        var table = facts.Sockets;
        if (table.Trouble.Length > 0) return Reading.Unreadable("/proc/net", table.Trouble);
        var external = arguments[0].Contains("external", StringComparison.Ordinal);
        var protocol = arguments[0] == "external-ports" ? "" : arguments[0][..3];
        var chosen = table.Sockets.Where(s => s.Protocol.StartsWith(protocol, StringComparison.Ordinal) && (!external || s.IsExternal));
        return Reading.Of(
            [.. chosen.Select(s => arguments[0] == "external-ports" ? $"{s.Protocol}/{s.Address.Port.ToString(CultureInfo.InvariantCulture)}" : s.Address.ToString())
                .Distinct().Order(StringComparer.Ordinal).Select(a => new Fact(a, $"/proc/net ({a})"))], "/proc/net");
    }
}
