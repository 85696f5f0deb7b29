using Grpc.Core;
using Talos.Api.Configuration;
using Talos.Api.Machine.V1;
using Talos.Audit;
using Talos.Audit.Tests.Collector;
using Xunit;

namespace Talos.Api.Server.Tests.Osd;

/// <summary>What osd puts on its record without being called, and where it sends it.</summary>
public sealed partial class OsdTests
{
    static readonly CallOptions WaitForReady = new CallOptions().WithWaitForReady();

    string State => Path.Combine(folder, "state");

    // Stops osd and reads what it left behind.
    async Task<Entry[]> StoppedWithAsync(EntryKind kind)
    {
        await stop.CancelAsync();
        await osd;
        using var signer = Ed25519CheckpointSigner.LoadOrCreate(Path.Combine(State, "audit.key"), "demo/cp-1/osd");
        using var record = AuditLog.Open(Path.Combine(State, "audit"), new AuditLogOptions { Signer = signer, Node = "cp-1" });
        return [.. record.Read(0, long.MaxValue).Select(r => r.Entry).Where(e => e.Kind == kind)];
    }

    [Theory]
    [InlineData(EntryKind.Boot, "kernel release")]
    [InlineData(EntryKind.Bundle, "event revision")]
    [InlineData(EntryKind.Shutdown, "")]
    public async Task Records_its_start_its_policy_and_its_end(EntryKind kind, string details)
    {
        await new MachineService.MachineServiceClient(Start("os:admin")).VersionAsync(new VersionRequest(), WaitForReady);

        var entry = Assert.Single(await StoppedWithAsync(kind));

        Assert.Equal(details, string.Join(' ', entry.Details.Keys.Order(StringComparer.Ordinal)));
        // osd has no means of attestation, and says so.
        Assert.Equal(("cp-1", Attestation.Unavailable), (entry.Node, entry.Attestation));
        if (kind == EntryKind.Boot) Assert.Matches(@"^Linux \d+\.\d+", entry.Details["kernel"]);
    }

    [Fact]
    public async Task Records_an_upgrade_when_another_release_ran_before()
    {
        Directory.CreateDirectory(State);
        DurableFile.Write(Path.Combine(State, "release"), "v0.0.1\n");
        var version = await new MachineService.MachineServiceClient(Start("os:admin")).VersionAsync(new VersionRequest(), WaitForReady);

        var upgrade = Assert.Single(await StoppedWithAsync(EntryKind.Upgrade));

        Assert.Equal("v0.0.1", upgrade.Details["from"]);
        Assert.StartsWith(version.Tag, upgrade.Details["to"], StringComparison.Ordinal);
        Assert.Equal(upgrade.Details["to"], File.ReadAllText(Path.Combine(State, "release")).Trim());
    }

    [Fact]
    public async Task Records_a_clock_that_is_set_while_it_runs()
    {
        var time = new SettableClock();
        var client = new MachineService.MachineServiceClient(Start("os:admin", time: time));
        await client.VersionAsync(new VersionRequest(), WaitForReady);
        time.SetForward = TimeSpan.FromMinutes(2);
        await client.VersionAsync(new VersionRequest());

        var jump = Assert.Single(await StoppedWithAsync(EntryKind.ClockJump));

        Assert.InRange(long.Parse(jump.Details["by_nanos"], System.Globalization.CultureInfo.InvariantCulture), 118_000_000_000, 122_000_000_000);
    }

    // The wall clock can be set; the monotonic one runs on.
    sealed class SettableClock : TimeProvider
    {
        public TimeSpan SetForward { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + SetForward;
    }

    [Fact]
    public async Task Delivers_its_record_to_the_configured_collector_through_a_restart_of_that_one()
    {
        var collector = new CollectorService();
        var port = FreePort();
        var exporter = $"version: v1alpha1\ncluster: demo\nmachine: {{ type: controlplane, hostname: cp-1 }}\naudit:\n  exporters:\n"
            + $"    - {{ name: collector, to: \"http://127.0.0.1:{port}\", format: otlp }}\n";
        var client = new MachineService.MachineServiceClient(
            Start("os:admin", audit: MachineConfiguration.Parse(exporter, "machine.yaml").RequireValue().Audit));
        await using (await RunningCollector.StartAsync(collector, port))
        {
            await client.VersionAsync(new VersionRequest(), WaitForReady);
            await collector.UntilAsync(r => Attribute(r, "rpc.method") == "/talos.machine.v1.MachineService/Version" && Attribute(r, "talos.audit.status") == "OK");
        }
        // Nobody is there to take these; the calls do not notice.
        for (var i = 0; i < 20; i++) await client.VersionAsync(new VersionRequest());
        await Assert.ThrowsAsync<RpcException>(async () => await client.ServiceRestartAsync(new ServiceRestartRequest { Id = "x" }));

        await using (await RunningCollector.StartAsync(collector, port))
        {
            var restart = await collector.UntilAsync(
                r => Attribute(r, "rpc.method") == "/talos.machine.v1.MachineService/ServiceRestart" && Attribute(r, "talos.audit.status") == "NOT_FOUND");
            Assert.Equal(("ada", "allow"), (Attribute(restart, "enduser.id"), Attribute(restart, "talos.audit.decision")));
            var indexes = collector.Indexes();
            Assert.Equal(Enumerable.Range(0, indexes.Count), indexes);
            Assert.True(indexes.Count >= 44, $"{indexes.Count} entries of 22 calls");
        }
    }

    static string? Attribute(LogRecord record, string key) => record.Attributes.FirstOrDefault(a => a.Key == key)?.Value.StringValue;
}
