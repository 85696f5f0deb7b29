using System.Net;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Pki;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>What trustd gives to whom, over real TLS.</summary>
public sealed class IssuanceTests : IAsyncLifetime
{
    RunningTrustd trustd = null!;

    public async ValueTask InitializeAsync() => trustd = await RunningTrustd.StartAsync();

    public ValueTask DisposeAsync() => trustd.DisposeAsync();

    [Fact]
    public async Task Issues_the_first_administrator_exactly_what_the_token_grants()
    {
        using var csr = CertificateSigningRequest.Create("alice");
        var answer = await trustd.Stranger().IssueClientAsync(Ask(csr, trustd.AdministratorToken.Reveal()));
        var certificate = Certificate.Parse(answer.Certificate.Span).Require();
        Assert.Equal("CN=alice,O=os:admin", string.Join(',', certificate.Subject.ToString().Split(',', StringSplitOptions.TrimEntries).Order()));
        Assert.Contains(certificate.AlternativeNames, n => n.Text == "spiffe://demo/user/alice");
        Assert.Equal(8, Math.Round((certificate.NotAfter - certificate.NotBefore).TotalHours));
    }

    [Fact]
    public async Task Denies_a_second_person_the_use_of_a_spent_token()
    {
        await trustd.AdministratorAsync();
        using var csr = CertificateSigningRequest.Create("alice");
        await RunningTrustd.RefusedAsync(trustd.Stranger().IssueClientAsync(Ask(csr, trustd.AdministratorToken.Reveal())), "token-exhausted");
    }

    [Theory]
    [InlineData("mallory", "os:admin", "name-not-allowed")]
    [InlineData("alice", "os:auditor", "role-not-allowed")]
    public async Task Denies_a_token_s_holder_another_name_or_role(string name, string role, string reason)
    {
        using var csr = CertificateSigningRequest.Create(name);
        var request = Ask(csr, trustd.AdministratorToken.Reveal());
        request.Name = name;
        request.Roles.Add(role);
        await RunningTrustd.RefusedAsync(trustd.Stranger().IssueClientAsync(request), reason);
    }

    [Fact]
    public async Task Denies_a_request_naming_all_that_is_too_much()
    {
        using var csr = CertificateSigningRequest.Create("alice", ["cp-1"], [IPAddress.Parse("192.168.1.1")]);
        var request = Ask(csr, trustd.AdministratorToken.Reveal());
        request.Name = "mallory";
        request.Roles.Add(["os:auditor", "os:node"]);
        request.Lifetime = Duration.FromTimeSpan(TimeSpan.FromHours(9));
        var refusal = await RunningTrustd.RefusedAsync(trustd.Stranger().IssueClientAsync(request), "name-not-allowed");
        var token = $"which the token `{trustd.AdministratorToken.Id}` does not allow";
        Assert.Equal(
            $"the request asks for the name `mallory`, {token}; the request asks for `192.168.1.1`, `alice`, `cp-1`, {token}; "
            + $"the request asks for the role `os:auditor`, `os:node`, {token}; the request asks for a longer life than the 8h of a certificate for a user",
            refusal.Status.Detail);
        Assert.Contains("ask for fewer roles", refusal.Trailers.GetValue("talos-hint"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Denies_more_than_any_header_holds_with_its_reason()
    {
        using var csr = CertificateSigningRequest.Create("alice");
        var request = Ask(csr, trustd.AdministratorToken.Reveal());
        request.Name = new string('漢', 10_000);
        request.Roles.Add(Enumerable.Range(0, 500).Select(i => $"{i}{new string('漢', 500)}"));
        var refusal = await RunningTrustd.RefusedAsync(trustd.Stranger().IssueClientAsync(request), "name-not-allowed");
        Assert.Contains("and 484 more", refusal.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Denies_a_stranger_without_a_token()
    {
        using var csr = CertificateSigningRequest.Create("mallory");
        await RunningTrustd.RefusedAsync(trustd.Stranger().IssueClientAsync(Ask(csr, "")), "not-identified");
        var refusal = await Assert.ThrowsAsync<RpcException>(() => trustd.Stranger().TokenCreateAsync(new TokenCreateRequest()).ResponseAsync);
        Assert.Contains(refusal.StatusCode, new[] { StatusCode.PermissionDenied, StatusCode.Unauthenticated });
    }

    [Theory]
    [InlineData("worker-1", "worker-1", "10.1.2.3", "")]
    [InlineData("worker-1", "worker-1", "127.0.0.1", "")]
    [InlineData("cp-2", "cp-2", "10.1.2.3", "name-not-allowed")]
    [InlineData("worker-1", "api.example.org", "10.1.2.3", "name-not-allowed")]
    [InlineData("worker-1", "worker-1", "192.168.1.1", "name-not-allowed")]
    public async Task Enrols_a_node_only_for_names_and_addresses_of_its_token(string name, string dns, string address, string reason)
    {
        using var csr = CertificateSigningRequest.Create(name, [dns], [IPAddress.Parse(address)]);
        var call = trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Token = trustd.NodeToken.Reveal() });
        if (reason.Length > 0)
        {
            await RunningTrustd.RefusedAsync(call, reason);
            return;
        }
        var certificate = Certificate.Parse((await call).Certificate.Span).Require();
        Assert.Equal(["os:node"], certificate.Subject.Organizations);
        Assert.Contains(certificate.AlternativeNames, n => n.Text == "spiffe://demo/node/worker-1");
    }

    [Fact]
    public async Task Denies_a_wrong_secret_and_puts_it_on_the_record()
    {
        using var csr = CertificateSigningRequest.Create("worker-1");
        var wrong = $"{trustd.NodeToken.Id}.{TokenSecret.Generate().Reveal()[9..]}";
        await RunningTrustd.RefusedAsync(trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Token = wrong }), "token-refused");

        var administrator = await trustd.AdministratorAsync();
        Assert.DoesNotContain((await administrator.CertificateListAsync(new CertificateListRequest())).Certificates, c => c.Name == "worker-1");
        await trustd.RestartAsync(() =>
        {
            using var log = trustd.OpenRecord();
            var refused = log.Read(0, long.MaxValue).Select(r => r.Entry).Where(e => e.Kind == EntryKind.CallClosed && e.Outcome.Status == "PERMISSION_DENIED").ToArray();
            Assert.Contains(refused, e => e.Details.TryGetValue("token_refused", out var why) && why == "wrong secret");
            Assert.Contains(log.Read(0, long.MaxValue), r => r.Entry.Kind == EntryKind.Enrollment && r.Entry.Details["event"] == "refused");
            Assert.DoesNotContain(log.Read(0, long.MaxValue), r => r.Entry.ToString().Contains(wrong[9..], StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task Denies_a_name_that_another_key_holds_until_it_is_revoked()
    {
        using var first = CertificateSigningRequest.Create("worker-1");
        using var second = CertificateSigningRequest.Create("worker-1");
        await trustd.Stranger().EnrollAsync(Enrol(first));
        // A repetition with the same key is the same machine after a lost answer.
        await trustd.Stranger().EnrollAsync(Enrol(first));
        await RunningTrustd.RefusedAsync(trustd.Stranger().EnrollAsync(Enrol(second)), "name-in-use");

        var administrator = await trustd.AdministratorAsync();
        Assert.Equal(2, (await administrator.CertificateRevokeAsync(new CertificateRevokeRequest { Name = "worker-1", Reason = "reinstalled" })).Serials.Count);
        await trustd.Stranger().EnrollAsync(Enrol(second));
    }

    [Fact]
    public async Task Gives_a_new_name_to_one_of_several_machines_that_ask_at_the_same_moment()
    {
        CertificateSigningRequest[] machines = [.. Enumerable.Range(0, 8).Select(_ => CertificateSigningRequest.Create("worker-1"))];
        var answers = await Task.WhenAll(machines.Select(async machine =>
        {
            try
            {
                await trustd.Stranger().EnrollAsync(Enrol(machine));
                return "";
            }
            catch (RpcException e)
            {
                return e.Trailers.GetValue("talos-reason") ?? e.Message;
            }
            finally
            {
                machine.Dispose();
            }
        }));
        Assert.Equal(["", .. Enumerable.Repeat("name-in-use", 7)], answers.Order());
    }

    [Fact]
    public async Task Denies_one_identity_more_than_its_share_while_others_get_theirs()
    {
        using var csr = CertificateSigningRequest.Create("worker-1");
        using var other = CertificateSigningRequest.Create("worker-2");
        var stormy = trustd.As(await trustd.Stranger().EnrollAsync(Enrol(csr)), csr);
        var calm = trustd.As(await trustd.Stranger().EnrollAsync(Enrol(other)), other);
        var renewal = new RenewRequest { Csr = ByteString.CopyFrom(csr.Der.Span) };
        var storm = await Task.WhenAll(Enumerable.Range(0, 60).Select(async _ =>
        {
            try
            {
                await stormy.RenewAsync(renewal);
                return "";
            }
            catch (RpcException e)
            {
                return e.Trailers.GetValue("talos-reason") + " " + e.StatusCode;
            }
        }));
        Assert.InRange(storm.Count(s => s.Length == 0), 30, 45);
        Assert.All(storm.Where(s => s.Length > 0), s => Assert.Equal("rate-limited ResourceExhausted", s));
        await calm.RenewAsync(new RenewRequest { Csr = ByteString.CopyFrom(other.Der.Span) });
        // Nobody else's way in is blocked either, and a flood of refusals fills no ledger.
        var administrator = await trustd.AdministratorAsync();
        Assert.DoesNotContain((await administrator.RefusalListAsync(new RefusalListRequest())).Refusals, r => r.Reason == "rate-limited");
    }

    [Fact]
    public async Task Renews_the_same_identity_and_nothing_more()
    {
        using var csr = CertificateSigningRequest.Create("worker-1", ["worker-1"], [IPAddress.Parse("10.0.0.7")]);
        var node = trustd.As(await trustd.Stranger().EnrollAsync(Enrol(csr)), csr);
        using var next = CertificateSigningRequest.Create("worker-1", ["worker-1"]);
        var renewed = Certificate.Parse((await node.RenewAsync(new RenewRequest { Csr = ByteString.CopyFrom(next.Der.Span) })).Certificate.Span).Require();
        Assert.Contains(renewed.AlternativeNames, n => n.Text == "10.0.0.7");
        using var excess = CertificateSigningRequest.Create("worker-1", ["cp-1"]);
        await RunningTrustd.RefusedAsync(node.RenewAsync(new RenewRequest { Csr = ByteString.CopyFrom(excess.Der.Span) }), "name-not-allowed");
    }

    [Fact]
    public async Task Delegates_to_people_but_never_a_machine_s_role()
    {
        var administrator = await trustd.AdministratorAsync();
        using var csr = CertificateSigningRequest.Create("bob");
        var request = Ask(csr, "");
        request.Name = "bob";
        request.Roles.Add("os:reader");
        request.Lifetime = Duration.FromTimeSpan(TimeSpan.FromMinutes(30));
        var bob = Certificate.Parse((await administrator.IssueClientAsync(request)).Certificate.Span).Require();
        Assert.InRange((bob.NotAfter - DateTimeOffset.UtcNow).TotalMinutes, 25, 30);
        request.Roles.Add("os:node");
        await RunningTrustd.RefusedAsync(administrator.IssueClientAsync(request), "role-not-allowed");
        request.Roles.RemoveAt(1);
        request.Lifetime = Duration.FromTimeSpan(TimeSpan.FromHours(9));
        await RunningTrustd.RefusedAsync(administrator.IssueClientAsync(request), "lifetime-too-long");
    }

    [Fact]
    public async Task Streams_a_revocation_to_whoever_listens_and_refuses_the_certificate_at_once()
    {
        var administrator = await trustd.AdministratorAsync();
        using var csr = CertificateSigningRequest.Create("worker-1");
        var node = trustd.As(await trustd.Stranger().EnrollAsync(Enrol(csr)), csr);
        using var stream = node.Revocations(new RevocationsRequest());
        Assert.True(await stream.ResponseStream.MoveNext(default));
        Assert.True(stream.ResponseStream.Current is { Snapshot: true, Current: true });
        Assert.Equal([[], []], stream.ResponseStream.Current.Lists.Select(Serials));

        using var other = CertificateSigningRequest.Create("worker-2");
        var second = await trustd.Stranger().EnrollAsync(Enrol(other));
        var serial = Certificate.Parse(second.Certificate.Span).Require().Serial;
        await administrator.CertificateRevokeAsync(new CertificateRevokeRequest { Serial = serial, Reason = "test" });
        Assert.True(await stream.ResponseStream.MoveNext(default));
        Assert.Equal([serial], Serials(Assert.Single(stream.ResponseStream.Current.Lists)));
        await Assert.ThrowsAsync<RpcException>(() => trustd.As(second, other).RenewAsync(new RenewRequest { Csr = ByteString.CopyFrom(other.Der.Span) }).ResponseAsync);
    }

    [Fact]
    public async Task Authenticates_its_certificates_to_the_holder_of_a_token()
    {
        var nonce = RandomNumberGenerator.GetBytes(32);
        var answer = await trustd.Stranger().CABundleAsync(new CABundleRequest { TokenId = trustd.NodeToken.Id, Nonce = ByteString.CopyFrom(nonce) });
        Assert.Equal(HMACSHA256.HashData(trustd.NodeToken.Discovery().Span, [.. nonce, .. Encoding.UTF8.GetBytes(answer.BundlePem)]), answer.Authenticator.ToByteArray());
        Assert.Equal("demo", answer.TrustDomain);
        await RunningTrustd.RefusedAsync(trustd.Stranger().CABundleAsync(new CABundleRequest { TokenId = "zzzzzzzz", Nonce = ByteString.CopyFrom(nonce) }), "token-refused");
        await RunningTrustd.RefusedAsync(trustd.Stranger().CABundleAsync(new CABundleRequest { TokenId = trustd.NodeToken.Id, Nonce = ByteString.CopyFrom(1, 2) }), "invalid-request");
    }

    [Fact]
    public async Task Refuses_malformed_requests_with_a_place()
    {
        var refusal = await RunningTrustd.RefusedAsync(
            trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(0x30, 0x03, 0x02, 0x01), Token = trustd.NodeToken.Reveal() }), "pki.malformed-der");
        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.Contains("octet", refusal.Status.Detail, StringComparison.Ordinal);
        await RunningTrustd.RefusedAsync(trustd.Stranger().EnrollAsync(new EnrollRequest { Token = "nonsense" }), "token-malformed");
    }

    [Fact]
    public async Task Shows_its_record_to_an_administrator()
    {
        using var csr = CertificateSigningRequest.Create("alice");
        var alice = RunningTrustd.Identity(await trustd.Stranger().IssueClientAsync(Ask(csr, trustd.AdministratorToken.Reveal())), csr);
        var reader = new Talos.Api.Audit.V1.AuditService.AuditServiceClient(trustd.Channel(alice));
        using var stream = reader.List(new Talos.Api.Audit.V1.ListRequest());
        var kinds = new List<EntryKind>();
        while (await stream.ResponseStream.MoveNext(default)) kinds.Add(Entry.Parser.ParseFrom(stream.ResponseStream.Current.Entry).Kind);
        Assert.Contains(EntryKind.CertificateIssued, kinds);
    }

    [Fact]
    public async Task Survives_a_restart_with_its_authority_ledger_and_tokens()
    {
        var administrator = await trustd.AdministratorAsync();
        using var csr = CertificateSigningRequest.Create("worker-1");
        var before = await trustd.Stranger().EnrollAsync(Enrol(csr));
        await trustd.RestartAsync();
        using var again = CertificateSigningRequest.Create("alice");
        await RunningTrustd.RefusedAsync(trustd.Stranger().IssueClientAsync(Ask(again, trustd.AdministratorToken.Reveal())), "token-exhausted");
        var node = trustd.As(before, csr);
        using var next = CertificateSigningRequest.Create("worker-1");
        Assert.Equal(before.BundlePem, (await node.RenewAsync(new RenewRequest { Csr = ByteString.CopyFrom(next.Der.Span) })).BundlePem);
    }

    static string[] Serials(ByteString list) => [.. CertificateRevocationList.Parse(list.Span).Require().Entries.Select(e => e.Serial)];

    EnrollRequest Enrol(CertificateSigningRequest csr) => new() { Csr = ByteString.CopyFrom(csr.Der.Span), Token = trustd.NodeToken.Reveal() };

    static IssueClientRequest Ask(CertificateSigningRequest csr, string token) => new() { Csr = ByteString.CopyFrom(csr.Der.Span), Token = token };
}
