using System.Diagnostics;
using Talos.Linux.Kernel;
using Xunit;

namespace Talos.Linux.Tests;

public sealed class ChangeWatchTests : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly string _directory = Directory.CreateTempSubdirectory("talos-watch-").FullName;

    [Fact]
    public async Task Tells_of_a_mode_a_new_entry_and_a_removed_one()
    {
        var file = Path.Combine(_directory, "passwd");
        File.WriteAllText(file, "");
        using var told = new SemaphoreSlim(0);
        using var watch = new ChangeWatch([_directory, _directory + "/missing", file], () => told.Release());

        File.SetUnixFileMode(file, UnixFileMode.UserRead);
        Assert.True(await told.WaitAsync(Patience, TestContext.Current.CancellationToken));
        File.WriteAllText(Path.Combine(_directory, "shadow"), "");
        Assert.True(await told.WaitAsync(Patience, TestContext.Current.CancellationToken));
        File.Delete(file);
        Assert.True(await told.WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Tells_of_a_mount_and_of_its_end()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("SKIPPED LOUDLY: mounting needs root");
        using var told = new SemaphoreSlim(0);
        using var watch = new ChangeWatch([], () => told.Release());

        Run("mount", "-t", "tmpfs", "tmpfs", _directory);
        try
        {
            Assert.True(await told.WaitAsync(Patience, TestContext.Current.CancellationToken));
        }
        finally
        {
            Run("umount", _directory);
        }
        Assert.True(await told.WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Ends_at_once()
    {
        for (var i = 0; i < 20; i++) new ChangeWatch([_directory], () => { }).Dispose();
        var before = Watches();
        for (var i = 0; i < 20; i++) new ChangeWatch([_directory], () => { }).Dispose();
        Assert.InRange(Watches(), 0, before + 5);

        // Of inotify only: other tests open files meanwhile.
        static int Watches() => Directory.GetFiles("/proc/self/fd").Count(fd => new FileInfo(fd).LinkTarget?.Contains("inotify", StringComparison.Ordinal) == true);
    }

    static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
