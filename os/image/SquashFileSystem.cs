using System.Diagnostics;

namespace Talos.Image;

/// <summary>Packs a tree into a squashfs image: everything owned by root, no time in it, so that equal trees make equal bytes.</summary>
static class SquashFileSystem
{
    static readonly IReadOnlyList<string> Options =
    [
        "-noappend", "-quiet", "-no-progress",
        "-all-root", "-all-time", "0", "-mkfs-time", "0", "-no-xattrs", "-no-exports",
        "-comp", "zstd", "-Xcompression-level", "22", "-b", "1M",
    ];

    /// <exception cref="ImageException">mksquashfs is not there or fails.</exception>
    internal static void Pack(string tree, string image)
    {
        var start = new ProcessStartInfo("mksquashfs") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(tree);
        start.ArgumentList.Add(image);
        foreach (var option in Options) start.ArgumentList.Add(option);
        // mksquashfs refuses to be told the time twice.
        start.Environment.Remove("SOURCE_DATE_EPOCH");
        using var process = Start(start);
        var error = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new ImageException($"mksquashfs failed: {error.Result.Trim()}");
    }

    static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new ImageException($"mksquashfs cannot be started: {exception.Message}", "run build/prerequisites.sh");
        }
    }
}
