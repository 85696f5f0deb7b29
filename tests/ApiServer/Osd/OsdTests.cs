using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;
using Talos.Api.Audit.V1;
using Talos.Api.Compliance.V1;
using Talos.Api.Configuration;
using Talos.Api.Machine.V1;
using Talos.Audit;
using Talos.Osd;
using Xunit;

namespace Talos.Api.Server.Tests.Osd;

/// <summary>osd as a whole: enrols, serves, forwards, stops; with a trustd and a machined made of this test.</summary>
public sealed partial class OsdTests : IAsyncLifetime
{
    readonly string folder = Directory.CreateTempSubdirectory("talos-osd-").FullName;
    readonly TokenSecret token = TokenSecret.Generate();
    readonly CancellationTokenSource stop = new();
    readonly List<GrpcChannel> channels = [];
    readonly int port = FreePort();
    TestHost trust = null!;
    FakeMachined machined = null!;
    Task osd = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        var trustd = new FakeTrustd(token) { Node = "cp-1" };
        trust = await TestHost.StartAsync(ClientCertificates.Optional, more: services => services.Add(trustd));
        trust.Slot.Set(trust.Authority.Trustd("cp-1"));
        (trustd.Authority, trustd.Bundle) = (trust.Authority, trust.Authority.BundlePem);
        machined = await FakeMachined.StartAsync(Path.Combine(folder, "machined.sock"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in channels) channel.Dispose();
        await stop.CancelAsync();
        await osd;
        await machined.DisposeAsync();
        await trust.DisposeAsync();
        stop.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Accepts_calls_once_it_has_a_certificate_and_forwards_them()
    {
        var channel = Start("os:admin");
        var client = new MachineService.MachineServiceClient(channel);

        var version = await client.VersionAsync(new VersionRequest(), new CallOptions().WithWaitForReady());

        Assert.Equal(("cp-1", MachineStage.Running), (version.Hostname, version.Stage));
        Assert.StartsWith("v0.", version.Tag, StringComparison.Ordinal);
        Assert.StartsWith("linux/", version.Platform, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rejects_with_machineds_own_reason_and_hint_and_no_more()
    {
        var client = new MachineService.MachineServiceClient(Start("os:admin"));

        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await client.ServiceRestartAsync(new ServiceRestartRequest { Id = "x" }, new CallOptions().WithWaitForReady()));

        Assert.Equal((StatusCode.NotFound, "there is no service `x`"), (failure.StatusCode, failure.Status.Detail));
        Assert.Equal("no-such-service", failure.Trailers.GetValue(RefusalException.ReasonTrailer));
        Assert.Equal("`osctl services` shows them", failure.Trailers.GetValue(RefusalException.HintTrailer));
        Assert.Null(failure.Trailers.GetValue("internal"));
    }

    [Fact]
    public async Task Survives_machined_being_away()
    {
        var client = new MachineService.MachineServiceClient(Start("os:admin"));
        await client.VersionAsync(new VersionRequest(), new CallOptions().WithWaitForReady());
        await machined.DisposeAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.VersionAsync(new VersionRequest()));

        Assert.Equal((StatusCode.Unavailable, "backend-unavailable"), (failure.StatusCode, failure.Trailers.GetValue(RefusalException.ReasonTrailer)));
    }

    [Fact]
    public async Task Accepts_a_callers_leaving_as_the_end_of_machineds_stream()
    {
        var client = new MachineService.MachineServiceClient(Start("os:reader"));
        using var stream = client.Logs(new LogsRequest { Id = "osd", Follow = true }, new CallOptions().WithWaitForReady());
        Assert.True(await stream.ResponseStream.MoveNext(default));
        Assert.Equal("osd", stream.ResponseStream.Current.Data.ToStringUtf8());

        stream.Dispose();

        await machined.StreamEnded.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Survives_its_own_end_in_the_middle_of_a_stream()
    {
        var client = new MachineService.MachineServiceClient(Start("os:reader"));
        using var stream = client.Logs(new LogsRequest { Id = "osd", Follow = true }, new CallOptions().WithWaitForReady());
        Assert.True(await stream.ResponseStream.MoveNext(default));

        await stop.CancelAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await stream.ResponseStream.MoveNext(default));
        Assert.Equal((StatusCode.Unavailable, "stopping"), (failure.StatusCode, failure.Trailers.GetValue(RefusalException.ReasonTrailer)));
        await osd.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Accepts_an_auditor_who_verifies_what_is_listed()
    {
        var channel = Start("os:auditor");
        var client = new AuditService.AuditServiceClient(channel);
        // What comes first is refused, and on the record.
        await Assert.ThrowsAsync<RpcException>(async () => await new MachineService.MachineServiceClient(channel).RebootAsync(new RebootRequest(), new CallOptions().WithWaitForReady()));

        using var list = client.List(new Talos.Api.Audit.V1.ListRequest());
        var entries = new List<AuditRecord>();
        await foreach (var item in list.ResponseStream.ReadAllAsync())
        {
            Assert.True(AuditRecord.TryParse(item.Index, item.Entry.Memory, out var entry, out var error), error);
            entries.Add(entry);
        }
        Assert.Contains(entries, e => e.Entry.Kind == EntryKind.CallClosed && e.Entry.Outcome.Status == "PERMISSION_DENIED");

        var checkpoint = await client.CheckpointAsync(new CheckpointRequest());
        var proof = await client.ProveAsync(new ProveRequest { Index = entries[0].Index });
        Assert.True(NoteVerifierKey.TryParse(checkpoint.VerifierKey, out var key, out var reason), reason);
        Assert.True(AuditProof.TryParse(proof.Proof, out var parsed, out reason), reason);
        Assert.Null(parsed.Check(key).Error);
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.ProveAsync(new ProveRequest { Index = 1_000_000 }));
        Assert.Equal(StatusCode.NotFound, failure.StatusCode);

        var copy = new AuditFolder(Path.Combine(folder, "copy"));
        using var fetch = client.Fetch(new FetchRequest());
        await foreach (var file in fetch.ResponseStream.ReadAllAsync()) copy.Put(new AuditFile(file.Path, file.Data.Memory));
        Assert.Equal(AuditVerdict.Verified, AuditVerifier.Verify(Path.Combine(folder, "copy"), new AuditVerifierOptions { LogKeys = [key] }).Verdict);
    }

    [Fact]
    public async Task Lists_the_newest_that_fit_a_filter_and_rejects_what_is_none()
    {
        var channel = Start("os:admin");
        var client = new AuditService.AuditServiceClient(channel);
        var machine = new MachineService.MachineServiceClient(channel);
        for (var i = 0; i < 3; i++) await machine.VersionAsync(new VersionRequest(), new CallOptions().WithWaitForReady());

        // Ends are written behind their answers.
        using var follow = client.List(new Talos.Api.Audit.V1.ListRequest { Follow = true, Filter = { "method=Version", "kind=call-closed" } });
        for (var i = 0; i < 3; i++) Assert.True(await follow.ResponseStream.MoveNext(default));
        using var list = client.List(new Talos.Api.Audit.V1.ListRequest { Tail = 2, WithoutOpenings = true, Filter = { "method=Version", "decision=allow" } });
        var entries = await list.ResponseStream.ReadAllAsync().Select(item => Entry.Parser.ParseFrom(item.Entry)).ToListAsync();

        Assert.Equal(2, entries.Count);
        Assert.All(entries, e => Assert.Equal((EntryKind.CallClosed, "/talos.machine.v1.MachineService/Version"), (e.Kind, e.Method)));
        using var wrong = client.List(new Talos.Api.Audit.V1.ListRequest { Filter = { "colour=red" } });
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await wrong.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.StartsWith("there is no filter `colour`", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Accepts_machineds_report_as_it_is()
    {
        var client = new ComplianceService.ComplianceServiceClient(Start("os:auditor"));

        var report = await client.ReportAsync(new ReportRequest { Benchmark = "kspp" }, new CallOptions().WithWaitForReady());

        var result = Assert.Single(report.Results);
        Assert.Equal(("kspp", Verdict.Fail), (result.Benchmark, result.Verdict));
        Assert.Equal("start", Assert.Single((await client.HistoryAsync(new HistoryRequest())).Scans).Cause);
    }

    [Fact]
    public async Task Accepts_drift_into_the_record_once_and_goes_on_where_it_was()
    {
        var channel = Start("os:auditor");
        machined.News.Writer.TryWrite(new WatchResponse { Standing = Standing(0) });
        machined.News.Writer.TryWrite(new WatchResponse { Standing = Standing(1, Sysrq), Drift = Sysrq });

        var entry = await ComplianceEntryAsync(channel, 0);
        Assert.Equal("sysctl `kernel.sysrq` changed from `0` to `1`", entry.Entry.Message);
        Assert.Equal(("drifted", "sysctl", "kernel.sysrq", "0", "1", "own.sysrq"), (entry.Entry.Details["event"], entry.Entry.Details["fact"],
            entry.Entry.Details["subject"], entry.Entry.Details["before"], entry.Entry.Details["after"], entry.Entry.Details["checks"]));

        machined.BreakNews();
        // What it has seen comes again, and a verdict that it has not, after two changes that nobody keeps any more.
        var verdict = new Drift { Sequence = 4, Kind = DriftKind.Verdict, Subject = "own.sysrq", Before = "PASS", After = "FAIL", Sentence = "changed" };
        machined.News.Writer.TryWrite(new WatchResponse { Standing = Standing(4, Sysrq), Drift = Sysrq });
        machined.News.Writer.TryWrite(new WatchResponse { Standing = Standing(4, Sysrq), Drift = verdict });

        var lost = await ComplianceEntryAsync(channel, entry.Index + 1);
        Assert.StartsWith("2 changes of the node were no longer kept", lost.Entry.Message, StringComparison.Ordinal);
        var second = await ComplianceEntryAsync(channel, lost.Index + 1);
        Assert.Equal(("own.sysrq", "pass", "fail"), (second.Entry.Details["check"], second.Entry.Details["before"], second.Entry.Details["verdict"]));
        Assert.Equal([("", 0UL), ("m1", 1UL)], machined.Watched.Select(w => (w.Monitor, w.After)));
        // Kept after it is on the record, not before.
        var kept = Path.Combine(folder, "state", "compliance-seen");
        SpinWait.SpinUntil(() => File.ReadAllText(kept) == "m1 4", TimeSpan.FromSeconds(30));
        Assert.Equal("m1 4", File.ReadAllText(kept));
    }

    static Drift Sysrq => new()
    {
        Sequence = 1,
        Kind = DriftKind.Sysctl,
        Subject = "kernel.sysrq",
        Before = "0",
        After = "1",
        Checks = { "own.sysrq" },
        Sentence = "sysctl `kernel.sysrq` changed from `0` to `1`",
        Time = new(),
    };

    static Standing Standing(ulong sequence, params Drift[] open) => new()
    {
        Monitor = "m1",
        Sequence = sequence,
        Open = { open },
        OpenCount = (uint)open.Length,
        Sums = { new BenchmarkSum { Benchmark = "kspp", Failed = 1 } },
    };

    static async Task<AuditRecord> ComplianceEntryAsync(GrpcChannel channel, ulong from)
    {
        using var call = new AuditService.AuditServiceClient(channel).List(
            new Talos.Api.Audit.V1.ListRequest { From = from, Follow = true }, new CallOptions(deadline: DateTime.UtcNow.AddSeconds(30)).WithWaitForReady());
        await foreach (var item in call.ResponseStream.ReadAllAsync())
            if (AuditRecord.TryParse(item.Index, item.Entry.Memory, out var record, out _) && record.Entry.Kind == EntryKind.Compliance) return record;
        throw new InvalidOperationException("the record ended");
    }

    [Fact]
    public async Task Accepts_only_Version_in_maintenance()
    {
        var client = new MachineService.MachineServiceClient(Start(role: null, maintenance: "machine.yaml:1:1: there is no configuration"));

        var version = await client.VersionAsync(new VersionRequest(), new CallOptions().WithWaitForReady());
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.RebootAsync(new RebootRequest()));

        Assert.Equal((MachineStage.Maintenance, "machine.yaml:1:1: there is no configuration"), (version.Stage, version.MaintenanceReason));
        Assert.Equal((StatusCode.Unavailable, "maintenance"), (failure.StatusCode, failure.Trailers.GetValue(RefusalException.ReasonTrailer)));
    }

    GrpcChannel Start(string? role, string maintenance = "", AuditSection? audit = null, TimeProvider? time = null)
    {
        var configuration = new OsdConfiguration
        {
            Cluster = "demo",
            Node = "cp-1",
            Role = MachineType.Controlplane,
            Listen = new Endpoint("127.0.0.1", port),
            State = Path.Combine(folder, "state"),
            Machined = Path.Combine(folder, "machined.sock"),
            Policy = TestHost.BundlePath,
            TrustEndpoints = [new Endpoint("127.0.0.1", trust.Host.Endpoint.Port)],
            Token = token,
            Names = ["127.0.0.1"],
            Maintenance = maintenance,
            Audit = audit ?? new AuditSection(),
        };
        osd = OsdServer.RunAsync(configuration, NullLoggerProvider.Instance, time ?? TimeProvider.System, stop.Token);
        var channel = GrpcChannel.ForAddress($"https://127.0.0.1:{port}", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { SslOptions = TestHost.ClientTls(role is null ? null : trust.Authority.Person("ada", role)) },
            DisposeHttpClient = true,
            InitialReconnectBackoff = TimeSpan.FromMilliseconds(100),
        });
        channels.Add(channel);
        return channel;
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
