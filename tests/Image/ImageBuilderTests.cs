using Xunit;

namespace Talos.Image.Tests;

public sealed class ImageBuilderTests : IDisposable
{
    readonly SampleSources _sample = new();

    public void Dispose() => _sample.Dispose();

    [Fact]
    public void Accepts_sources_and_lists_all_that_is_in_the_image()
    {
        RequireMksquashfs();
        var manifest = _sample.Build();
        Assert.Equal("6.12.117", manifest.KernelRelease);
        Assert.Equal(
            ["/dev", "/etc", "/etc/os-release", "/etc/passwd", "/etc/resolv.conf", "/etc/talos", "/etc/talos/policy", "/etc/talos/policy/talos",
                "/etc/talos/policy/talos/data.json", "/etc/talos/sysctl.conf", "/etc/talos/waiver-signers.pem", "/etc/talos/waivers.yaml", "/proc", "/run", "/sbin", "/sbin/init", "/sbin/machined", "/sbin/osd", "/sbin/talosd",
                "/sbin/trustd", "/state",
                "/sys", "/tmp", "/var"],
            manifest.Tree.Select(entry => entry.Path));
        Assert.All(manifest.Tree.Where(entry => entry.Kind == RootTreeEntryKind.File && !entry.Path.StartsWith("/sbin/", StringComparison.Ordinal)),
            entry => Assert.Equal("0644", entry.Mode));
        Assert.Equal(
            [("/etc/resolv.conf", "../run/resolv.conf"), ("/sbin/machined", "talosd"), ("/sbin/osd", "talosd"), ("/sbin/trustd", "talosd")],
            manifest.Tree.Where(entry => entry.Kind == RootTreeEntryKind.Link).Select(entry => (entry.Path, entry.Target)));
        Assert.Contains($" sha256 {manifest.RootHash} ", File.ReadAllText(Path.Combine(_sample.Output, "cmdline")), StringComparison.Ordinal);
    }

    [Fact]
    public void Accepts_the_same_sources_with_the_same_bytes()
    {
        RequireMksquashfs();
        _sample.Build();
        // other times, same content
        File.SetLastWriteTimeUtc(Path.Combine(_sample.Folder, "rootfs/etc/passwd"), DateTime.UnixEpoch.AddYears(3));
        var again = Path.Combine(_sample.Folder, "again");
        _sample.Build(again);
        foreach (var name in new[] { "rootfs.img", "cmdline", "manifest.json" })
            Assert.Equal(File.ReadAllBytes(Path.Combine(_sample.Output, name)), File.ReadAllBytes(Path.Combine(again, name)));
    }

    [Fact]
    public void Rejects_a_file_changed_after_the_build()
    {
        RequireMksquashfs();
        _sample.Build();
        Assert.Equal("1.2.3", ImageBuilder.Verify(_sample.Output).Version);
        File.AppendAllText(Path.Combine(_sample.Output, "cmdline"), " init=/bin/sh");
        Assert.Equal("`cmdline` is not what the manifest says", Assert.Throws<ImageException>(() => ImageBuilder.Verify(_sample.Output)).Message);
    }

    [Fact]
    public void Survives_a_refused_build_with_the_previous_image()
    {
        RequireMksquashfs();
        _sample.Build();
        Assert.Throws<ImageException>(() => ImageBuilder.Build(_sample.Sources with { Version = "2.0.0" }, _sample.Output,
            _ => throw new ImageException("refused")));
        Assert.Equal("1.2.3", ImageBuilder.Verify(_sample.Output).Version);
        Assert.False(Directory.Exists(Path.Combine(_sample.Output, ".building")));
    }

    [Fact]
    public void Rejects_a_missing_executable()
    {
        File.Delete(Path.Combine(_sample.Folder, "node/talosd"));
        Assert.EndsWith("node/talosd` does not exist", Assert.Throws<ImageException>(() => _sample.Build()).Message);
    }

    [Theory]
    [InlineData("#!/bin/sh\n", "is not an ELF file")]
    [InlineData("\u007fELF", "is not an ELF file")]
    public void Rejects_what_is_no_executable(string content, string problem)
    {
        _sample.Write("node/talosd", content);
        Assert.EndsWith(problem, Assert.Throws<ImageException>(() => _sample.Build()).Message);
    }

    [Fact]
    public void Rejects_executables_that_are_not_hardened()
    {
        const uint ExecutableStack = 7, Interpreter = 3;
        _sample.WriteBytes("node/talosd", SampleSources.StaticElf("x", stackFlags: ExecutableStack));
        Assert.EndsWith("has an executable stack", Assert.Throws<ImageException>(() => _sample.Build()).Message);
        _sample.WriteBytes("node/talosd", SampleSources.StaticElf("x", extraSegment: Interpreter));
        Assert.EndsWith("is not static: it asks for a dynamic loader", Assert.Throws<ImageException>(() => _sample.Build()).Message);
    }

    [Fact]
    public void Rejects_hidden_files_other_than_a_bundles_own()
    {
        RequireMksquashfs();
        _sample.Write("policy/.manifest", "{}");
        _sample.Build();
        _sample.Write("policy/.git", "x");
        Assert.EndsWith("policy/.git` is hidden", Assert.Throws<ImageException>(() => _sample.Build()).Message);
    }

    [Fact]
    public void Rejects_set_user_id()
    {
        File.SetUnixFileMode(Path.Combine(_sample.Folder, "rootfs/etc/passwd"), UnixFileMode.SetUser | UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.EndsWith("would run with the rights of its owner", Assert.Throws<ImageException>(() => _sample.Build()).Message);
    }

    static void RequireMksquashfs() =>
        Assert.SkipUnless(File.Exists("/usr/bin/mksquashfs"), "mksquashfs IS NOT INSTALLED, NOTHING WAS BUILT: run build/prerequisites.sh");
}
