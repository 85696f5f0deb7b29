namespace Talos.Linux.Native;

/// <summary>Numbers of system calls made directly. x86-64: arch/x86/entry/syscalls/syscall_64.tbl.</summary>
static class SystemCall
{
    internal const int SetUserIds = 117;
    internal const int SetGroupIds = 119;
    internal const int SetGroups = 116;
    internal const int CapabilitySet = 126;
    internal const int PivotRoot = 155;
    internal const int StatFs = 137;
    internal const int Seccomp = 317;
    internal const int StatX = 332;
    internal const int CloseRange = 436;
    internal const int OpenAt2 = 437;
    internal const int MountSetAttributes = 442;
}
