using System.Globalization;
using Talos.Api.Machine.V1;
using Talos.Linux.Processes;

namespace Talos.Machined.Tests;

/// <summary>The real machined in a process of its own, with shell scripts in the parts of osd and trustd.</summary>
public sealed class StandaloneTests : IAsyncLifetime
{
    readonly string _directory = Directory.CreateTempSubdirectory("talos-standalone-").FullName;
    Child _machined = null!;
    Task<string> _output = null!;
    MachinedSocket _socket = null!;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_directory + "/bin");
        foreach (var id in new[] { "osd", "trustd" })
        {
            File.WriteAllText($"{_directory}/bin/{id}", $"#!/bin/sh\necho {id} \"$@\"; test -r \"$2\" && exec sleep 1000\n");
            File.SetUnixFileMode($"{_directory}/bin/{id}", UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
        File.WriteAllText(_directory + "/machine.yaml", "version: v1alpha1\ncluster: demo\nmachine:\n  type: controlplane\n  hostname: cp-1\n");
        _machined = Start("--standalone", "--config", _directory + "/machine.yaml", "--state", _directory + "/state", "--run", _directory + "/run", "--bin", _directory + "/bin");
        _output = ReadAsync(_machined);
        while (!File.Exists(_directory + "/run/machined.sock"))
        {
            Assert.False(_machined.Ended.IsCompleted, _machined.Ended.IsCompleted ? await _output : "");
            await Task.Delay(20);
        }
        _socket = new MachinedSocket(_directory + "/run/machined.sock");
    }

    [Fact]
    public async Task Runs_restarts_and_ends_services()
    {
        var first = await RunningAsync(_ => true);
        Assert.Equal(["trustd", "osd"], first.Keys);

        SendKill(first["trustd"]);
        var second = await RunningAsync(pids => pids["trustd"] != first["trustd"]);
        Assert.Equal(first["osd"], second["osd"]);

        await _socket.Client.RebootAsync(new RebootRequest());
        var third = await RunningAsync(pids => pids["trustd"] != second["trustd"] && pids["osd"] != second["osd"]);

        await _socket.Client.ShutdownAsync(new ShutdownRequest());
        var status = await _machined.Ended.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(status.IsClean, status + await _output);
        foreach (var pid in third.Values)
            Assert.False(Directory.Exists("/proc/" + pid.ToString(CultureInfo.InvariantCulture)));
        Assert.Contains($"osd --config {_directory}/run/osd.yaml", File.ReadAllText(_directory + "/run/log/osd.log"), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(_directory + "/run/trustd.yaml"));
    }

    [Fact]
    public async Task Rejects_a_bad_configuration_with_its_place()
    {
        File.WriteAllText(_directory + "/bad.yaml", "version: v1alpha1\ncluster: demo\nmachine:\n  type: controlplane\n  hostnme: cp-1\n");
        var child = Start("--standalone", "--config", _directory + "/bad.yaml", "--state", _directory + "/state2", "--run", _directory + "/run2");

        Assert.Contains("bad.yaml:5:3: unknown field `hostnme`", await ReadAsync(child), StringComparison.Ordinal);
        Assert.Equal(1, (await child.Ended).Code);
    }

    [Theory]
    [InlineData("--standalone", "`--config` is missing")]
    [InlineData("--standalone --config", "`--config` needs a value")]
    [InlineData("--standalone --confg x", "unknown argument `--confg`")]
    [InlineData("--help", "unknown argument `--help`")]
    [InlineData("--standalone --config a --state b --run c --listen-base 70000", "`70000` is no port")]
    public void Rejects_wrong_arguments(string line, string sentence)
    {
        Assert.False(StandaloneOptions.TryParse(line.Split(' '), out _, out var error));
        Assert.Equal(sentence, error);
    }

    static Child Start(params string[] arguments) => new Reaper().Start(new ProcessStart
    {
        Executable = Path.Combine(AppContext.BaseDirectory, "talosd"),
        Arguments = ["machined", .. arguments],
        Environment = [.. new[] { "PATH", "HOME", "DOTNET_ROOT" }.Select(name => $"{name}={Environment.GetEnvironmentVariable(name)}").Where(pair => !pair.EndsWith('='))],
    });

    static async Task<string> ReadAsync(Child child)
    {
        using var reader = new StreamReader(new FileStream(child.Output, FileAccess.Read));
        return await reader.ReadToEndAsync();
    }

    async Task<Dictionary<string, int>> RunningAsync(Func<Dictionary<string, int>, bool> reached)
    {
        while (true)
        {
            var services = (await _socket.Client.ServiceListAsync(new ServiceListRequest())).Services;
            var pids = services.ToDictionary(service => service.Id, service => service.Pid);
            if (services.All(service => service.State == ServiceState.Running) && reached(pids))
                return pids;
            await Task.Delay(20);
        }
    }

    static void SendKill(int pid) => Assert.Equal(0, Talos.Linux.Native.Libc.kill(pid, (int)Signal.Kill));

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _machined.Send(Signal.Terminate);
        await _machined.Ended;
        Directory.Delete(_directory, recursive: true);
    }
}
