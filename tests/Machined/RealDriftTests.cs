using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Talos.Api.Compliance.V1;
using Talos.Linux.Processes;

namespace Talos.Machined.Tests;

/// <summary>The real machined finds a setting that a real kernel changed. In a network namespace of its own, so that this machine keeps its settings.</summary>
public sealed class RealDriftTests : IAsyncLifetime
{
    const string Setting = "net.ipv4.conf.all.log_martians";

    readonly string _directory = Directory.CreateTempSubdirectory("talos-drift-").FullName;
    Process? _machined;

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess) return;
        Directory.CreateDirectory(_directory + "/bin");
        foreach (var id in new[] { "osd", "trustd" })
        {
            File.WriteAllText($"{_directory}/bin/{id}", "#!/bin/sh\nexec sleep 1000\n");
            File.SetUnixFileMode($"{_directory}/bin/{id}", UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
        File.WriteAllText(_directory + "/machine.yaml", "version: v1alpha1\ncluster: demo\nmachine:\n  type: controlplane\n  hostname: cp-1\n");
        _machined = Process.Start("unshare",
        [
            "--net", Path.Combine(AppContext.BaseDirectory, "talosd"), "machined", "--standalone", "--config", _directory + "/machine.yaml",
            "--state", _directory + "/state", "--run", _directory + "/run", "--bin", _directory + "/bin",
        ]);
        while (!File.Exists(_directory + "/run/machined.sock"))
        {
            Assert.False(_machined.HasExited);
            await Task.Delay(20);
        }
    }

    [Fact]
    public async Task Finds_a_changed_setting_and_its_return()
    {
        if (_machined is null) Assert.Skip("SKIPPED LOUDLY: a network namespace needs root");
        using var socket = new MachinedSocket(_directory + "/run/machined.sock");
        using var watch = socket.Compliance.Watch(new WatchRequest { NewOnly = true }, new CallOptions(deadline: DateTime.UtcNow.AddSeconds(60)));
        Assert.True(await watch.ResponseStream.MoveNext());
        var before = Sysctl("-n", Setting).Trim();
        var other = before == "0" ? "1" : "0";

        Sysctl("-w", $"{Setting}={other}");
        var drift = await NextAsync(watch, d => d.Kind == DriftKind.Sysctl);
        Assert.Equal((Setting, before, other, false), (drift.Subject, drift.Before, drift.After, drift.Returned));
        Assert.NotEmpty(drift.Checks);

        Sysctl("-w", $"{Setting}={before}");
        Assert.True((await NextAsync(watch, d => d.Kind == DriftKind.Sysctl)).Returned);
        var history = await socket.Compliance.HistoryAsync(new HistoryRequest());
        Assert.Contains(history.Scans, s => s.Cause == $"sysctl `{Setting}` changed from `{before}` to `{other}`");
        Assert.Equal(["start"], history.Scans.Take(1).Select(s => s.Cause));
    }

    static async Task<Drift> NextAsync(AsyncServerStreamingCall<WatchResponse> watch, Func<Drift, bool> wanted)
    {
        while (await watch.ResponseStream.MoveNext())
            if (watch.ResponseStream.Current.Drift is { } drift && wanted(drift)) return drift;
        throw new InvalidOperationException("machined ended the stream");
    }

    string Sysctl(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("nsenter", ["-t", _machined!.Id.ToString(CultureInfo.InvariantCulture), "--net", "sysctl", .. arguments]) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    public async ValueTask DisposeAsync()
    {
        if (_machined is not null)
        {
            Assert.Equal(0, Talos.Linux.Native.Libc.kill(_machined.Id, (int)Signal.Terminate));
            await _machined.WaitForExitAsync();
            _machined.Dispose();
        }
        Directory.Delete(_directory, recursive: true);
    }
}
