using Talos.Linux.Processes;

namespace Talos.Linux.Tests;

public sealed class ReaperTests
{
    [Fact]
    public async Task Tells_each_of_many_children_its_own_end()
    {
        var reaper = new Reaper();
        var children = Enumerable.Range(0, 50)
            .Select(code => reaper.Start(new ProcessStart { Executable = "/bin/sh", Arguments = ["-c", $"exit {code}"] }))
            .ToList();
        for (var code = 0; code < children.Count; code++)
        {
            Assert.Equal($"exited with code {code}", (await children[code].Ended).ToString());
            children[code].Output.Dispose();
        }
    }

    [Fact]
    public async Task Sends_no_signal_to_a_process_that_has_ended()
    {
        var child = new Reaper().Start(new ProcessStart { Executable = "/bin/true" });
        await child.Ended;
        child.Send(Signal.Kill);
        child.Output.Dispose();
    }

    [Fact]
    public async Task Starts_a_child_with_default_signals()
    {
        var status = await RunAsync("/bin/cat", "/proc/self/status");

        Assert.Contains("SigBlk:\t0000000000000000\n", status, StringComparison.Ordinal);
        // 32 and 33 belong to the C library; glibc's posix_spawn leaves them ignored.
        Assert.Matches("SigIgn:\t0000000[01][08]0000000\n", status);
    }

    [Fact]
    public async Task Gives_a_child_no_descriptor_and_no_environment_of_its_parent()
    {
        // 3: the directory that ls itself reads.
        Assert.Equal("0\n1\n2\n3\n", await RunAsync("/bin/ls", "/proc/self/fd"));
        Assert.Equal("", await RunAsync("/usr/bin/env"));
    }

    static async Task<string> RunAsync(string executable, params string[] arguments)
    {
        var child = new Reaper().Start(new ProcessStart { Executable = executable, Arguments = arguments });
        using var reader = new StreamReader(new FileStream(child.Output, FileAccess.Read));
        var output = await reader.ReadToEndAsync();
        Assert.True((await child.Ended).IsClean, output);
        return output;
    }
}
