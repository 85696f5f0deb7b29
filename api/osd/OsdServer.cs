using System.Net;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Talos.Api.Compliance.V1;
using Talos.Api.Configuration;
using Talos.Api.Hosting;
using Talos.Api.Machine.V1;
using Talos.Api.Server;
using Talos.Audit;
using Talos.Pki;
using Talos.Policy;

namespace Talos.Osd;

/// <summary>One running osd: opens its parts in the order in which each needs the one before, and closes them the other way round.</summary>
static partial class OsdServer
{
    /// <summary>Serves until cancelled.</summary>
    public static Task RunAsync(OsdConfiguration configuration, ILoggerProvider log, TimeProvider time, CancellationToken stop) =>
        configuration.Maintenance.Length > 0
            ? MaintainAsync(configuration, log, time, stop)
            : ServeAsync(configuration, log, time, stop);

    static async Task ServeAsync(OsdConfiguration configuration, ILoggerProvider log, TimeProvider time, CancellationToken stop)
    {
        Directory.CreateDirectory(configuration.State, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var policySource = PolicySource.From(configuration.Policy, configuration.State, configuration.PolicyRules, time);
        using var opa = policySource.Outside;
        var policy = PolicyInForce.Open(policySource);
        var approvals = new ApprovalBook(time, ApiLimits.ApprovalLifetime);
        var node = new NodeDescription(configuration.Cluster, configuration.Node, configuration.Role == MachineType.Controlplane ? "controlplane" : "worker")
        {
            Labels = configuration.Labels,
        };
        using var signer = Ed25519CheckpointSigner.LoadOrCreate(
            Path.Combine(configuration.State, "audit.key"), $"{configuration.Cluster}/{configuration.Node}/osd");
        await using var record = AuditLog.Open(
            Path.Combine(configuration.State, "audit"), new AuditLogOptions { Signer = signer, Node = configuration.Node, TimeProvider = time });
        RecordedLife.Started(record, configuration.State);
        using var machined = MachineSocket.Open(configuration.Machined);

        var identity = OpenIdentity(configuration, log, time);
        var revocations = new RevocationView();
        var keeper = new RecordKeeper(record, configuration.Audit, configuration.State, identity.Slot, time, log.CreateLogger("record"));
        using var cosigner = AuditCosigner.LoadOrCreate(
            Path.Combine(configuration.State, "witness.key"), $"{configuration.Cluster}/{configuration.Node}/witness");
        var relay = new RelayDoor();
        var witness = new AuditWitness(Path.Combine(configuration.State, "witness"), cosigner, time);
        await using var host = ApiHost.Create(
            new ApiHostOptions
            {
                Listen = ListenAddress(configuration),
                Trust = identity.Slot,
                Node = node,
                Policy = policy,
                Approvals = approvals,
                Audit = record,
                Revocations = revocations,
                Relay = relay,
                Time = time,
                Log = log,
            },
            Services(machined, revocations, time, record, keeper, witness)
                .Add(new WitnessDesk(configuration.Cluster, record, witness))
                .Add(new PolicyDesk(policy, node, record, time))
                .Add(new ApprovalDesk(approvals))
                .Add(new RelayDesk(configuration.Cluster, identity.Slot, relay, time)));

        using var background = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var renewal = identity.RunAsync(background.Token);
        var keeping = keeper.RunAsync(background.Token);
        var exchanging = new WitnessExchange(
            configuration.Cluster, configuration.Audit.Witnesses, configuration.TrustEndpoints, identity.Slot, record, witness, time, log.CreateLogger("witness"))
            .RunAsync(background.Token);
        var (following, reading) = (Task.CompletedTask, Task.CompletedTask);
        try
        {
            host.Prepare();
            // Without a certificate there is nothing to answer with; callers see a closed port, not a broken handshake.
            await identity.Ready.WaitAsync(stop).ConfigureAwait(false);
            var connections = new TrustdConnections(configuration.Cluster, time);
            var revoked = TrustdRevocations.Open(
                connections, configuration.TrustEndpoints, identity.Slot, revocations, time, log.CreateLogger("revocations"),
                Path.Combine(configuration.State, "revocations"), () => identity.Renewed);
            await host.StartAsync(stop).ConfigureAwait(false);
            RecordedLife.Serving(record, policy);
            following = Task.WhenAll(
                revoked.RunAsync(background.Token),
                new TrustFollower(connections, configuration.TrustEndpoints, identity, time, log.CreateLogger("trust")).RunAsync(background.Token));
            reading = LaterAsync(new ComplianceFollower(
                new ComplianceService.ComplianceServiceClient(machined), node, record, Path.Combine(configuration.State, "compliance-seen"), time,
                log.CreateLogger("compliance")), time, background.Token);
            log.CreateLogger("osd").LogInformation("serving {Methods} methods on {Endpoint} under policy {Revision}", host.Methods.Count, host.Endpoint, policy.Authorizer!.Revision);
            await StoppedAsync(host, stop).ConfigureAwait(false);
        }
        finally
        {
            await background.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(renewal, following, reading, keeping, exchanging).ConfigureAwait(false);
            RecordedLife.Ended(record);
        }
    }

    // The first reading takes the processor for a while; whoever waited for the node to come up goes first.
    static async Task LaterAsync(ComplianceFollower follower, TimeProvider time, CancellationToken cancellation)
    {
        await Task.Delay(TimeSpan.FromSeconds(2), time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await follower.RunAsync(cancellation).ConfigureAwait(false);
    }

    static ApiServices Services(
        GrpcChannel machined, RevocationView revocations, TimeProvider time, AuditLog record, RecordKeeper keeper, AuditWitness witness) => new ApiServices()
        .Add(new MachineProxy(new MachineService.MachineServiceClient(machined), BuildDescription.Own, revocations, time))
        .Add(new AuditReader(record, keeper, witness))
        .Add(new ComplianceProxy(new ComplianceService.ComplianceServiceClient(machined)));

    static NodeIdentity OpenIdentity(OsdConfiguration configuration, ILoggerProvider log, TimeProvider time)
    {
        TrustStore? roots = null;
        if (configuration.CaBundle is { } pem && !TrustStore.Parse(System.Text.Encoding.UTF8.GetBytes(pem)).Is(out roots, out var fault))
            throw new OsdException($"`trust.caBundle` is malformed: {fault}");
        return NodeIdentity.Open(
            new NodeIdentityOptions
            {
                Folder = Path.Combine(configuration.State, "identity"),
                Cluster = configuration.Cluster,
                Name = configuration.Node,
                Kind = PeerKind.Node,
                Names = [.. configuration.Names.Append(configuration.Node).Distinct()],
                Pinned = roots,
                Time = time,
            },
            new TrustdSource(configuration.Cluster, configuration.TrustEndpoints, configuration.Token, roots, time), log.CreateLogger("identity"));
    }

    static IPEndPoint ListenAddress(OsdConfiguration configuration) => configuration.Listen.Address is { } address
        ? new IPEndPoint(address, configuration.Listen.Port)
        : throw new OsdException($"`listen` is `{configuration.Listen}`; it has to be an address of this machine, for instance `0.0.0.0:50000`");

    static async Task StoppedAsync(ApiHost host, CancellationToken stop)
    {
        // The host sees the signals too and may be the first.
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (stop.Register(() => stopped.TrySetResult()).ConfigureAwait(false))
        await using (host.Stopping.Register(() => stopped.TrySetResult()).ConfigureAwait(false))
            await stopped.Task.ConfigureAwait(false);
        await host.StopAsync().ConfigureAwait(false);
    }
}
