using Xunit;

namespace Talos.Audit.Tests;

/// <summary>Files that go with each checkpoint are written anew in place of being deleted.</summary>
public sealed class RecyclingTests
{
    static string[] Files(LogFolder folder, string below) =>
        [.. Directory.EnumerateFiles(Path.Combine(folder.LogPath, below), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Accepts_a_thousand_checkpoints_and_keeps_the_files_of_one()
    {
        using LogFolder folder = new();
        await using (AuditLog log = folder.Open())
        {
            for (int i = 0; i < 1000; i++)
            {
                await log.AppendAsync(LogFolder.Opened(i));
                log.PublishNow();
            }
            // 1000 = 3 · 256 + 232: three full bundles and tiles, the open ones of level 0, and the open tile of level 1.
            Assert.Equal(3 + 1 + 3 + 1 + 1, Files(folder, "tile").Length);
            Assert.InRange(Files(folder, "spare").Length, 1, 24);
        }
        Assert.Equal(AuditVerdict.Verified, AuditVerifier.Verify(folder.LogPath, new AuditVerifierOptions { LogKeys = [folder.Signer.Key] }).Verdict);
    }

    [Fact]
    public async Task Survives_a_kill_between_the_two_steps_of_a_new_checkpoint()
    {
        using LogFolder folder = new();
        await using (AuditLog log = folder.Open())
        {
            for (int i = 0; i < 5; i++) await log.AppendAsync(LogFolder.Opened(i));
        }
        // The checkpoint that was to be replaced has two names.
        string second = Path.Combine(folder.LogPath, "spare", "7");
        using (var link = System.Diagnostics.Process.Start("ln", [Path.Combine(folder.LogPath, "checkpoint"), second]))
            await link.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(File.Exists(second));
        byte[] before = await File.ReadAllBytesAsync(Path.Combine(folder.LogPath, "checkpoint"), TestContext.Current.CancellationToken);

        await using AuditLog again = folder.Open();

        Assert.Empty(Files(folder, "spare"));
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(folder.LogPath, "checkpoint"), TestContext.Current.CancellationToken));
        Assert.Equal(5UL, again.Size);
    }
}
