using System.Diagnostics;
using Xunit;

namespace Talos.EndToEnd.Tests;

/// <summary>Nothing on a node runs containers yet; this proves that our kernel, with our command line and settings, can.</summary>
public sealed class ContainerTests
{
    [Fact]
    public async Task Accepts_a_container_and_confines_it()
    {
        if (Environment.GetEnvironmentVariable("TALOS_CONTAINERD") is null)
            Assert.Skip("SKIPPED LOUDLY: it downloads Debian's containerd and boots a machine; run it with TALOS_CONTAINERD=1, or build/containerd-proof.sh");
        var start = new ProcessStartInfo(Path.Combine(OsctlProgram.Root, "build", "containerd-proof.sh")) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{output}\n{await errors}");
        Assert.Contains("container: done", output, StringComparison.Ordinal);
    }
}
