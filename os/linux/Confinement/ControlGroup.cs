using System.Globalization;

namespace Talos.Linux.Confinement;

/// <summary>A service's share of the machine. cgroups(7), version 2.</summary>
/// <param name="MemoryBytesMaximum">What it takes beyond is taken back or ends it, not its neighbours.</param>
/// <param name="TasksMaximum">Processes and threads together.</param>
public sealed record ControlGroup(string Name, long MemoryBytesMaximum, int TasksMaximum)
{
    const string Root = "/sys/fs/cgroup";

    /// <summary>Lets groups below the root have limits. Once, by process 1.</summary>
    /// <exception cref="IOException">The kernel has no such limits.</exception>
    public static void Prepare() => Write(Path.Combine(Root, "cgroup.subtree_control"), "+memory +pids");

    /// <summary>Moves the calling process into the group, which is made if need be.</summary>
    /// <exception cref="IOException">There is no such hierarchy, or it is not ours.</exception>
    internal void Enter()
    {
        var directory = Path.Combine(Root, Name);
        Directory.CreateDirectory(directory);
        Write(Path.Combine(directory, "memory.max"), MemoryBytesMaximum.ToString(CultureInfo.InvariantCulture));
        Write(Path.Combine(directory, "pids.max"), TasksMaximum.ToString(CultureInfo.InvariantCulture));
        Write(Path.Combine(directory, "cgroup.procs"), "0");
    }

    static void Write(string path, string value)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(System.Text.Encoding.ASCII.GetBytes(value));
    }
}
