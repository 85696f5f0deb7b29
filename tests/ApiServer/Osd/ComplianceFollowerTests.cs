using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Talos.Api.Compliance.V1;
using Talos.Audit;
using Talos.Osd;
using Talos.Policy;
using Xunit;

namespace Talos.Api.Server.Tests.Osd;

/// <summary>What policy is told of the node while machined speaks, falls silent and comes back.</summary>
public sealed class ComplianceFollowerTests : IAsyncLifetime
{
    readonly string folder = Directory.CreateTempSubdirectory("talos-follow-").FullName;
    readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));
    readonly Ed25519CheckpointSigner signer = Ed25519CheckpointSigner.Create("demo/cp-1");
    readonly NodeDescription node = new("demo", "cp-1", "controlplane");
    readonly CancellationTokenSource stop = new();
    AuditLog record = null!;
    FakeMachined machined = null!;
    Task following = Task.CompletedTask;

    NodeCompliance Reading => node.ForPolicy().Compliance;

    public async ValueTask InitializeAsync()
    {
        machined = await FakeMachined.StartAsync(Path.Combine(folder, "machined.sock"));
        record = AuditLog.Open(Path.Combine(folder, "audit"), new AuditLogOptions { Signer = signer, Node = "cp-1" });
        var client = new ComplianceService.ComplianceServiceClient(MachineSocket.Open(Path.Combine(folder, "machined.sock")));
        following = new ComplianceFollower(client, node, record, Path.Combine(folder, "seen"), clock, NullLogger.Instance).RunAsync(stop.Token);
    }

    [Fact]
    public async Task Denies_to_call_a_node_clean_that_nobody_has_read()
    {
        Assert.Equal(DriftState.Unknown, Reading.State);
        machined.News.Writer.TryWrite(new WatchResponse { Standing = new Standing { Monitor = "m" } });
        await BecomesAsync(DriftState.Clean);

        machined.News.Writer.TryWrite(new WatchResponse
        {
            Standing = new Standing
            {
                Monitor = "m",
                OpenCount = 1,
                Open = { new Drift { Kind = DriftKind.Sysctl, Subject = "kernel.sysrq", Time = new() { Seconds = 1 } } },
                Sums = { new BenchmarkSum { Benchmark = "kspp", Failed = 1 }, new BenchmarkSum { Benchmark = "cis-linux", Unknown = 1 }, new BenchmarkSum { Benchmark = "talos-node", Waived = 3 } },
            },
        });
        await BecomesAsync(DriftState.Drifted);
        Assert.Equal(new DriftedFact("sysctl", "kernel.sysrq", DateTimeOffset.UnixEpoch.AddSeconds(1)), Assert.Single(Reading.Drift));
        Assert.Equal("cis-linux unknown, kspp fail, talos-node pass", string.Join(", ", Reading.Benchmarks.OrderBy(b => b.Key).Select(b => $"{b.Key} {b.Value}")));
    }

    [Fact]
    public async Task Denies_to_believe_a_machined_that_fell_silent()
    {
        machined.News.Writer.TryWrite(new WatchResponse { Standing = new Standing { Monitor = "m" } });
        await BecomesAsync(DriftState.Clean);

        clock.Advance(TimeSpan.FromSeconds(30));

        await BecomesAsync(DriftState.Unknown);
    }

    [Fact]
    public async Task Survives_machined_ending_its_answer()
    {
        machined.News.Writer.TryWrite(new WatchResponse { Standing = new Standing { Monitor = "m" } });
        await BecomesAsync(DriftState.Clean);
        machined.BreakNews();
        await BecomesAsync(DriftState.Unknown);

        machined.News.Writer.TryWrite(new WatchResponse { Standing = new Standing { Monitor = "m" } });
        while (Reading.State != DriftState.Clean)
        {
            clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    async Task BecomesAsync(DriftState state)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (Reading.State != state) await Task.Delay(5, patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await following;
        await record.DisposeAsync();
        await machined.DisposeAsync();
        signer.Dispose();
        stop.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
