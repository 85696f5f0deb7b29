using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Talos.Api.Compliance.V1;
using Talos.Linux.Processes;
using Talos.Linux.Supervision;
using Talos.Machined.Api;
using Talos.Machined.Compliance;
using Talos.Machined.Services;

namespace Talos.Machined.Tests;

/// <summary>The live reading of this machine, over the real socket.</summary>
public sealed class LiveReadingTests : IAsyncLifetime
{
    readonly string _directory = Directory.CreateTempSubdirectory("talos-reading-").FullName;
    readonly CancellationTokenSource _stop = new();
    LiveReadingFiles _files = null!;
    Supervisor _supervisor = null!;
    WebApplication _server = null!;
    MachinedSocket _socket = null!;
    Task _running = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        _files = new(Path.Combine(_directory, "baseline.json"), Path.Combine(_directory, "history"));
        _supervisor = new Supervisor([], new Reaper(), _directory, TimeProvider.System);
        await Task.CompletedTask;
    }

    // Ports and mounts of this machine change while other tests run.
    async Task StartAsync()
    {
        var reading = new LiveReading(TimeProvider.System, _files, (kind, _) => kind is Checks.DriftKind.Port or Checks.DriftKind.Mount or Checks.DriftKind.Mode, walksTree: false);
        var handler = new MachineHandler(new Node(), new LocalServices(_supervisor, () => { }), new LogDirectory(_directory, TimeProvider.System), TimeProvider.System);
        _server = MachineServer.Create(Path.Combine(_directory, "machined.sock"), [SocketPeer.OwnUser], handler, new ComplianceHandler(reading));
        await _server.StartAsync();
        _socket = new MachinedSocket(Path.Combine(_directory, "machined.sock"));
        _running = reading.RunAsync(_stop.Token);
    }

    [Fact]
    public async Task Answers_with_everything_a_report_needs()
    {
        await StartAsync();
        var report = await _socket.Compliance.ReportAsync(new ReportRequest());

        Assert.Equal(["kspp", "talos-node", "cis-linux"], report.Benchmarks.Select(b => b.Id));
        Assert.True(report.Results.Count > 300);
        Assert.All(report.Results, r => Assert.True(r is { Id.Length: > 0, Title.Length: > 0, Citation.Length: > 0, Rationale.Length: > 0, Remediation.Length: > 0, Evidence.Length: > 0, Section.Length: > 0 }, r.Id));
        Assert.All(report.Results, r => Assert.Equal(r.Verdict == Verdict.Manual, r.Facts.Count == 0));
        Assert.All(report.Results.Where(r => r.Verdict == Verdict.Fail), r => Assert.Contains(r.Facts, f => f.Verdict == Verdict.Fail));

        var kspp = await _socket.Compliance.ReportAsync(new ReportRequest { Benchmark = "kspp" });
        Assert.Equal(["kspp"], kspp.Results.Select(r => r.Benchmark).Distinct());
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await _socket.Compliance.ReportAsync(new ReportRequest { Benchmark = "kspq" }));
        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
    }

    [Fact]
    public async Task Tells_where_it_stands_and_keeps_it()
    {
        await StartAsync();
        using (var watch = _socket.Compliance.Watch(new WatchRequest()))
        {
            Assert.True(await watch.ResponseStream.MoveNext());
            var standing = watch.ResponseStream.Current.Standing;
            Assert.Equal((0U, "kspp talos-node cis-linux"), (standing.OpenCount, string.Join(' ', standing.Sums.Select(s => s.Benchmark))));
        }
        Assert.Equal("start", Assert.Single((await _socket.Compliance.HistoryAsync(new HistoryRequest())).Scans).Cause);
        while (!File.Exists(_files.HistoryFile)) await Task.Delay(5, TestContext.Current.CancellationToken);
        Assert.Single(LiveReadingStore.ReadHistory(_files.HistoryFile));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_files.BaselineFile!));
    }

    [Fact]
    public async Task Finds_what_changed_while_machined_was_away()
    {
        // A predecessor saw another value of a setting of this machine.
        LiveReadingStore.WriteBaseline(_files.BaselineFile, new(DateTimeOffset.UnixEpoch, []));
        await StartAsync();
        using var watch = _socket.Compliance.Watch(new WatchRequest());
        while (await watch.ResponseStream.MoveNext())
        {
            if (watch.ResponseStream.Current.Drift is not { } drift) continue;
            Assert.Equal((DriftKind.Sysctl, false, 1UL), (drift.Kind, drift.HasBefore, drift.Sequence));
            break;
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"since\": 7}")]
    [InlineData("{\"since\": \"2026-01-01T00:00:00Z\", \"facts\": [{\"kind\": \"x\"}]}")]
    [InlineData("\u0001\u0002")]
    public void Survives_files_that_are_damaged(string text)
    {
        File.WriteAllText(_files.BaselineFile!, text);
        File.WriteAllText(_files.HistoryFile!, text);
        Assert.Null(LiveReadingStore.ReadBaseline(_files.BaselineFile));
        Assert.Empty(LiveReadingStore.ReadHistory(_files.HistoryFile));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _socket?.Dispose();
        if (_server is not null) await _server.DisposeAsync();
        _supervisor.Dispose();
        _stop.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
