using System.Globalization;
using Talos.Linux.Kernel;

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

    /// <summary>
    /// Bytes of memory that a service's group holds, its own and mapped files'. A page that several groups map is in one of them only, so
    /// that groups can be added up. Null where the process is in no group of that name.
    /// </summary>
    public static ulong? TryReadMemory(string name, int processId)
    {
        if (ProcFile.TryReadLine($"/proc/{processId}/cgroup") != $"0::/{name}") return null;
        if (ProcFile.TryReadLine(Path.Combine(Root, name, "memory.stat")) is not { } text) return null;
        ulong bytes = 0;
        foreach (var item in text.Split('\n'))
        {
            if (item.Split(' ') is ["anon" or "file_mapped", var value]) bytes += ulong.Parse(value, CultureInfo.InvariantCulture);
        }
        return bytes;
    }

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
