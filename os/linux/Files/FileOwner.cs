using Talos.Linux.Native;

namespace Talos.Linux.Files;

/// <summary>Owner and mode of files that a service of its own uid must reach.</summary>
public static class FileOwner
{
    /// <summary>chown(2).</summary>
    public static void Set(string path, uint user, uint group) =>
        LinuxException.ThrowIfFailed(Libc.chown(path, user, group), $"give `{path}` to {user}:{group}");

    /// <summary>Makes a directory with exactly this owner and mode, whether or not it existed.</summary>
    public static void MakeDirectory(string path, uint user, uint group, UnixFileMode mode)
    {
        Directory.CreateDirectory(path, mode);
        Set(path, user, group);
        // After chown, which may clear bits; and the umask had its say in mkdir.
        File.SetUnixFileMode(path, mode);
    }

    /// <summary>Writes a file that never exists with a wider mode or another owner, and replaces an older one at once.</summary>
    public static void WriteFile(string path, ReadOnlySpan<byte> content, uint user, uint group, UnixFileMode mode)
    {
        var temporary = path + ".new";
        File.Delete(temporary);
        using (var file = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        Set(temporary, user, group);
        File.SetUnixFileMode(temporary, mode);
        File.Move(temporary, path, overwrite: true);
    }
}
