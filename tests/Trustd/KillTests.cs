using System.Diagnostics;
using Xunit;

namespace Talos.Trustd.Tests;

public sealed class KillTests
{
    // Hundreds: dotnet run -c Release --project tests/Fuzz -- trustd-kill 300
    const string Rounds = "8";

    [Fact]
    public async Task Survives_SIGKILL_while_issuing_revoking_and_changing_the_authority()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        var program = Path.Combine(AppContext.BaseDirectory, "../../Talos.Fuzz", configuration, "Talos.Fuzz");
        Assert.True(File.Exists(program), $"`{program}` was not built");
        var folder = Directory.CreateTempSubdirectory("talos-trustd-kill-").FullName;
        var start = new ProcessStartInfo(program, ["trustd-kill", Rounds, folder]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output + await error);
    }
}
