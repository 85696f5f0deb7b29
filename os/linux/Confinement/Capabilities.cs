using Talos.Linux.Native;

namespace Talos.Linux.Confinement;

/// <summary>capabilities(7), as a set of bits by number.</summary>
[Flags]
public enum CapabilitySet : ulong
{
    None = 0,
    ChangeOwner = 1UL << 0,
    OverrideFilePermissions = 1UL << 1,
    ReadAnyFile = 1UL << 2,
    ActAsFileOwner = 1UL << 3,
    NetworkAdministration = 1UL << 12,
    RawSockets = 1UL << 13,
    SystemAdministration = 1UL << 21,
    KernelLog = 1UL << 34,
}

/// <summary>Takes capabilities from the calling thread, for good.</summary>
static unsafe class Capabilities
{
    // linux/prctl.h
    const int DropFromBounding = 24, Ambient = 47, AmbientClearAll = 4;
    // linux/capability.h: _LINUX_CAPABILITY_VERSION_3
    const uint Version3 = 0x20080522;
    // LIMIT: the kernel has 41; PR_CAPBSET_DROP answers EINVAL for the first it does not know.
    const int NumbersMaximum = 64;

    /// <summary>
    /// Leaves at most <paramref name="kept"/> in the bounding set and no ambient ones. A later execve(2) as uid 0 gets exactly
    /// these, as any other uid none.
    /// </summary>
    internal static void LimitTo(CapabilitySet kept)
    {
        LinuxException.ThrowIfFailed(Libc.prctl(Ambient, AmbientClearAll, 0, 0, 0), "clear ambient capabilities");
        for (var number = 0; number < NumbersMaximum; number++)
        {
            if (((ulong)kept >> number & 1) != 0)
                continue;
            if (Libc.prctl(DropFromBounding, (nuint)number, 0, 0, 0) < 0)
            {
                if (number > 0 && System.Runtime.InteropServices.Marshal.GetLastPInvokeError() == Errno.Invalid)
                    return;
                throw LinuxException.Last($"drop capability {number}");
            }
        }
    }

    /// <summary>Sets the thread's effective, permitted and inheritable sets.</summary>
    internal static void Set(CapabilitySet effectiveAndPermitted, CapabilitySet inheritable)
    {
        var header = stackalloc uint[2] { Version3, 0 };
        var (both, inherited) = ((ulong)effectiveAndPermitted, (ulong)inheritable);
        // Two blocks of effective, permitted, inheritable: low words, high words.
        var sets = stackalloc uint[6]
        {
            (uint)both, (uint)both, (uint)inherited, (uint)(both >> 32), (uint)(both >> 32), (uint)(inherited >> 32),
        };
        LinuxException.ThrowIfFailed(Libc.Syscall(SystemCall.CapabilitySet, (nint)header, (nint)sets), "set capabilities");
    }
}
