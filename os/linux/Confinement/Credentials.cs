using Talos.Linux.Native;

namespace Talos.Linux.Confinement;

/// <summary>Identity of the calling thread.</summary>
/// <remarks>
/// The system calls are made directly: the C library's functions change every thread of the process, which execve(2) ends anyway.
/// </remarks>
static class Credentials
{
    // linux/prctl.h
    const int SetNoNewPrivileges = 38;

    /// <summary>Real, effective and saved ids; no supplementary groups. Clears all capabilities but those of uid 0.</summary>
    internal static void Become(uint user, uint group)
    {
        LinuxException.ThrowIfFailed(Libc.Syscall(SystemCall.SetGroups), "drop supplementary groups");
        LinuxException.ThrowIfFailed(Libc.Syscall(SystemCall.SetGroupIds, (nint)group, (nint)group, (nint)group), $"become group {group}");
        LinuxException.ThrowIfFailed(Libc.Syscall(SystemCall.SetUserIds, (nint)user, (nint)user, (nint)user), $"become user {user}");
    }

    /// <summary>From now on no execve(2) gives more than the caller has: no set-uid bits, no file capabilities.</summary>
    internal static void ForbidNewPrivileges() =>
        LinuxException.ThrowIfFailed(Libc.prctl(SetNoNewPrivileges, 1, 0, 0, 0), "set no_new_privs");
}
