using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Talos.Linux.Native;

/// <summary>The C library's functions, under their own names. Linked directly into the node's executables.</summary>
static unsafe partial class Libc
{
    const string Library = "libc";

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mount(string source, string target, string? type, nuint flags, string? data);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int umount2(string target, int flags);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int chroot(string path);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int chdir(string path);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int chown(string path, uint owner, uint group);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int reboot(int command);

    [LibraryImport(Library)]
    internal static partial void sync();

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int sethostname(byte* name, nuint length);

    [LibraryImport(Library)]
    internal static partial uint geteuid();

    [LibraryImport(Library)]
    internal static partial uint getegid();

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int kill(int pid, int signal);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int waitpid(int pid, int* status, int options);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int waitid(int kind, int id, int* information, int options);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int pipe2(int* ends, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int close(int descriptor);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint read(int descriptor, byte* buffer, nuint count);

    [LibraryImport(Library)]
    internal static partial int posix_fadvise(SafeFileHandle descriptor, long offset, long length, int advice);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fdatasync(SafeFileHandle descriptor);

    [LibraryImport(Library)]
    internal static partial int usleep(uint microseconds);

    [LibraryImport(Library)]
    internal static partial int sync_file_range(SafeFileHandle descriptor, long offset, long bytes, uint flags);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string path, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int execve(byte* path, byte** arguments, byte** environment);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int unshare(int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int poll(PollEntry* entries, nuint count, int timeoutMilliseconds);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int inotify_init1(int flags);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int inotify_add_watch(int descriptor, string path, uint mask);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setrlimit(int resource, ResourceLimit* limit);

    // NOTE: variadic in C; on x86-64 an integer-only call has the same convention either way.
    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint syscall(nint number, nint a, nint b, nint c, nint d, nint e);

    /// <summary>Calls with up to five integer or pointer arguments.</summary>
    internal static nint Syscall(int number, nint a = 0, nint b = 0, nint c = 0, nint d = 0, nint e = 0) => syscall(number, a, b, c, d, e);

    internal struct PollEntry
    {
        internal int Descriptor;
        internal short Events;
        internal short Returned;
    }

    internal struct ResourceLimit
    {
        internal ulong Soft;
        internal ulong Hard;
    }
}
