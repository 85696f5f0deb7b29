using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Talos.Linux.Native;

namespace Talos.Linux.Files;

/// <summary>
/// An open directory below which paths are looked up without ever following a symbolic link, so that nobody who can write
/// there decides what is read. openat2(2).
/// </summary>
public sealed unsafe class DirectoryHandle : IDisposable
{
    // openat2(2)
    const ulong ResolveNoMagicLinks = 2, ResolveNoSymbolicLinks = 4, ResolveBeneath = 8;
    const ulong OpenDirectory = 0x10000, OpenCloseOnExec = 0x80000, OpenNonBlocking = 0x800;
    // statx(2)
    const int NoFollow = 0x100, EmptyPath = 0x1000, BasicStatistics = 0x7ff, StatXBytes = 256;
    // LIMIT: PATH_MAX.
    const int LinkBytesMaximum = 4096;

    readonly SafeFileHandle _directory;

    DirectoryHandle(SafeFileHandle directory) => _directory = directory;

    /// <summary>Opens an absolute directory. The path itself is followed like any other: it is the caller's own.</summary>
    public static DirectoryHandle Open(string path)
    {
        var descriptor = Libc.open(path, (int)(OpenDirectory | OpenCloseOnExec), 0);
        LinuxException.ThrowIfFailed(descriptor, $"open `{path}`");
        return new DirectoryHandle(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    /// <summary>Opens a directory below this one. A relative path without `..`; <c>.</c> is this one.</summary>
    /// <exception cref="LinuxException">With ELOOP where the path has a symbolic link.</exception>
    public DirectoryHandle Directory(string relative) => new(OpenBeneath(relative, OpenDirectory));

    /// <summary>Opens a regular file below this directory for reading.</summary>
    public SafeFileHandle File(string relative) => OpenBeneath(relative, OpenNonBlocking);

    /// <summary>Of an entry of this directory, a symbolic link being one itself; empty name: of the directory.</summary>
    public FileStatus Status(string name) => Status(Descriptor, name, NoFollow | (name.Length == 0 ? EmptyPath : 0));

    /// <summary>Of an open file.</summary>
    public static FileStatus Status(SafeFileHandle file) => Status((int)file.DangerousGetHandle(), "", EmptyPath);

    /// <summary>True when both are open on one inode.</summary>
    public static bool IsSameFile(SafeFileHandle one, SafeFileHandle other) =>
        Identity((int)one.DangerousGetHandle()) == Identity((int)other.DangerousGetHandle());

    /// <summary>Names of the entries, sorted.</summary>
    public IReadOnlyList<string> Names()
    {
        var here = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{Descriptor}/");
        var names = System.IO.Directory.EnumerateFileSystemEntries(here).Select(Path.GetFileName).OfType<string>().ToList();
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    /// <summary>Where a symbolic link of this directory points.</summary>
    public string LinkTarget(string name)
    {
        var buffer = stackalloc byte[LinkBytesMaximum];
        fixed (byte* p = Encoding.UTF8.GetBytes(name + "\0"))
        {
            var length = Libc.Syscall(CallNumber.readlinkat, Descriptor, (nint)p, (nint)buffer, LinkBytesMaximum);
            LinuxException.ThrowIfFailed(length, $"read link `{name}`");
            return Encoding.UTF8.GetString(buffer, (int)length);
        }
    }

    public void Dispose() => _directory.Dispose();

    int Descriptor => (int)_directory.DangerousGetHandle();

    SafeFileHandle OpenBeneath(string relative, ulong flags)
    {
        // struct open_how: u64 flags, mode, resolve
        var how = stackalloc ulong[3] { flags | OpenCloseOnExec, 0, ResolveNoMagicLinks | ResolveNoSymbolicLinks | ResolveBeneath };
        fixed (byte* p = Encoding.UTF8.GetBytes(relative + "\0"))
        {
            var descriptor = Libc.Syscall(SystemCall.OpenAt2, Descriptor, (nint)p, (nint)how, 3 * sizeof(ulong));
            LinuxException.ThrowIfFailed(descriptor, $"open `{relative}`");
            return new SafeFileHandle(descriptor, ownsHandle: true);
        }
    }

    static FileStatus Status(int descriptor, string name, int flags)
    {
        // struct statx: uid at 20, gid 24, mode (u16) 28, size 40, mtime seconds 112
        Span<byte> status = stackalloc byte[StatXBytes];
        Query(descriptor, name, flags, status);
        return new FileStatus(
            BinaryPrimitives.ReadUInt16LittleEndian(status[28..]),
            BinaryPrimitives.ReadUInt64LittleEndian(status[40..]),
            Time(BinaryPrimitives.ReadInt64LittleEndian(status[112..])),
            BinaryPrimitives.ReadUInt32LittleEndian(status[20..]),
            BinaryPrimitives.ReadUInt32LittleEndian(status[24..]));
    }

    static (ulong Inode, ulong Device) Identity(int descriptor)
    {
        // struct statx: inode at 32, device major and minor at 136
        Span<byte> status = stackalloc byte[StatXBytes];
        Query(descriptor, "", EmptyPath, status);
        return (BinaryPrimitives.ReadUInt64LittleEndian(status[32..]), BinaryPrimitives.ReadUInt64LittleEndian(status[136..]));
    }

    static void Query(int descriptor, string name, int flags, Span<byte> status)
    {
        fixed (byte* p = Encoding.UTF8.GetBytes(name + "\0"), result = status)
            LinuxException.ThrowIfFailed(Libc.Syscall(SystemCall.StatX, descriptor, (nint)p, flags, BasicStatistics, (nint)result), $"look at `{name}`");
    }

    // A file system may hold any 64-bit time; what a calendar cannot hold counts as its end.
    static DateTimeOffset Time(long seconds) =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, DateTimeOffset.MinValue.ToUnixTimeSeconds(), DateTimeOffset.MaxValue.ToUnixTimeSeconds()));
}
