namespace Talos.Linux.Tests;

public sealed class ConfinementTests : IDisposable
{
    readonly DirectoryInfo _state = Directory.CreateDirectory(Path.Combine("/var/tmp", Path.GetRandomFileName()));

    [Fact]
    public async Task Denies_every_privilege_to_a_service()
    {
        var (status, output) = await ConfinedChild.StartAsync(_state.FullName, "/bin/cat", "/proc/self/status");

        Assert.True(status.IsClean, output);
        var lines = output.Split('\n').Select(line => line.Split(':', 2)).Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => pair[1].Trim());
        Assert.Equal("50\t50\t50\t50", lines["Uid"]);
        Assert.Equal("50\t50\t50\t50", lines["Gid"]);
        Assert.Equal("", lines["Groups"]);
        foreach (var set in new[] { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" })
            Assert.Equal("0000000000000000", lines[set]);
        Assert.Equal("1", lines["NoNewPrivs"]);
        // 2: a filter is in force.
        Assert.Equal("2", lines["Seccomp"]);
    }

    [Fact]
    public async Task Shows_a_service_nothing_but_its_view()
    {
        var (_, root) = await ConfinedChild.StartAsync(_state.FullName, "/bin/ls", "/");

        Assert.Equal(["bin", "dev", "lib", "lib64", "proc", "tmp", "usr", "var"], root.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
    }

    [Fact]
    public async Task Shows_a_service_no_process_of_others()
    {
        var (_, processes) = await ConfinedChild.StartAsync(_state.FullName, "/bin/ls", "/proc");

        Assert.Single(processes.Split('\n'), name => int.TryParse(name, out _));
    }

    [Fact]
    public async Task Lets_a_service_write_its_own_directory_only()
    {
        Files.FileOwner.Set(_state.FullName, ConfinedChild.User, ConfinedChild.User);

        var (denied, reason) = await ConfinedChild.StartAsync(_state.FullName, "/bin/touch", "/usr/mine");
        var (allowed, output) = await ConfinedChild.StartAsync(_state.FullName, "/bin/touch", Path.Combine(_state.FullName, "mine"));

        Assert.False(denied.IsClean);
        Assert.Contains("Read-only file system", reason, StringComparison.Ordinal);
        Assert.True(allowed.IsClean, output);
    }

    [Theory]
    [InlineData("/usr/bin/unshare", "--mount", "true")]
    [InlineData("/bin/mount", "-t", "tmpfs", "none", "/tmp")]
    public async Task Kills_a_service_that_makes_a_call_of_an_intruder(string executable, params string[] arguments)
    {
        var (status, output) = await ConfinedChild.StartAsync(_state.FullName, executable, arguments);

        // signal(7): SIGSYS
        Assert.True(status.Signal == 31, status + output);
    }

    public void Dispose() => _state.Delete(recursive: true);
}
