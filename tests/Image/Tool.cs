using System.Diagnostics;
using Xunit;

namespace Talos.Image.Tests;

/// <summary>A program of the machine that a test compares with.</summary>
static class Tool
{
    internal static (int ExitCode, string Text) Run(string program, params string[] arguments)
    {
        var path = new[] { "/usr/sbin", "/sbin", "/usr/bin", "/bin" }.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"{program} IS NOT INSTALLED, NOTHING WAS COMPARED: run build/prerequisites.sh");
        var start = new ProcessStartInfo(path!) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }
}
