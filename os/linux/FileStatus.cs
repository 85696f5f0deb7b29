using System.Runtime.InteropServices;

namespace Talos.Linux;

public enum FileKind
{
    Other = 0,
    Regular,
    Directory,
    SymbolicLink,
    CharacterDevice,
    BlockDevice,
    Fifo,
    Socket,
}

/// <summary>What statx(2) says of a file. <see cref="Permissions"/> are the lower twelve bits of the mode.</summary>
public readonly partial record struct FileStatus(FileKind Kind, int Permissions, uint UserId, uint GroupId, long Size)
{
    const int AtFdCwd = -100;
    const int AtSymlinkNoFollow = 0x100;
    const int AtNoAutomount = 0x800;
    const uint BasicStats = 0x7ff;

    /// <summary>Reads the status of a file. Returns zero, or the errno of the failed call.</summary>
    /// <param name="followLink">Whether a symbolic link at the end of the path is followed.</param>
    public static unsafe int TryRead(string path, bool followLink, out FileStatus status)
    {
        var buffer = default(StatxBuffer);
        // statx goes through syscall(2): the C library of the node's tool chain has no wrapper for it.
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 291 : 332;
        var flags = AtNoAutomount | (followLink ? 0 : AtSymlinkNoFollow);
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(path + '\0'))
        {
            // SAFETY: the path is zero-terminated and pinned; the kernel writes at most 256 bytes, which is the buffer's size.
            if (Statx(number, AtFdCwd, name, flags, BasicStats, &buffer) != 0)
            {
                status = default;
                return Marshal.GetLastPInvokeError();
            }
        }
        status = new(KindOf(buffer.Mode), buffer.Mode & 0xfff, buffer.UserId, buffer.GroupId, (long)buffer.Size);
        return 0;
    }

    static FileKind KindOf(ushort mode) => (mode & 0xf000) switch
    {
        0x8000 => FileKind.Regular,
        0x4000 => FileKind.Directory,
        0xa000 => FileKind.SymbolicLink,
        0x2000 => FileKind.CharacterDevice,
        0x6000 => FileKind.BlockDevice,
        0x1000 => FileKind.Fifo,
        0xc000 => FileKind.Socket,
        _ => FileKind.Other,
    };

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial long Statx(long number, long directory, byte* path, long flags, long mask, StatxBuffer* buffer);

    // struct statx, include/uapi/linux/stat.h
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    struct StatxBuffer
    {
        [FieldOffset(20)] public uint UserId;
        [FieldOffset(24)] public uint GroupId;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(40)] public ulong Size;
    }
}
