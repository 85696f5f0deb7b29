using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Talos.Api.Configuration;
using Talos.Api.Hosting;
using Talos.Api.Witness.V1;
using Talos.Audit;
using Xunit;

namespace Talos.Api.Server.Tests;

/// <summary>Nodes that look after each other's records, over real TLS, with the shipped policy.</summary>
public sealed class WitnessExchangeTests : IAsyncDisposable
{
    readonly TestAuthority authority = new();
    readonly string folder = Directory.CreateTempSubdirectory("talos-witness-").FullName;
    readonly List<IAsyncDisposable> open = [];
    readonly List<IDisposable> keys = [];

    sealed record Member(string Name, AuditLog Log, AuditWitness Witness, TrustSlot Slot, CheckpointSigner Signer, Endpoint Endpoint);

    public async ValueTask DisposeAsync()
    {
        open.Reverse();
        foreach (var item in open) await item.DisposeAsync();
        foreach (var key in keys) key.Dispose();
        authority.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    async Task<Member> StartAsync(string name, bool asTrustd = false)
    {
        var signer = Ed25519CheckpointSigner.Create($"demo/{name}/{(asTrustd ? "trustd" : "osd")}");
        var cosigner = AuditCosigner.Create($"demo/{name}/witness");
        keys.AddRange([signer, cosigner]);
        var log = AuditLog.Open(Path.Combine(folder, name, "audit"), new AuditLogOptions { Signer = signer, Node = name });
        open.Add(log);
        var witness = new AuditWitness(Path.Combine(folder, name, "witness"), cosigner, TimeProvider.System);
        var slot = new TrustSlot();
        slot.Set(asTrustd ? authority.Trustd(name) : authority.Node(name));
        var host = ApiHost.Create(
            new ApiHostOptions
            {
                Listen = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0),
                Trust = slot,
                Node = new NodeDescription("demo", name, "worker"),
                Policy = PolicyInForce.Open(new PolicySource { Shipped = TestHost.BundlePath }),
                Audit = log,
                Log = new LineLog(),
            },
            new ApiServices().Add(new WitnessDesk("demo", log, asTrustd ? null : witness)));
        open.Add(host);
        await host.StartAsync();
        return new Member(name, log, witness, slot, signer, new Endpoint("127.0.0.1", host.Endpoint.Port));
    }

    static WitnessExchange Exchange(Member from, Member[] nodes, Member[] trustds) => new(
        "demo", [.. nodes.Select(n => n.Endpoint)], [.. trustds.Select(n => n.Endpoint)], from.Slot, from.Log, from.Witness, TimeProvider.System, NullLogger.Instance);

    static Task RoundAsync(Member from, params Member[] nodes) => Exchange(from, nodes, []).RoundAsync(TestContext.Current.CancellationToken);

    static Entry[] Findings(Member member) => [.. member.Log.Read(0, long.MaxValue).Select(r => r.Entry).Where(e => e.Kind == EntryKind.Witness)];

    [Fact]
    public async Task Each_node_signs_the_others_record_over_one_connection_and_verification_finds_both()
    {
        var (cp, worker) = (await StartAsync("cp-1"), await StartAsync("worker-1"));

        for (var round = 0; round < 3; round++)
        {
            await worker.Log.AppendAsync(AuditEvents.ServiceChanged("x", "running", $"round {round}"), TestContext.Current.CancellationToken);
            await RoundAsync(worker, cp);
        }

        foreach (var (log, witness) in new[] { (worker, cp), (cp, worker) })
        {
            var copy = new AuditFolder(Path.Combine(folder, log.Name, "copy"));
            foreach (var file in log.Log.Files()) copy.Put(file);
            var result = AuditVerifier.Verify(
                Path.Combine(folder, log.Name, "copy"), new AuditVerifierOptions { LogKeys = [log.Log.Key], Witnesses = [witness.Witness.Key] });
            Assert.True(result.Verdict == AuditVerdict.Verified, string.Join("; ", result.Findings.Select(f => f.Message)));
            Assert.True(result.Witnesses.Single().Size > 2);
            Assert.Empty(Findings(log));
        }
    }

    [Fact]
    public async Task The_record_of_trustd_is_watched_by_whoever_trusts_it()
    {
        var (trustd, worker) = (await StartAsync("cp-1", asTrustd: true), await StartAsync("worker-1"));

        await Exchange(worker, [], [trustd]).RoundAsync(TestContext.Current.CancellationToken);

        Assert.Contains("demo/worker-1/witness", trustd.Log.WitnessedCheckpoints.Single().SignedBy);
    }

    // As a disk that was put back, or a record that was shortened by someone who has its key.
    async Task<Member> WithRecord(Member member, int entries, Action<int, Entry> change)
    {
        var log = AuditLog.Open(Path.Combine(folder, member.Name, "other-" + Guid.NewGuid().ToString("N")), new AuditLogOptions { Signer = member.Signer, Node = member.Name });
        open.Add(log);
        for (var i = 0; i < entries; i++)
        {
            var entry = AuditEvents.ServiceChanged("x", "running", $"number {i}");
            change(i, entry);
            await log.AppendAsync(entry);
        }
        return member with { Log = log };
    }

    [Fact]
    public async Task A_node_with_an_older_copy_is_found_by_the_other_and_says_so_itself()
    {
        var (cp, worker) = (await StartAsync("cp-1"), await StartAsync("worker-1"));
        var before = await WithRecord(worker, 500, (_, _) => { });
        await RoundAsync(before, cp);

        var after = await WithRecord(worker, 100, (_, _) => { });
        await RoundAsync(after, cp);
        await RoundAsync(after, cp);

        var finding = Assert.Single(Findings(cp));
        Assert.Equal(("demo/worker-1/osd", "rolled-back", "demo/cp-1/witness"), (finding.Details["log"], finding.Details["verdict"], finding.Details["witness"]));
        Assert.Contains("demo/worker-1/osd\n500\n", finding.Details["evidence"], StringComparison.Ordinal);
        Assert.Equal("cp-1 refused to sign: it knows 500 entries of this node's record, which has fewer", Findings(after)[0].Message);
        Assert.Empty(after.Log.WitnessedCheckpoints);
    }

    [Fact]
    public async Task A_node_that_rewrites_its_past_is_found_and_stands_on_the_others_record()
    {
        var (cp, worker) = (await StartAsync("cp-1"), await StartAsync("worker-1"));
        await RoundAsync(await WithRecord(worker, 300, (_, _) => { }), cp);

        var rewritten = await WithRecord(worker, 400, (i, e) => e.Message = i == 17 ? "nothing happened" : e.Message);
        await RoundAsync(rewritten, cp);

        var finding = Assert.Single(Findings(cp));
        Assert.Equal("forked", finding.Details["verdict"]);
        Assert.Equal("the record of demo/worker-1/osd contradicts the 300 entries that it showed before", finding.Message);
        Assert.Empty(rewritten.Log.WitnessedCheckpoints);
    }

    [Fact]
    public async Task A_record_that_was_made_anew_is_found_by_its_key()
    {
        var (cp, worker) = (await StartAsync("cp-1"), await StartAsync("worker-1"));
        await RoundAsync(worker, cp);

        var signer = Ed25519CheckpointSigner.Create("demo/worker-1/osd");
        keys.Add(signer);
        await RoundAsync(await WithRecord(worker with { Signer = signer }, 3, (_, _) => { }), cp);

        Assert.Equal("key-changed", Assert.Single(Findings(cp)).Details["verdict"]);
    }

    [Fact]
    public async Task Rejects_a_node_that_speaks_for_another_and_a_person()
    {
        var (cp, worker) = (await StartAsync("cp-1"), await StartAsync("worker-1"));
        var request = new AddCheckpointRequest { Note = worker.Log.PublishNow().Note, VerifierKey = worker.Log.Key.ToString() };

        async Task<RpcException> Ask(TrustMaterial own)
        {
            using var channel = ServerCheck.Open(cp.Endpoint, new ServerCheck(cp.Endpoint, authority.Roots, "demo", TimeProvider.System) { Kind = Pki.PeerKind.Node }, own);
            return await Assert.ThrowsAsync<RpcException>(async () => await new WitnessService.WitnessServiceClient(channel).AddCheckpointAsync(request));
        }

        Assert.Equal("the key is of `demo/worker-1/osd`, and the caller speaks for `demo/worker-2/osd`", (await Ask(authority.Node("worker-2"))).Status.Detail);
        Assert.Equal(StatusCode.PermissionDenied, (await Ask(authority.Person("alice", "os:admin"))).StatusCode);
        Assert.Empty(Findings(cp));
    }

    [Fact]
    public async Task Survives_a_witness_that_is_away()
    {
        var worker = await StartAsync("worker-1");
        var away = worker with { Endpoint = new Endpoint("127.0.0.1", 1) };

        await RoundAsync(worker, away);

        Assert.Empty(worker.Log.WitnessedCheckpoints);
        Assert.Empty(Findings(worker));
    }
}
