using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging;
using Talos.Api.Configuration;
using Talos.Api.Hosting;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Pki;
using Talos.Policy;
using Talos.Trustd.Authority;
using Talos.Trustd.Issuance;
using Talos.Trustd.Ledger;
using Talos.Trustd.Login;
using Talos.Trustd.Service;

namespace Talos.Trustd;

/// <summary>Everything of one running trustd, opened in the order in which each part needs the one before, closed the other way round.</summary>
sealed class TrustdServer : IAsyncDisposable
{
    readonly AuthorityKeeper authorities;
    readonly ICertificateLedger ledger;
    readonly CheckpointSigner signer;
    readonly AuditLog record;
    readonly NodeIdentity identity;
    readonly ApiHost host;
    readonly OutsideOpa? opa;
    readonly IdentityProvider? provider;
    readonly RevocationFeed feed;
    readonly CancellationTokenSource stop = new();
    RevocationListServer? lists;
    Task renewal = Task.CompletedTask;
    Task following = Task.CompletedTask;
    Task keeping = Task.CompletedTask;
    Task listing = Task.CompletedTask;

    TrustdServer(
        AuthorityKeeper authorities, ICertificateLedger ledger, CheckpointSigner signer, AuditLog record, NodeIdentity identity, ApiHost host, OutsideOpa? opa,
        IdentityProvider? provider, RevocationFeed feed)
    {
        this.authorities = authorities;
        this.ledger = ledger;
        this.signer = signer;
        this.record = record;
        this.identity = identity;
        this.host = host;
        this.opa = opa;
        this.provider = provider;
        this.feed = feed;
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint => host.Endpoint;

    /// <summary>Where it serves revocation lists; null when it does not.</summary>
    public IPEndPoint? ListEndpoint => lists?.Endpoint;

    /// <summary>Opens the state folder and starts to listen.</summary>
    /// <exception cref="AuthorityException">The CA cannot be opened.</exception>
    /// <exception cref="LedgerException">The ledger cannot be opened or written.</exception>
    /// <exception cref="PolicyException">The policy is malformed or names not every method.</exception>
    /// <exception cref="AuditLogException">The record cannot be opened.</exception>
    public static async Task<TrustdServer> StartAsync(TrustdConfiguration configuration, ILoggerProvider log, TimeProvider time, CancellationToken cancellation)
    {
        Directory.CreateDirectory(configuration.State, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var signer = Ed25519CheckpointSigner.LoadOrCreate(Path.Combine(configuration.State, "audit.key"), $"{configuration.Cluster}/{configuration.Node}/trustd");
        var record = AuditLog.Open(Path.Combine(configuration.State, "audit"), new AuditLogOptions { Signer = signer, Node = configuration.Node, TimeProvider = time });
        RecordedLife.Started(record, configuration.State);
        var story = log.CreateLogger("ledger");
        var ledger = CertificateLedger.Open(Path.Combine(configuration.State, "ledger.db"), time, line => story.LogInformation("{Line}", line), fault => story.LogError("{Fault}", fault));
        AuthorityKeeper authorities;
        try
        {
            authorities = await AuthorityKeeper.OpenAsync(configuration.State, configuration.Cluster, ledger, record, time, cancellation, configuration.RevocationLists);
        }
        catch
        {
            // What was opened is free again for `trustd init`, which may be what is missing.
            await ledger.DisposeAsync();
            await record.DisposeAsync();
            signer.Dispose();
            throw;
        }
        foreach (var token in configuration.Bootstrap) await ledger.AddTokenAsync(Admit(token, time), cancellation);

        var policySource = PolicySource.From(configuration.Policy, configuration.State, configuration.PolicyRules, time);
        var policy = PolicyInForce.Open(policySource);
        var issuance = policy.ForCertificates(Evidence.Ways);
        var issuer = new Issuer(authorities, ledger, record);
        var registrar = new Registrar(configuration.Cluster, issuance, issuer, ledger, time);
        var revocations = RevocationView.OfSource();
        var feed = new RevocationFeed(ledger, authorities, revocations, Path.Combine(configuration.State, "crl"), time, log.CreateLogger("revocations"));
        await feed.PublishAsync(cancellation);
        var identity = NodeIdentity.Open(
            new NodeIdentityOptions
            {
                Folder = Path.Combine(configuration.State, "identity"),
                Cluster = configuration.Cluster,
                Name = configuration.Node,
                Kind = PeerKind.Trustd,
                Names = [.. configuration.Names.Append(configuration.Node).Distinct()],
                Time = time,
            },
            new SelfSource(registrar, configuration.Node, configuration.Names), log.CreateLogger("identity"));
        var provider = configuration.Login is { } login ? new IdentityProvider(login, time) : null;
        var service = new Service.TrustService(configuration.Cluster, authorities, registrar, new TokenGate(ledger), new EnrollmentQueue(ledger, time), provider, ledger, feed, record, configuration.Limits, time);
        var approvals = new ApprovalBook(time, ApiLimits.ApprovalLifetime);
        var node = new NodeDescription(configuration.Cluster, configuration.Node, "controlplane") { Labels = configuration.Labels };
        var keeper = new RecordKeeper(record, configuration.Audit, configuration.State, identity.Slot, time, log.CreateLogger("record"));
        var host = ApiHost.Create(
            new ApiHostOptions
            {
                Listen = new IPEndPoint(configuration.Listen.Address ?? throw new IOException($"`{configuration.Listen.Host}` is no address to listen on"), configuration.Listen.Port),
                Trust = identity.Slot,
                Node = node,
                ClientCertificates = ClientCertificates.Optional,
                // LIMIT: every node of a cluster holds one connection, and comes with a second to renew; this is for a thousand that renew at once.
                Limits = new ApiLimits { Connections = 2048 },
                TooLarge = service.KeepTooLargeAsync,
                Policy = policy,
                Approvals = approvals,
                Audit = record,
                Revocations = revocations,
                Time = time,
                Log = log,
            },
            new ApiServices()
                .Add(service)
                .Add(new AuditReader(record, keeper)).Add(new WitnessDesk(configuration.Cluster, record, witness: null))
                .Add(new PolicyDesk(policy, node, record, time)).Add(new ApprovalDesk(approvals)));
        var server = new TrustdServer(authorities, ledger, signer, record, identity, host, policySource.Outside, provider, feed);
        server.keeping = keeper.RunAsync(server.stop.Token);
        server.listing = feed.RunAsync(server.stop.Token);
        server.renewal = identity.RunAsync(server.stop.Token);
        host.Prepare();
        await identity.Ready.WaitAsync(cancellation);
        server.following = new OwnTrust(authorities, identity, ledger, log.CreateLogger("trust")).RunAsync(server.stop.Token);
        await host.StartAsync(cancellation);
        server.lists = await RevocationListServer.StartAsync(configuration.RevocationLists, feed, time, log, cancellation);
        RecordedLife.Serving(record, policy);
        return server;
    }

    /// <summary>Returns when the process was asked to stop.</summary>
    public Task WaitAsync() => host.WaitAsync();

    public async ValueTask DisposeAsync()
    {
        if (lists is not null) await lists.DisposeAsync();
        await host.DisposeAsync();
        opa?.Dispose();
        provider?.Dispose();
        await stop.CancelAsync();
        await Task.WhenAll(renewal, following, keeping, listing);
        feed.Dispose();
        await ledger.DisposeAsync();
        RecordedLife.Ended(record);
        await record.DisposeAsync();
        signer.Dispose();
        authorities.Dispose();
        stop.Dispose();
    }

    static LedgerToken Admit(BootstrapToken token, TimeProvider time) =>
        new(token.Id, token.Verifier, token.Discovery,
            token.Use switch { TokenUse.Node => LedgerTokenUse.Node, TokenUse.Client => LedgerTokenUse.Client, _ => LedgerTokenUse.None },
            token.Name ?? "", [.. token.Roles], [.. token.Names], [.. token.Addresses.Select(a => a.ToString())],
            time.GetUtcNow(), "machine configuration", token.Expires, (int)token.Uses, null);
}
