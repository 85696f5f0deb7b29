using System.Runtime.InteropServices;

namespace Talos.Linux.Native;

static unsafe partial class Libc
{
    internal const int AddressFamilyNetlink = 16, AddressFamilyPacket = 17;
    internal const int SocketDatagram = 2, SocketRaw = 3, SocketCloseOnExec = 0x80000;

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int socket(int family, int type, int protocol);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int bind(int descriptor, byte* address, uint length);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint sendto(int descriptor, byte* data, nuint length, int flags, byte* address, uint addressLength);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint recv(int descriptor, byte* data, nuint length, int flags);
}
