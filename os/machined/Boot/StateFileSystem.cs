using Talos.Linux;
using Talos.Linux.Files;
using Talos.Linux.Kernel;
using Talos.Linux.Processes;

namespace Talos.Machined.Boot;

/// <summary>What survives a restart of the machine: the disk labelled STATE, at /state, with a directory for each service.</summary>
static class StateFileSystem
{
    internal const string Root = "/state";
    const string Label = "STATE";
    const uint RootUser = 0, OsdUser = 50, TrustdUser = 51;
    const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Owner and mode of every directory; each service sees its own alone.</summary>
    static readonly (string Path, uint User)[] Directories = [("osd", OsdUser), ("trustd", TrustdUser), ("machined", RootUser)];

    /// <returns>Null, or one sentence that says why nothing here will survive a restart.</returns>
    internal static string? Mount()
    {
        var warning = Attach();
        foreach (var (path, user) in Directories)
            FileOwner.MakeDirectory(Path.Combine(Root, path), user, user, Private);
        return warning;
    }

    static string? Attach()
    {
        const MountFlags Flags = MountFlags.NoSuid | MountFlags.NoDevices | MountFlags.NoExecute;
        if (MountTable.Read().Any(mount => mount.Target == Root))
            // machined was restarted; the file system stayed.
            return null;
        var volume = Volume.All().FirstOrDefault(volume => volume is { FileSystem: "ext4", Label: Label });
        string reason;
        if (volume is null)
            reason = "no disk with an ext4 file system labelled STATE; keys and records will not survive a restart";
        else
        {
            try
            {
                Mounts.Attach(volume.Device, Root, "ext4", Flags | MountFlags.NoAccessTime, "errors=remount-ro");
                return null;
            }
            catch (LinuxException e)
            {
                reason = $"the state file system is unusable: {e.Message}";
            }
        }
        Mounts.Attach("tmpfs", Root, "tmpfs", Flags, "mode=0755,size=64m");
        return reason;
    }

    /// <summary>Identifies the machine for its whole life: 128 random bits, made once.</summary>
    internal static string MachineId(string directory)
    {
        var path = Path.Combine(directory, "machine-id");
        if (File.Exists(path) && ProcFile.TryReadLine(path) is { Length: 32 } id)
            return id;
        id = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));
        FileOwner.WriteFile(path, System.Text.Encoding.ASCII.GetBytes(id + "\n"), SocketPeer.OwnUser, SocketPeer.OwnGroup, UnixFileMode.UserRead);
        return id;
    }
}
