using System.Runtime.InteropServices;

namespace Talos.AotSelfTest;

/// <summary>Calls bound to musl at link time (`DirectPInvoke`): there is no loader to find them later.</summary>
static unsafe partial class Native
{
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int getpid();

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int kill(int process, int signal);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mount(string source, string target, string type, nuint flags, string? data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mkdir(string path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int reboot(int command);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint syscall(nint number);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int ioctl(int descriptor, nuint request, byte* argument);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int waitpid(int process, int* status, int options);

    [LibraryImport("libc")]
    internal static partial void qsort(int* items, nuint count, nuint size, delegate* unmanaged<void*, void*, int> compare);

    [LibraryImport("no-such-library")]
    internal static partial int no_such_function();

    [UnmanagedCallersOnly]
    internal static int Ascending(void* left, void* right) => (*(int*)left).CompareTo(*(int*)right);
}
