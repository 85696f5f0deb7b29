using System.Net.Sockets;
using System.Runtime.InteropServices;
using Talos.Linux.Native;

namespace Talos.Linux.Processes;

/// <summary>Who is at the other end of a unix socket, as the kernel knows it.</summary>
public readonly record struct SocketPeer(int ProcessId, uint User, uint Group)
{
    // unix(7): SOL_SOCKET, SO_PEERCRED; struct ucred { pid_t pid; uid_t uid; gid_t gid; }
    const int SocketLevel = 1, PeerCredentials = 17;

    /// <summary>The calling process's own effective user.</summary>
    public static uint OwnUser => Libc.geteuid();

    /// <summary>The calling process's own effective group.</summary>
    public static uint OwnGroup => Libc.getegid();

    public static SocketPeer Of(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12];
        var length = socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials);
        if (length != credentials.Length)
            throw new SocketException((int)SocketError.OperationNotSupported);
        var words = MemoryMarshal.Cast<byte, int>(credentials);
        return new SocketPeer(words[0], (uint)words[1], (uint)words[2]);
    }
}
