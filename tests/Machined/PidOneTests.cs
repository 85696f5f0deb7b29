using Talos.Linux.Kernel;
using Talos.Linux.Processes;
using Talos.Linux.Supervision;
using Talos.Machined.Services;

namespace Talos.Machined.Tests;

/// <summary>The real init as process 1 of namespaces of its own. There is no machined to start, which it must live with.</summary>
public sealed class PidOneTests
{
    const string Tool = "/usr/bin/unshare";
    static readonly string[] ServiceGroups = ["/sys/fs/cgroup/machined", "/sys/fs/cgroup/unified/machined"];

    [Fact]
    public async Task Survives_without_any_service_and_ends_when_asked()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists(Tool), "needs root and unshare of util-linux");
        using var program = InitProgram.OutsideItsMounts();
        var outside = new Reaper().Start(new ProcessStart
        {
            Executable = Tool,
            Arguments = ["--pid", "--fork", "--kill-child", "--mount", "--net", "--uts", "--ipc", program.Path],
            Environment = [.. new[] { "PATH", "HOME", "DOTNET_ROOT" }.Select(name => $"{name}={Environment.GetEnvironmentVariable(name)}").Where(pair => !pair.EndsWith('='))],
        });
        using var reader = new StreamReader(new FileStream(outside.Output, FileAccess.Read));
        var said = new List<string>();
        try
        {
            await SaysAsync("init: started");
            var client = new InitClient($"/proc/{await ChildOfAsync(outside.ProcessId)}/root{ControlProtocol.SocketPath}");
            // The launcher finds no /sbin/machined: tried again and again.
            await SaysAsync("machined: launch: ");
            await SaysAsync("machined: launch: ");
            var services = await client.ListAsync(CancellationToken.None);
            Assert.Equal(["machined", "trustd", "osd"], services.Select(service => service.Id));
            Assert.True(services[0].Restarts > 0);
            Assert.Equal(ServiceState.Waiting, services[2].State);

            await client.EndAsync(MachineEnd.PowerOff, CancellationToken.None);
            await SaysAsync("init: stopping services, then power off");
            await SaysAsync("init: end");
        }
        finally
        {
            outside.Send(Signal.Kill);
            await outside.Ended.WaitAsync(TimeSpan.FromSeconds(60));
            // Control groups belong to no namespace: init made one for the service it tried to start.
            foreach (var group in ServiceGroups.Where(Directory.Exists))
                Directory.Delete(group);
        }

        async Task SaysAsync(string sentence)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while (await reader.ReadLineAsync(patience.Token) is { } line)
            {
                said.Add(line);
                if (line.StartsWith(sentence, StringComparison.Ordinal))
                    return;
            }
            Assert.Fail($"never said `{sentence}`:\n{string.Join('\n', said)}");
        }
    }

    static async Task<int> ChildOfAsync(int pid)
    {
        while (true)
        {
            if (ProcessTable.Read().FirstOrDefault(process => process.ParentId == pid) is { } child)
                return child.ProcessId;
            await Task.Yield();
        }
    }

    /// <summary>init where its own mounts do not hide it from the launcher that it starts: a clone may lie in /tmp.</summary>
    sealed class InitProgram(string folder, bool isCopy) : IDisposable
    {
        static readonly string[] Mounted = ["/tmp/", "/run/", "/var/", "/dev/"];

        public string Path => System.IO.Path.Combine(folder, "init");

        public static InitProgram OutsideItsMounts()
        {
            if (!Mounted.Any(AppContext.BaseDirectory.StartsWith)) return new InitProgram(AppContext.BaseDirectory, isCopy: false);
            var copy = Directory.CreateDirectory($"/opt/talos-init-{Guid.NewGuid():N}").FullName;
            foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory)) File.Copy(file, System.IO.Path.Combine(copy, System.IO.Path.GetFileName(file)));
            return new InitProgram(copy, isCopy: true);
        }

        public void Dispose()
        {
            if (isCopy) Directory.Delete(folder, recursive: true);
        }
    }
}
