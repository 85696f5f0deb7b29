using System.Globalization;
using System.Security.Cryptography;

namespace Talos.Image;

enum RootTreeEntryKind
{
    Folder,
    File,
    Link,
}

/// <summary>One path of the root file system, as the manifest lists it.</summary>
sealed record RootTreeEntry(string Path, RootTreeEntryKind Kind, string Mode, long SizeBytes, string? Sha256, string? Target)
{
    internal static RootTreeEntry Read(string root, string path)
    {
        var name = "/" + System.IO.Path.GetRelativePath(root, path);
        var file = new FileInfo(path);
        if (file.LinkTarget is { } target) return new(name, RootTreeEntryKind.Link, "0777", 0, null, target);
        var mode = Convert.ToString((int)file.UnixFileMode, 8).PadLeft(4, '0');
        if (Directory.Exists(path)) return new(name, RootTreeEntryKind.Folder, mode, 0, null, null);
        if (!file.Attributes.HasFlag(FileAttributes.Normal) && (file.Attributes & FileAttributes.Device) != 0)
            throw new ImageException(string.Create(CultureInfo.InvariantCulture, $"`{name}` is a device"));
        return new(name, RootTreeEntryKind.File, mode, file.Length, HashFile(path), null);
    }

    internal static string HashFile(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
