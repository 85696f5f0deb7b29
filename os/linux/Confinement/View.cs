using System.Runtime.InteropServices;
using Talos.Linux.Kernel;
using Talos.Linux.Native;

namespace Talos.Linux.Confinement;

/// <summary>What a service finds at a path.</summary>
public enum ViewAccess
{
    /// <summary>The machine's file or directory, read-only, nothing executable.</summary>
    Read = 0,
    /// <summary>As Read, but may be executed.</summary>
    Execute = 1,
    /// <summary>The machine's directory, writable as its modes allow.</summary>
    Write = 2,
    /// <summary>A device node of the machine.</summary>
    Device = 3,
    /// <summary>An empty file system in memory of its own.</summary>
    Private = 4,
    /// <summary>/proc with the service's own processes only, and the kernel's settings read-only.</summary>
    OwnProcesses = 5,
}

/// <summary>One path that a service sees. A path that the machine does not have is left out of the view.</summary>
public sealed record ViewEntry(string Path, ViewAccess Access);

/// <summary>Replaces what the calling thread sees of the file system by a list of paths.</summary>
static class View
{
    const int NewMountNamespace = 0x00020000;
    // Covers the place in the machine's tree where the new root is put together; only the new namespace sees it there.
    const string Workplace = "/tmp";

    /// <summary>Moves the thread into a mount namespace of its own that holds these paths and nothing else.</summary>
    internal static void Enter(IReadOnlyList<ViewEntry> entries)
    {
        LinuxException.ThrowIfFailed(Libc.unshare(NewMountNamespace), "unshare the mount namespace");
        Mounts.Attach("none", "/", null, MountFlags.Private | MountFlags.Recursive);
        Mounts.Attach("tmpfs", Workplace, "tmpfs", MountFlags.NoSuid | MountFlags.NoDevices, "mode=0755,size=1m");
        foreach (var entry in entries)
            Add(entry, Workplace + entry.Path);
        Mounts.Attach("none", Workplace, null, MountFlags.Remount | MountFlags.ReadOnly | MountFlags.NoSuid | MountFlags.NoDevices | MountFlags.NoExecute);
        BecomeRoot();
    }

    static void Add(ViewEntry entry, string target)
    {
        if (entry.Access is ViewAccess.Private or ViewAccess.OwnProcesses || Directory.Exists(entry.Path))
            Directory.CreateDirectory(target);
        else if (File.Exists(entry.Path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllBytes(target, []);
        }
        else
            return;
        const MountFlags Plain = MountFlags.NoSuid | MountFlags.NoDevices;
        switch (entry.Access)
        {
            case ViewAccess.Read:
                Mounts.Bind(entry.Path, target, Plain | MountFlags.NoExecute | MountFlags.ReadOnly);
                break;
            case ViewAccess.Execute:
                Mounts.Bind(entry.Path, target, Plain | MountFlags.ReadOnly);
                break;
            case ViewAccess.Write:
                Mounts.Bind(entry.Path, target, Plain | MountFlags.NoExecute);
                break;
            case ViewAccess.Device:
                Mounts.Bind(entry.Path, target, MountFlags.NoSuid | MountFlags.NoExecute);
                break;
            case ViewAccess.Private:
                Mounts.Attach("tmpfs", target, "tmpfs", Plain | MountFlags.NoExecute, "mode=1777,size=16m");
                break;
            case ViewAccess.OwnProcesses:
                Mounts.Attach("proc", target, "proc", Plain | MountFlags.NoExecute | MountFlags.ReadOnly, "hidepid=invisible");
                break;
        }
    }

    /// <summary>pivot_root(2), "pivot_root(".", ".")": the old root ends up over the new one and is taken off.</summary>
    static void BecomeRoot()
    {
        LinuxException.ThrowIfFailed(Libc.chdir(Workplace), $"enter `{Workplace}`");
        var here = Marshal.StringToCoTaskMemUTF8(".");
        LinuxException.ThrowIfFailed(Libc.Syscall(SystemCall.PivotRoot, here, here), "exchange the root");
        Marshal.FreeCoTaskMem(here);
        Mounts.Detach(".", lazily: true);
        LinuxException.ThrowIfFailed(Libc.chdir("/"), "enter the root");
    }
}
