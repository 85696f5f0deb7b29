using Talos.Linux.Confinement;
using Talos.Linux.Processes;

namespace Talos.Linux.Tests;

/// <summary>The test program in the part of the launcher: confines itself as a service is and executes a program of the host.</summary>
static class ConfinedChild
{
    internal const string Argument = "confined-child";
    internal const uint User = 50;

    static readonly ViewEntry[] HostPrograms =
    [
        new("/bin", ViewAccess.Execute),
        new("/usr", ViewAccess.Execute),
        new("/lib", ViewAccess.Execute),
        new("/lib64", ViewAccess.Execute),
        new("/proc", ViewAccess.OwnProcesses),
        new("/dev/null", ViewAccess.Device),
        new("/tmp", ViewAccess.Private),
    ];

    internal static int Run(string[] arguments)
    {
        var (writable, executable, rest) = (arguments[0], arguments[1], arguments[2..]);
        ConfinedStart.Execute(
            new ProcessStart { Executable = executable, Arguments = rest, Environment = ["PATH=/usr/bin", "HOME=/tmp"] },
            new Confinement.Confinement
            {
                User = User,
                Group = User,
                View = [.. HostPrograms, new(writable, ViewAccess.Write)],
                Filter = SeccompProfile.Service,
            });
        return 1;
    }

    /// <summary>Runs a program of the host, confined, and gives back how it ended and what it wrote.</summary>
    internal static async Task<(ExitStatus Status, string Output)> StartAsync(string writable, string executable, params string[] arguments)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: mount namespaces, capabilities and user ids");
        var child = new Reaper().Start(new ProcessStart
        {
            Executable = Environment.ProcessPath!,
            Arguments = [Argument, writable, executable, .. arguments],
            Environment = [.. HostEnvironment()],
        });
        using var output = new FileStream(child.Output, FileAccess.Read);
        using var reader = new StreamReader(output);
        var text = await reader.ReadToEndAsync();
        return (await child.Ended, text);
    }

    // The runtime of the test program needs to be found; a node's executables carry theirs.
    static IEnumerable<string> HostEnvironment() =>
        from name in new[] { "DOTNET_ROOT", "PATH", "HOME" }
        where Environment.GetEnvironmentVariable(name) is not null
        select $"{name}={Environment.GetEnvironmentVariable(name)}";
}
