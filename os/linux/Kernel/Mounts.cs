using Talos.Linux.Native;

namespace Talos.Linux.Kernel;

/// <summary>Flags of mount(2).</summary>
[Flags]
public enum MountFlags : uint
{
    None = 0,
    ReadOnly = 1,
    NoSuid = 2,
    NoDevices = 4,
    NoExecute = 8,
    Remount = 0x20,
    NoSymbolicLinks = 0x100,
    NoAccessTime = 0x400,
    Bind = 0x1000,
    Recursive = 0x4000,
    Private = 0x40000,
    Slave = 0x80000,
}

/// <summary>Attaches and detaches file systems in the caller's mount namespace.</summary>
public static class Mounts
{
    const int DetachLazily = 2, DoNotFollow = 8;

    /// <summary>mount(2).</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static void Attach(string source, string target, string? type, MountFlags flags, string? options = null) =>
        LinuxException.ThrowIfFailed(Libc.mount(source, target, type, (nuint)(uint)flags, options), $"mount `{source}` on `{target}`");

    /// <summary>umount2(2); symbolic links are not followed.</summary>
    /// <exception cref="LinuxException">The kernel refused: not mounted, or busy.</exception>
    public static void Detach(string target, bool lazily = false) =>
        LinuxException.ThrowIfFailed(Libc.umount2(target, DoNotFollow | (lazily ? DetachLazily : 0)), $"unmount `{target}`");

    /// <summary>Makes what is visible at <paramref name="source"/> visible at <paramref name="target"/> too, with <paramref name="flags"/> in force.</summary>
    public static void Bind(string source, string target, MountFlags flags)
    {
        Attach(source, target, null, MountFlags.Bind);
        // mount(2): a bind takes its flags only from a remount of its own.
        Attach("none", target, null, MountFlags.Bind | MountFlags.Remount | flags);
    }
}
