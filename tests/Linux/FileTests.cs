using Talos.Linux.Files;
using Talos.Linux.Kernel;

namespace Talos.Linux.Tests;

public sealed class FileTests : IDisposable
{
    readonly string _root = Directory.CreateTempSubdirectory("talos-files-").FullName;

    [Fact]
    public void Denies_every_path_with_a_symbolic_link()
    {
        Directory.CreateDirectory(Path.Combine(_root, "a"));
        File.WriteAllText(Path.Combine(_root, "a/file"), "text");
        File.CreateSymbolicLink(Path.Combine(_root, "link"), "a/file");
        Directory.CreateSymbolicLink(Path.Combine(_root, "way"), "a");
        Directory.CreateSymbolicLink(Path.Combine(_root, "out"), "/etc");
        using var root = DirectoryHandle.Open(_root);

        using (var file = root.File("a/file"))
            Assert.True(DirectoryHandle.Status(file) is { IsRegular: true, Size: 4 });
        foreach (var path in new[] { "link", "way/file", "out/passwd" })
            Assert.Equal(40, Assert.Throws<LinuxException>(() => root.File(path)).Errno);
        foreach (var path in new[] { "../etc/passwd", "/etc/passwd", "a/../../etc" })
            Assert.Throws<LinuxException>(() => root.File(path));
        Assert.True(root.Status("link").IsSymbolicLink);
        Assert.Equal("a/file", root.LinkTarget("link"));
        Assert.Equal(["a", "link", "out", "way"], root.Names());
    }

    [Fact]
    public void Writes_files_with_owner_and_mode_at_once()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: ownership");
        var path = Path.Combine(_root, "osd.yaml");
        FileOwner.WriteFile(path, "one"u8, 50, 50, UnixFileMode.UserRead);
        FileOwner.WriteFile(path, "two"u8, 50, 51, UnixFileMode.UserRead);

        using var root = DirectoryHandle.Open(_root);
        Assert.Equal((0x8100u, 50u, 51u), (root.Status("osd.yaml").Mode, root.Status("osd.yaml").User, root.Status("osd.yaml").Group));
        Assert.Equal("two", File.ReadAllText(path));
        Assert.Equal(["osd.yaml"], root.Names());
    }

    [Fact]
    public void Syncs_what_was_written_and_says_what_cannot_be_synced()
    {
        var path = Path.Combine(_root, "journal");
        using (var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite))
        {
            RandomAccess.Write(file, "entry"u8, 0);
            DataSync.Flush(file);
        }

        Assert.Equal("entry", File.ReadAllText(path));
        using var random = File.OpenHandle("/dev/zero");
        var refused = Assert.Throws<LinuxException>(() => DataSync.Flush(random));
        Assert.Equal((22, 22), (refused.Errno, refused.HResult));
        Assert.StartsWith("fdatasync: ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Measures_file_systems()
    {
        Assert.True(FileSystemSpace.TryRead("/") is { Size: > 0 });
        Assert.Null(FileSystemSpace.TryRead("/nowhere"));
    }

    [Fact]
    public void Recognises_labels()
    {
        var ext4 = new byte[2048];
        (ext4[1080], ext4[1081]) = (0x53, 0xEF);
        "STATE"u8.CopyTo(ext4.AsSpan(1144));
        var fat = new byte[2048];
        (fat[510], fat[511]) = (0x55, 0xAA);
        "FAT32"u8.CopyTo(fat.AsSpan(82));
        "TALOSCFG   "u8.CopyTo(fat.AsSpan(71));
        var iso = new byte[128];
        iso[0] = 1;
        "CD001"u8.CopyTo(iso.AsSpan(1));
        "TALOSCFG                        "u8.CopyTo(iso.AsSpan(40));

        Assert.Equal(new Volume("d", "ext4", "STATE"), Volume.Identify("d", ext4, []));
        Assert.Equal(new Volume("d", "vfat", "TALOSCFG"), Volume.Identify("d", fat, []));
        Assert.Equal(new Volume("d", "iso9660", "TALOSCFG"), Volume.Identify("d", [], iso));
        Assert.Null(Volume.Identify("d", new byte[2048], new byte[128]));
        Assert.Null(Volume.Identify("d", ext4.AsSpan(0, 1100), []));
    }

    [Theory]
    [InlineData("6,339,5140900,-;NET: Registered protocol family 10\n", "[    5.140900] NET: Registered protocol family 10")]
    [InlineData("30,340,5690716,-,caller=T1;udevd[80]: starting\n SUBSYSTEM=x\n DEVICE=y\n", "[    5.690716] udevd[80]: starting")]
    [InlineData("6,1,2,-;no end", "[    0.000002] no end")]
    [InlineData("6,1,x,-;text", null)]
    [InlineData("text", null)]
    [InlineData("", null)]
    public void Formats_kernel_records(string record, string? line) => Assert.Equal(line, KernelLog.Format(record));

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
