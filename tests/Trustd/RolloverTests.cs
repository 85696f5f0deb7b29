using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Talos.Api.Configuration;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Pki;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>The change from one authority to the next, with real nodes over real TLS.</summary>
public sealed class RolloverTests : IAsyncLifetime
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly List<(CancellationTokenSource Stop, Task Run, NodeIdentity Identity)> nodes = [];
    RunningTrustd trustd = null!;

    public async ValueTask InitializeAsync() => trustd = await RunningTrustd.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await StopNodesAsync();
        await trustd.DisposeAsync();
    }

    [Fact]
    public async Task Walks_to_the_next_authority_while_nodes_and_people_go_on()
    {
        var administrator = await trustd.AdministratorAsync();
        var first = await NodeAsync("worker-1");
        var second = await NodeAsync("worker-2");
        var old = IssuerOf(first);

        await StepAsync(administrator, AuthorityStep.Prepare, AuthorityPhase.Prepared);
        Assert.Single(first.Slot.Current!.Roots!.Anchors);
        await StepAsync(administrator, AuthorityStep.Distribute, AuthorityPhase.Distributing);
        await UntilAsync(administrator, s => s.Safe);
        Assert.Equal(2, second.Slot.Current!.Roots!.Anchors.Length);
        await StepAsync(administrator, AuthorityStep.Activate, AuthorityPhase.Activated);
        await UntilAsync(administrator, s => s.Holders.Where(h => !h.Identity.Contains("/user/", StringComparison.Ordinal)).All(h => h.Renewed));
        Assert.NotEqual(old, IssuerOf(first));
        Assert.NotEqual(old, IssuerOf(second));

        // Someone who knows only the old authority still gets through: the new one is vouched for by it.
        Assert.Single(await trustd.ShownAsync());
        using var bare = trustd.Channel(null);
        Assert.NotEmpty((await new TrustService.TrustServiceClient(bare).CABundleAsync(new CABundleRequest())).BundlePem);

        // The administrator's own certificate is of the old authority, so it is waited for.
        var status = await administrator.AuthorityStatusAsync(new AuthorityStatusRequest());
        Assert.False(status.Safe);
        Assert.Equal("spiffe://demo/user/alice", Assert.Single(status.Holders, h => h.Blocks).Identity);
        await RunningTrustd.RefusedAsync(administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Retire }), "rollover-not-safe");

        using var csr = CertificateSigningRequest.Create("alice");
        var renewed = await administrator.RenewAsync(new RenewRequest { Csr = ByteString.CopyFrom(csr.Der.Span) });
        Assert.Single(renewed.Intermediates);
        trustd.Trust = renewed.BundlePem;
        var again = trustd.As(renewed, csr);
        await again.CertificateRevokeAsync(new CertificateRevokeRequest { Serial = trustd.AdministratorSerial });
        var ended = await StepAsync(again, AuthorityStep.Retire, AuthorityPhase.Steady);
        Assert.Equal(["signing", "retired"], ended.Authorities.Select(a => a.State));
        await WaitAsync(() => first.Slot.Current!.Roots!.Anchors.Length == 1);
        // Nobody is shown the way through the old authority any more.
        for (var i = 0; (await trustd.ShownAsync()).Count > 0; i++)
        {
            Assert.True(i < 600, "trustd still shows the chain through the retired authority");
            await Task.Delay(100);
        }
        Assert.False(File.Exists(Path.Combine(trustd.Folder, "state/ca.next.key")));

        await trustd.RestartAsync(() =>
        {
            using var log = trustd.OpenRecord();
            var steps = log.Read(0, long.MaxValue).Select(r => r.Entry).Where(e => e.Kind == EntryKind.Rollover).Select(e => e.Details["step"]).ToArray();
            Assert.Equal(["created", "prepare", "distribute", "activate", "retire"], steps);
        });
    }

    [Fact]
    public async Task Undoes_each_step_until_the_old_authority_is_retired()
    {
        var administrator = await trustd.AdministratorAsync();
        var node = await NodeAsync("worker-1");
        var old = IssuerOf(node);
        await RunningTrustd.RefusedAsync(administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Back }), "rollover-wrong-step");

        foreach (var step in new[] { AuthorityStep.Prepare, AuthorityStep.Distribute })
        {
            await UntilAsync(administrator, s => s.Safe);
            await StepAsync(administrator, step);
        }
        await UntilAsync(administrator, s => s.Safe);
        await StepAsync(administrator, AuthorityStep.Activate);
        await WaitAsync(() => IssuerOf(node) != old);

        await StepAsync(administrator, AuthorityStep.Back, AuthorityPhase.Distributing);
        // The node shows a certificate of the new authority until it has renewed under the old one.
        await UntilAsync(administrator, s => s.BackSafe);
        Assert.Equal(old, IssuerOf(node));
        await StepAsync(administrator, AuthorityStep.Back, AuthorityPhase.Prepared);
        var steady = await StepAsync(administrator, AuthorityStep.Back, AuthorityPhase.Steady);
        Assert.Equal(["withdrawn", "signing"], steady.Authorities.Select(a => a.State));
        Assert.False(File.Exists(Path.Combine(trustd.Folder, "state/ca.next.key")));
        await WaitAsync(() => node.Slot.Current!.Roots!.Anchors.Length == 1);
    }

    [Fact]
    public async Task Revokes_what_was_signed_for_an_authority_that_is_given_up()
    {
        var administrator = await trustd.AdministratorAsync();
        using var csr = CertificateSigningRequest.Create("worker-1");
        var node = trustd.As(await trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Token = trustd.NodeToken.Reveal() }), csr);
        using var patience = new CancellationTokenSource(Patience);
        using var stream = node.Revocations(new RevocationsRequest(), cancellationToken: patience.Token);
        Assert.True(await stream.ResponseStream.MoveNext(patience.Token));

        foreach (var step in new[] { AuthorityStep.Prepare, AuthorityStep.Distribute, AuthorityStep.Back }) await StepAsync(administrator, step);
        // It can still be distributed again.
        Assert.Null((await SuccessorAsync(administrator)).Revoked);
        await StepAsync(administrator, AuthorityStep.Back, AuthorityPhase.Steady);

        var successor = await SuccessorAsync(administrator);
        Assert.Equal("alice", successor.RevokedBy);
        while (!stream.ResponseStream.Current.Lists.Any(l => CertificateRevocationList.Parse(l.Span).Require().Entries.Any(e => e.Serial == successor.Serial)))
            Assert.True(await stream.ResponseStream.MoveNext(patience.Token));
        await trustd.RestartAsync(() => Assert.Equal([successor.Serial], RevokedOnRecord()));
        await trustd.RestartAsync(() => Assert.Equal([successor.Serial], RevokedOnRecord()));
    }

    [Theory]
    [InlineData("after the step back", "DELETE FROM revocations; UPDATE certificates SET revoked_at = NULL")]
    [InlineData("before the authority was on the ledger", "DELETE FROM revocations; UPDATE certificates SET revoked_at = NULL; DELETE FROM rollover_steps; DELETE FROM authorities WHERE generation = 2")]
    public async Task Survives_power_lost_before_what_was_signed_for_an_authority_was_revoked(string moment, string undo)
    {
        var administrator = await trustd.AdministratorAsync();
        foreach (var step in new[] { AuthorityStep.Prepare, AuthorityStep.Back }) await StepAsync(administrator, step);
        await trustd.RestartAsync(() =>
        {
            using var ledger = new SqliteConnection($"Data Source={Path.Combine(trustd.Folder, "state", "ledger.db")};Pooling=False");
            ledger.Open();
            using var command = ledger.CreateCommand();
            command.CommandText = undo;
            command.ExecuteNonQuery();
        });

        var successor = await SuccessorAsync(await trustd.AgainAsync());
        Assert.True(successor.RevokedBy == "trustd", moment);
        await trustd.RestartAsync(() => Assert.Equal([successor.Serial, successor.Serial], RevokedOnRecord()));
        // A change that goes to its end takes nothing back.
        administrator = await trustd.AgainAsync();
        foreach (var step in new[] { AuthorityStep.Prepare, AuthorityStep.Distribute, AuthorityStep.Activate, AuthorityStep.Retire })
            await administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = step, Force = step is AuthorityStep.Activate or AuthorityStep.Retire });
        trustd.Trust = File.ReadAllText(Path.Combine(trustd.Folder, "state/ca.crt"));
        await trustd.RestartAsync(() => Assert.Equal(2, RevokedOnRecord().Length));
    }

    [Fact]
    public async Task Waits_for_a_node_that_does_not_answer_until_it_is_revoked()
    {
        var administrator = await trustd.AdministratorAsync();
        using var csr = CertificateSigningRequest.Create("worker-9");
        await trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Token = trustd.NodeToken.Reveal() });
        await StepAsync(administrator, AuthorityStep.Prepare);
        await StepAsync(administrator, AuthorityStep.Distribute);
        var refusal = await RunningTrustd.RefusedAsync(administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Activate }), "rollover-not-safe");
        Assert.Contains("`worker-9`", refusal.Status.Detail, StringComparison.Ordinal);
        await administrator.CertificateRevokeAsync(new CertificateRevokeRequest { Name = "worker-9" });
        await UntilAsync(administrator, s => s.Safe);
        await StepAsync(administrator, AuthorityStep.Activate, AuthorityPhase.Activated);
    }

    [Fact]
    public async Task Retires_a_key_that_others_know_at_once_when_forced()
    {
        var administrator = await trustd.AdministratorAsync();
        await StepAsync(administrator, AuthorityStep.Prepare);
        await StepAsync(administrator, AuthorityStep.Distribute);
        await UntilAsync(administrator, s => s.Safe);
        await StepAsync(administrator, AuthorityStep.Activate);
        var answer = await administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Retire, Force = true });
        Assert.Equal(AuthorityPhase.Steady, answer.Phase);
        Assert.True(answer.Events[0].Forced);
    }

    [Fact]
    public async Task Lets_a_node_back_in_whose_configuration_pins_an_authority_that_has_retired()
    {
        var administrator = await trustd.AdministratorAsync();
        var retired = TrustStore.Parse(File.ReadAllBytes(Path.Combine(trustd.Folder, "state/ca.crt"))).Require();
        var node = await NodeAsync("worker-1", retired);
        foreach (var step in new[] { AuthorityStep.Prepare, AuthorityStep.Distribute, AuthorityStep.Activate })
        {
            await StepAsync(administrator, step);
            await UntilAsync(administrator, s => s.Safe || step == AuthorityStep.Activate);
        }
        await administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Retire, Force = true });
        await WaitAsync(() => node.Slot.Current!.Roots!.Anchors is [var only] && !retired.Anchors.Contains(only));
        await StopNodesAsync();
        // Its own certificate came with the way from the old authority to the new one, and lives for a day.
        await trustd.RestartAsync(() => Directory.Delete(Path.Combine(trustd.Folder, "state/identity"), recursive: true));

        // As after more than a day without power: no certificate is left, and the configuration still names the old authority. Under another name,
        // since the certificate that this test takes away holds the old one for a day.
        File.Delete(Path.Combine(trustd.Folder, "worker-1", "identity.pem"));
        var back = await NodeAsync("worker-2", retired, folder: "worker-1");
        Assert.Equal(Convert.ToHexString(node.Slot.Current!.Roots!.Anchors[0].SubjectKeyIdentifier!.Value.Span), IssuerOf(back));

        // A machine that never followed is told by its configuration alone, and that trustd is none of that authority's.
        using var csr = CertificateSigningRequest.Create("worker-3");
        var source = new TrustdSource("demo", [new Endpoint("127.0.0.1", trustd.Server.Endpoint.Port)], trustd.NodeToken, retired, TimeProvider.System);
        var failure = await Assert.ThrowsAsync<EnrollmentException>(() => source.EnrollAsync(csr.Der, null, default));
        Assert.Equal(EnrollmentFailure.NotTrusted, failure.Failure);
    }

    [Fact]
    public async Task Survives_a_restart_in_every_phase()
    {
        foreach (var step in new[] { AuthorityStep.Prepare, AuthorityStep.Distribute, AuthorityStep.Activate })
        {
            var administrator = await trustd.AgainAsync();
            await UntilAsync(administrator, s => s.Safe);
            var before = await StepAsync(administrator, step);
            // Made twice is made once.
            Assert.Equal(before.Events.Count, (await StepAsync(administrator, step)).Events.Count);
            await trustd.RestartAsync();
            var after = await (await trustd.AgainAsync()).AuthorityStatusAsync(new AuthorityStatusRequest());
            Assert.Equal(before.Phase, after.Phase);
            Assert.Equal(before.Authorities.Select(a => a.State), after.Authorities.Select(a => a.State));
        }
    }

    [Fact]
    public async Task Denies_a_step_that_does_not_follow_and_everyone_but_administrators()
    {
        var administrator = await trustd.AdministratorAsync();
        await RunningTrustd.RefusedAsync(administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Activate }), "rollover-wrong-step");
        await RunningTrustd.RefusedAsync(administrator.AuthorityRotateAsync(new AuthorityRotateRequest()), "invalid-request");
        using var csr = CertificateSigningRequest.Create("worker-1");
        var node = trustd.As(await trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Token = trustd.NodeToken.Reveal() }), csr);
        await RunningTrustd.RefusedAsync(node.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Prepare }), "role_not_allowed");
        await RunningTrustd.RefusedAsync(administrator.TrustAcknowledgeAsync(new TrustAcknowledgeRequest { BundleDigest = ByteString.CopyFrom(new byte[32]) }), "role_not_allowed");
    }

    static async Task<IssuedCertificate> SuccessorAsync(TrustService.TrustServiceClient administrator) =>
        Assert.Single((await administrator.CertificateListAsync(new CertificateListRequest { Name = "demo-os-root" })).Certificates);

    string[] RevokedOnRecord()
    {
        using var log = trustd.OpenRecord();
        return [.. log.Read(0, long.MaxValue).Where(r => r.Entry.Kind == EntryKind.CertificateRevoked).Select(r => r.Entry.Details["serial"])];
    }

    async Task StopNodesAsync()
    {
        foreach (var (stop, run, _) in nodes)
        {
            await stop.CancelAsync();
            await run;
            stop.Dispose();
        }
        nodes.Clear();
    }

    async Task<NodeIdentity> NodeAsync(string name, TrustStore? pinned = null, string? folder = null)
    {
        var endpoints = new[] { new Endpoint("127.0.0.1", trustd.Server.Endpoint.Port) };
        var identity = NodeIdentity.Open(
            new NodeIdentityOptions { Folder = Path.Combine(trustd.Folder, folder ?? name), Cluster = "demo", Name = name, Kind = PeerKind.Node, Names = [name], Pinned = pinned },
            new TrustdSource("demo", endpoints, trustd.NodeToken, pinned, TimeProvider.System), NullLogger.Instance);
        var stop = new CancellationTokenSource();
        var connections = new TrustdConnections("demo", TimeProvider.System);
        var view = new RevocationView();
        var run = Task.WhenAll(
            identity.RunAsync(stop.Token),
            new TrustFollower(connections, endpoints, identity, TimeProvider.System, NullLogger.Instance) { RenewalSpan = TimeSpan.FromSeconds(1) }.RunAsync(stop.Token),
            TrustdRevocations.Open(connections, endpoints, identity.Slot, view, TimeProvider.System, NullLogger.Instance, renewed: () => identity.Renewed).RunAsync(stop.Token));
        nodes.Add((stop, run, identity));
        await identity.Ready.WaitAsync(Patience);
        return identity;
    }

    static async Task<AuthorityStatusResponse> StepAsync(TrustService.TrustServiceClient administrator, AuthorityStep step, AuthorityPhase? phase = null)
    {
        var answer = await administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = step });
        if (phase is { } expected) Assert.Equal(expected, answer.Phase);
        return answer;
    }

    static async Task UntilAsync(TrustService.TrustServiceClient administrator, Func<AuthorityStatusResponse, bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!condition(await administrator.AuthorityStatusAsync(new AuthorityStatusRequest(), cancellationToken: patience.Token))) await Task.Delay(20, patience.Token);
    }

    static async Task WaitAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!condition()) await Task.Delay(20, patience.Token);
    }

    static string IssuerOf(NodeIdentity identity) => Convert.ToHexString(Certificate.Parse(identity.Slot.Current!.Certificate.RawData).Require().AuthorityKeyIdentifier!.Value.Span);
}
