using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Talos.Api.Configuration;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Pki;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>Machines that a person lets in, over real TLS.</summary>
public sealed class EnrollmentTests : IAsyncLifetime
{
    RunningTrustd trustd = null!;

    public async ValueTask InitializeAsync() => trustd = await RunningTrustd.StartAsync();

    public ValueTask DisposeAsync() => trustd.DisposeAsync();

    [Fact]
    public async Task Accepts_a_machine_once_a_person_approved_it_and_gives_exactly_what_was_seen()
    {
        using var csr = CertificateSigningRequest.Create("worker-9", ["worker-9"], [IPAddress.Parse("10.9.9.9")]);
        var waiting = await trustd.Stranger().EnrollmentApplyAsync(Apply(csr));
        Assert.Equal((EnrollmentState.Pending, null), (waiting.State, waiting.Issued));
        Assert.Equal(waiting.Id, (await trustd.Stranger().EnrollmentApplyAsync(Apply(csr))).Id);

        var administrator = await trustd.AdministratorAsync();
        var seen = (await administrator.EnrollmentListAsync(new EnrollmentListRequest())).Enrollments.Single();
        var fingerprint = SubjectPublicKey.FingerprintOf(csr.Key.ExportSubjectPublicKeyInfo());
        Assert.Equal((waiting.Id, "worker-9", "127.0.0.1", fingerprint), (seen.Id, seen.Name, seen.Source, seen.Fingerprint));
        Assert.Equal(["worker-9", "10.9.9.9"], seen.Names);
        await administrator.EnrollmentApproveAsync(new EnrollmentDecisionRequest { Id = seen.Id, Fingerprint = fingerprint });

        var answer = await trustd.Stranger().EnrollmentApplyAsync(Apply(csr));
        var certificate = Certificate.Parse(answer.Issued.Certificate.Span).Require();
        Assert.Equal(["os:node"], certificate.Subject.Organizations);
        Assert.Contains(certificate.AlternativeNames, n => n.Text == "10.9.9.9");
        // An answer may be lost: the same one again, not a second certificate.
        Assert.Equal(answer.Issued.Certificate, (await trustd.Stranger().EnrollmentApplyAsync(Apply(csr))).Issued.Certificate);
        var issued = (await administrator.CertificateListAsync(new CertificateListRequest { Name = "worker-9" })).Certificates.Single();
        Assert.Equal(("enrollment", $"enrollment {seen.Id} approved by alice"), (issued.Reason, issued.Requester));
    }

    [Fact]
    public async Task Denies_other_names_for_an_approved_key()
    {
        using var csr = CertificateSigningRequest.Create("worker-9", ["worker-9"]);
        var administrator = await trustd.AdministratorAsync();
        var waiting = await trustd.Stranger().EnrollmentApplyAsync(Apply(csr));
        await administrator.EnrollmentApproveAsync(new EnrollmentDecisionRequest { Id = waiting.Id });

        using var more = CertificateSigningRequest.Create(csr.Key, "worker-9", ["worker-9", "cp-1"]);
        var other = await trustd.Stranger().EnrollmentApplyAsync(Apply(more));

        Assert.Equal(EnrollmentState.Pending, other.State);
        Assert.NotEqual(waiting.Id, other.Id);
    }

    [Fact]
    public async Task Denies_what_a_person_denied_and_what_was_decided_before()
    {
        using var csr = CertificateSigningRequest.Create("worker-9");
        var administrator = await trustd.AdministratorAsync();
        var waiting = await trustd.Stranger().EnrollmentApplyAsync(Apply(csr));
        await RunningTrustd.RefusedAsync(
            administrator.EnrollmentApproveAsync(new EnrollmentDecisionRequest { Id = waiting.Id, Fingerprint = "SHA256:another" }), "fingerprint-mismatch");
        await administrator.EnrollmentDenyAsync(new EnrollmentDecisionRequest { Id = waiting.Id });

        Assert.Equal(EnrollmentState.Denied, (await trustd.Stranger().EnrollmentApplyAsync(Apply(csr))).State);
        await RunningTrustd.RefusedAsync(administrator.EnrollmentApproveAsync(new EnrollmentDecisionRequest { Id = waiting.Id }), "not-found");
    }

    [Fact]
    public async Task Denies_the_decision_to_strangers_and_nodes()
    {
        using var csr = CertificateSigningRequest.Create("worker-1");
        var node = trustd.As(await trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Token = trustd.NodeToken.Reveal() }), csr);
        foreach (var client in new[] { node, trustd.Stranger() })
        {
            var refusal = await Assert.ThrowsAsync<RpcException>(() => client.EnrollmentApproveAsync(new EnrollmentDecisionRequest { Id = "aaaaaaaa" }).ResponseAsync);
            Assert.Contains(refusal.StatusCode, new[] { StatusCode.PermissionDenied, StatusCode.Unauthenticated });
        }
    }

    [Fact]
    public async Task Denies_one_address_more_than_its_share_of_the_queue_and_forgets_nobody()
    {
        using var first = CertificateSigningRequest.Create("worker-0");
        var known = await trustd.Stranger().EnrollmentApplyAsync(Apply(first));
        for (var i = 1; i < 50; i++)
        {
            using var csr = CertificateSigningRequest.Create(first.Key, $"worker-{i}");
            await trustd.Stranger().EnrollmentApplyAsync(Apply(csr));
        }
        using var last = CertificateSigningRequest.Create("worker-50");
        var refusal = await Assert.ThrowsAsync<RpcException>(() => trustd.Stranger().EnrollmentApplyAsync(Apply(last)).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
        Assert.Equal(known.Id, (await trustd.Stranger().EnrollmentApplyAsync(Apply(first))).Id);
    }

    [Fact]
    public async Task Gives_a_node_that_knows_only_the_authority_its_identity()
    {
        var folder = Path.Combine(trustd.Folder, "node");
        var roots = TrustStore.Parse(File.ReadAllBytes(Path.Combine(trustd.Folder, "state/ca.crt"))).Require();
        var log = new Lines();
        var identity = NodeIdentity.Open(
            new NodeIdentityOptions { Folder = folder, Cluster = "demo", Name = "worker-9", Kind = PeerKind.Node, Names = ["worker-9", "127.0.0.1"] },
            new TrustdSource("demo", [Endpoint.TryParse(trustd.Server.Endpoint.ToString(), null, out var here) ? here : throw new InvalidOperationException()], null, roots, TimeProvider.System),
            log);
        using var stop = new CancellationTokenSource();
        var running = identity.RunAsync(stop.Token);
        // What the console shows is all that the person needs.
        var words = (await log.First.Task.WaitAsync(TimeSpan.FromSeconds(30))).Split(' ');
        var approval = new EnrollmentDecisionRequest { Id = words[Array.IndexOf(words, "approve") + 1], Fingerprint = words[^1].TrimEnd('`') };
        await (await trustd.AdministratorAsync()).EnrollmentApproveAsync(approval);

        await identity.Ready.WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Contains("CN=worker-9", identity.Slot.Current!.Certificate.Subject, StringComparison.Ordinal);
        await stop.CancelAsync();
        await running;
    }

    static EnrollmentApplyRequest Apply(CertificateSigningRequest csr) => new() { Csr = ByteString.CopyFrom(csr.Der.Span) };

    sealed class Lines : ILogger
    {
        public TaskCompletionSource<string> First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Warning) First.TrySetResult(formatter(state, exception));
        }
    }
}
