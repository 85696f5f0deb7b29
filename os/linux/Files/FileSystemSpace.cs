using System.Text;
using Talos.Linux.Native;

namespace Talos.Linux.Files;

/// <summary>Size of a mounted file system. statfs(2).</summary>
/// <param name="Available">Bytes that an unprivileged process may still take.</param>
public sealed record FileSystemSpace(ulong Size, ulong Available, ulong Inodes, ulong FreeInodes)
{
    /// <summary>Null where the path is gone or cannot be asked.</summary>
    public static unsafe FileSystemSpace? TryRead(string path)
    {
        // struct statfs on x86-64: type, bsize, blocks, bfree, bavail, files, ffree, fsid, namelen, frsize, flags, spare[4]; 8 bytes each
        var numbers = stackalloc ulong[15];
        fixed (byte* p = Encoding.UTF8.GetBytes(path + "\0"))
        {
            if (Libc.Syscall(SystemCall.StatFs, (nint)p, (nint)numbers) < 0)
                return null;
        }
        var unit = numbers[9] != 0 ? numbers[9] : numbers[1];
        return new FileSystemSpace(numbers[2] * unit, numbers[4] * unit, numbers[5], numbers[6]);
    }
}
