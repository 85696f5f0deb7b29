using System.Text;

namespace Talos.Api.Server;

/// <summary>Small files that are either the old or the new ones after a power cut, and that only their owner may read.</summary>
public static class DurableFile
{
    // LIMIT: a key and a chain of certificates take under 10 KiB, a bundle of roots under 100 KiB, a policy bundle what one request holds.
    const int MaxBytes = 1 << 20;

    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes the file as a whole, mode 0600; on the disk when this returns.</summary>
    /// <exception cref="IOException">It cannot be written; the old one is as it was.</exception>
    public static void Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    /// <inheritdoc cref="Write(string, string)"/>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + ".new";
        File.Delete(temporary);
        using var file = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
            BufferSize = 0,
        });
        file.Write(content);
        file.Flush(flushToDisk: true);
        File.Move(temporary, path, overwrite: true);
        // The rename belongs to the inode's last transaction on ext4 and xfs: this flush commits the directory entry as well.
        file.Flush(flushToDisk: true);
    }

    /// <summary>Null when there is no such file.</summary>
    /// <exception cref="IOException">The file is too large, or others may read it.</exception>
    public static string? Read(string path) => ReadBytes(path) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    /// <inheritdoc cref="Read"/>
    public static byte[]? ReadBytes(string path)
    {
        if (!File.Exists(path)) return null;
        if ((File.GetUnixFileMode(path) & ~OwnerOnly) != 0) throw new IOException($"`{path}` is open to others; its mode must be 0600");
        if (new FileInfo(path).Length > MaxBytes) throw new IOException($"`{path}` is larger than {MaxBytes} bytes");
        return File.ReadAllBytes(path);
    }
}
