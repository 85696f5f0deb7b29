using Talos.Linux;
using Talos.Linux.Kernel;

namespace Talos.Init;

/// <summary>What init mounts before anything else runs.</summary>
/// <param name="Required">False: a kernel without this file system boots all the same.</param>
sealed record BootMount(string FileSystem, string Target, MountFlags Flags, string? Options, bool Required);

static class BootMounts
{
    const MountFlags Inert = MountFlags.NoSuid | MountFlags.NoDevices | MountFlags.NoExecute;

    internal static readonly IReadOnlyList<BootMount> Table =
    [
        new("proc", "/proc", Inert, null, Required: true),
        new("sysfs", "/sys", Inert, null, Required: true),
        new("devtmpfs", "/dev", MountFlags.NoSuid | MountFlags.NoExecute, "mode=0755", Required: true),
        new("tmpfs", "/run", Inert, "mode=0755,size=32m", Required: true),
        new("tmpfs", "/tmp", Inert, "mode=1777,size=32m", Required: true),
        // CIS Linux 1.1.6: what varies is a file system of its own; here it does not outlive the machine.
        new("tmpfs", "/var", Inert, "mode=0755,size=32m", Required: true),
        new("cgroup2", "/sys/fs/cgroup", Inert, "nsdelegate", Required: false),
        // Tells the lockdown state that compliance checks read.
        new("securityfs", "/sys/kernel/security", Inert | MountFlags.ReadOnly, null, Required: false),
    ];

    /// <summary>Mounts the table's rows in order. /dev, which the kernel mounts itself, gets the row's flags.</summary>
    internal static void Attach(Action<string> log)
    {
        foreach (var row in Table)
        {
            try
            {
                var mounted = row.FileSystem == "devtmpfs" && MountTable.Read().Any(entry => entry.Target == row.Target);
                Mounts.Attach(row.FileSystem, row.Target, row.FileSystem, row.Flags | (mounted ? MountFlags.Remount : 0), row.Options);
            }
            catch (LinuxException e) when (!row.Required)
            {
                log(e.Message);
            }
        }
        Mounts.Attach("none", "/", null, MountFlags.Private | MountFlags.Recursive);
    }
}
