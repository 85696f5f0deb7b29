using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace Talos.EndToEnd.Tests;

/// <summary>The kernel refuses a root file system that is not, to the bit, the one that was built.</summary>
public sealed partial class VerifiedRootTests : IDisposable
{
    const int BlockBytes = 4096;

    static readonly string Image = Path.Combine(Repository(), "out/image");

    readonly string _changed = Path.GetTempFileName();

    public void Dispose() => File.Delete(_changed);

    [Theory]
    [InlineData(0)] // the file system's own header
    [InlineData(-1)] // the last block of data: its tables
    [InlineData(2)] // the root of the hash tree: data, superblock, root
    public async Task Rejects_one_changed_bit(int place)
    {
        Assert.SkipUnless(File.Exists(Path.Combine(Image, "manifest.json")), "THERE IS NO IMAGE, NOTHING WAS BOOTED: run build/image.sh");
        Assert.SkipUnless(File.Exists("/usr/bin/qemu-system-x86_64"), "QEMU IS NOT INSTALLED, NOTHING WAS BOOTED: run build/prerequisites.sh");
        var commandLine = File.ReadAllText(Path.Combine(Image, "cmdline")).Trim();
        var dataBlocks = long.Parse(DataBlocks().Match(commandLine).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        File.Copy(Path.Combine(Image, "rootfs.img"), _changed, overwrite: true);
        FlipBit(place switch { 0 => 0, -1 => dataBlocks - 1, _ => dataBlocks + 1 });

        var console = await Boot(commandLine, TestContext.Current.CancellationToken);

        Assert.Matches("verity: .* block [0-9]+ is corrupted", console);
        Assert.Contains("Kernel panic - not syncing: dm-verity device corrupted", console, StringComparison.Ordinal);
        Assert.DoesNotContain("Run /sbin/init", console, StringComparison.Ordinal);
    }

    void FlipBit(long block)
    {
        using var file = File.Open(_changed, FileMode.Open);
        file.Position = block * BlockBytes + 9;
        var value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 1));
    }

    async Task<string> Boot(string commandLine, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("qemu-system-x86_64") { RedirectStandardOutput = true, RedirectStandardInput = true };
        // loglevel=7: the start of init would be on the console. clearcpuid: QEMU 7.2 at times faults in the emulation of cmpxchg16b.
        string[] arguments =
        [
            "-accel", "tcg", "-cpu", "max", "-m", "512", "-nographic", "-nodefaults", "-no-reboot", "-serial", "stdio",
            "-kernel", Path.Combine(Image, "vmlinuz"), "-append", commandLine + " loglevel=7 clearcpuid=cx16",
            "-drive", $"file={_changed},format=raw,if=virtio,readonly=on",
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        try
        {
            // panic=-1 restarts, -no-reboot makes an end of that.
            return await process.StandardOutput.ReadToEndAsync(limit.Token);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Talos.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    [GeneratedRegex("verity 1 [^ ]+ [^ ]+ 4096 4096 ([0-9]+) ")]
    private static partial Regex DataBlocks();
}
