using System.Diagnostics;
using Xunit;

namespace Talos.Audit.Tests;

public sealed class KillTests
{
    // Five hundred: dotnet run -c Release --project tests/Fuzz -- audit-kill 500
    const int Rounds = 25;

    [Fact]
    public async Task Survives_SIGKILL_while_appending_and_exporting()
    {
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        string program = Path.Combine(AppContext.BaseDirectory, "../../Talos.Fuzz", configuration, "Talos.Fuzz");
        Assert.True(File.Exists(program), $"`{program}` was not built");
        using LogFolder folder = new();
        ProcessStartInfo start = new(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["audit-kill", Rounds.ToString(System.Globalization.CultureInfo.InvariantCulture), Path.Combine(folder.Path, "kill")])
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, output + await error);
    }
}
