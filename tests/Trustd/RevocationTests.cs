using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Talos.Api.Configuration;
using Talos.Api.Hosting;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Pki;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>What becomes of a revoked certificate: on nodes, over restarts, and for verifiers outside.</summary>
public sealed class RevocationTests : IAsyncLifetime
{
    RunningTrustd trustd = null!;

    public async ValueTask InitializeAsync() =>
        trustd = await RunningTrustd.StartAsync(lists: new RevocationListSection { Url = "http://crl.example.org/talos", Shards = 4, Listen = new Endpoint("127.0.0.1", 0) });

    public ValueTask DisposeAsync() => trustd.DisposeAsync();

    [Fact]
    public async Task Reaches_a_node_within_seconds_and_is_known_there_after_a_restart_without_trustd()
    {
        var node = await NodeAsync("worker-1");
        var (view, folder) = (new RevocationView(), Path.Combine(trustd.Folder, "node", "revocations"));
        using (var stop = new CancellationTokenSource())
        {
            var following = Follow(node, view, folder).RunAsync(stop.Token);
            await UntilAsync(() => view.Age(DateTimeOffset.UtcNow) is { } age && age < TimeSpan.FromSeconds(5));
            var (serial, _) = await PersonAsync("bob");
            Assert.Equal(RevocationStatus.Good, view.Check(serial));

            var clock = Stopwatch.StartNew();
            await (await trustd.AgainAsync()).CertificateRevokeAsync(new CertificateRevokeRequest { Name = "bob", Reason = "left" });
            await UntilAsync(() => view.Check(serial) == RevocationStatus.Revoked);
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
            await stop.CancelAsync();
            await following;

            // A node that starts while nobody answers.
            var again = new RevocationView();
            using var briefly = new CancellationTokenSource();
            var alone = TrustdRevocations.Open(new TrustdConnections("demo", TimeProvider.System), [new Endpoint("127.0.0.1", 1)], node, again, TimeProvider.System, NullLogger.Instance, folder).RunAsync(briefly.Token);
            await UntilAsync(() => again.AsOf is not null);
            Assert.Equal(RevocationStatus.Revoked, again.Check(serial));
            Assert.InRange(again.Age(DateTimeOffset.UtcNow)!.Value, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(7));
            await briefly.CancelAsync();
            await alone;
        }
        Assert.All(Directory.GetFiles(folder), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
    }

    [Fact]
    public async Task Rejects_lists_on_the_disk_that_no_trusted_authority_signed_and_older_ones_in_a_newer_one_s_place()
    {
        var node = await NodeAsync("worker-1");
        var roots = node.Current!.Roots!;
        var folder = Directory.CreateDirectory(Path.Combine(trustd.Folder, "lists")).FullName;
        var administrator = await trustd.AgainAsync();
        var shards = new List<RevocationListResponse>();
        for (uint shard = 0; shard < 4; shard++) shards.Add(await administrator.RevocationListAsync(new RevocationListRequest { Shard = shard }));
        var sound = shards[0].List.ToByteArray();

        var book = new RevocationBook(folder);
        Assert.Null(book.Put(sound, roots, [], DateTimeOffset.UtcNow));
        var forged = sound.ToArray();
        forged[^1] ^= 1;
        Assert.Contains("not signed", book.Put(forged, roots, [], DateTimeOffset.UtcNow), StringComparison.Ordinal);
        Assert.NotNull(book.Put(sound[..^9], roots, [], DateTimeOffset.UtcNow));
        using var stranger = CertificateAuthority.CreateRoot(ECDsa.Create(ECCurve.NamedCurves.nistP256), "demo", 1, TimeProvider.System).Require();
        var others = stranger.IssueCrl(new CrlContent { Number = 1000, Entries = [], Life = TimeSpan.FromHours(1) }).Der.ToArray();
        Assert.Contains("not signed", book.Put(others, roots, [], DateTimeOffset.UtcNow), StringComparison.Ordinal);
        // A delta whose base never came.
        var empty = new RevocationBook(null);
        var delta = (await administrator.RevocationListAsync(new RevocationListRequest { Shard = 0, Delta = true })).List.ToByteArray();
        Assert.Contains("not here", empty.Put(delta, roots, [], DateTimeOffset.UtcNow), StringComparison.Ordinal);

        File.WriteAllText(Path.Combine(folder, "other.crl"), Pem.Write(Pem.RevocationList, others));
        var reloaded = new RevocationBook(folder);
        Assert.Single(reloaded.Load(roots, [], DateTimeOffset.UtcNow));
        Assert.False(reloaded.IsEmpty);
        Assert.Single(new RevocationBook(folder).Load(TrustStore.Create(stranger.Certificate), [], DateTimeOffset.UtcNow), f => !f.Contains("other", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Closes_the_connections_of_a_node_s_caller_whose_certificate_is_revoked()
    {
        var node = await NodeAsync("worker-1");
        var view = new RevocationView();
        using var stop = new CancellationTokenSource();
        var following = Follow(node, view, null).RunAsync(stop.Token);
        await using var record = Talos.Audit.AuditLog.Open(
            Path.Combine(trustd.Folder, "record"), new Talos.Audit.AuditLogOptions { Signer = Talos.Audit.Ed25519CheckpointSigner.LoadOrCreate(Path.Combine(trustd.Folder, "record.key"), "demo/worker-1/osd"), Node = "worker-1" });
        await using var host = ApiHost.Create(
            new ApiHostOptions
            {
                Listen = new IPEndPoint(IPAddress.Loopback, 0),
                Trust = node,
                Node = new NodeDescription("demo", "worker-1", "worker"),
                Policy = PolicyInForce.Open(new PolicySource { Shipped = RunningTrustd.BundlePath }),
                Approvals = new Talos.Policy.ApprovalBook(TimeProvider.System, TimeSpan.FromMinutes(1)),
                Audit = record,
                Revocations = view,
            },
            new ApiServices().Add(new AuditReader(record)));
        await host.StartAsync();
        var (_, bob) = await PersonAsync("bob", "os:auditor");
        using var channel = RunningTrustd.ChannelTo(host.Endpoint, bob);
        var auditor = new Talos.Api.Audit.V1.AuditService.AuditServiceClient(channel);
        using var stream = auditor.List(new Talos.Api.Audit.V1.ListRequest { Follow = true });
        Assert.True(await stream.ResponseStream.MoveNext(default));

        var clock = Stopwatch.StartNew();
        await (await trustd.AgainAsync()).CertificateRevokeAsync(new CertificateRevokeRequest { Name = "bob", Reason = "left" });

        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await stream.ResponseStream.MoveNext(default)) { }
        });
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<RpcException>(() => auditor.CheckpointAsync(new Talos.Api.Audit.V1.CheckpointRequest()).ResponseAsync);
        await stop.CancelAsync();
        await following;
    }

    [Fact]
    public async Task Revokes_everything_of_one_authority()
    {
        var (serial, bob) = await PersonAsync("bob");
        var administrator = await trustd.AgainAsync();
        var issuer = (await administrator.CertificateListAsync(new CertificateListRequest { Serial = serial })).Certificates.Single().Issuer;
        await RunningTrustd.RefusedAsync(administrator.CertificateRevokeAsync(new CertificateRevokeRequest { Serial = serial, Issuer = issuer }), "invalid-request");
        await RunningTrustd.RefusedAsync(administrator.CertificateRevokeAsync(new CertificateRevokeRequest { Issuer = "00" }), "not-found");
        using var csr = CertificateSigningRequest.Create("bob");
        await trustd.Client(bob).RenewAsync(new RenewRequest { Csr = ByteString.CopyFrom(csr.Der.Span) });

        // The administrator's own is one of them: the answer comes, and is the last.
        var revoked = await administrator.CertificateRevokeAsync(new CertificateRevokeRequest { Issuer = issuer, Reason = "its key was stolen" });
        Assert.Contains(serial, revoked.Serials);
        Assert.Contains(trustd.AdministratorSerial, revoked.Serials);
        await Assert.ThrowsAsync<RpcException>(() => administrator.CertificateListAsync(new CertificateListRequest()).ResponseAsync);

        await Assert.ThrowsAsync<RpcException>(() => trustd.Client(bob).RenewAsync(new RenewRequest { Csr = ByteString.CopyFrom(csr.Der.Span) }).ResponseAsync);
        await Assert.ThrowsAsync<RpcException>(async () => await (await trustd.AgainAsync()).CertificateListAsync(new CertificateListRequest()));
    }

    [Fact]
    public async Task Ends_the_streams_of_a_person_who_revokes_the_own_certificate_right_after_the_answer()
    {
        var (serial, bob) = await PersonAsync("bob", "os:admin");
        var own = trustd.Client(bob);
        var record = new Talos.Api.Audit.V1.AuditService.AuditServiceClient(trustd.Channel(bob));
        using var stream = record.List(new Talos.Api.Audit.V1.ListRequest { Follow = true });
        Assert.True(await stream.ResponseStream.MoveNext(default));

        Assert.Equal(serial, Assert.Single((await own.CertificateRevokeAsync(new CertificateRevokeRequest { Name = "bob", Reason = "laptop lost" })).Serials));

        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await stream.ResponseStream.MoveNext(default)) { }
        });
        await Assert.ThrowsAsync<RpcException>(() => own.CertificateListAsync(new CertificateListRequest()).ResponseAsync);
    }

    [Fact]
    public async Task Gives_openssl_lists_that_it_refuses_a_revoked_certificate_by()
    {
        Assert.SkipUnless((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(f => File.Exists(Path.Combine(f, "openssl"))), "SKIPPED: `openssl` is not installed");
        var (bobSerial, bob) = await PersonAsync("bob");
        var (carolSerial, carol) = await PersonAsync("carol");
        var administrator = await trustd.AgainAsync();
        await administrator.CertificateRevokeAsync(new CertificateRevokeRequest { Serial = bobSerial, Reason = "left" });
        Assert.Contains($"http://crl.example.org/talos/", System.Text.Encoding.ASCII.GetString(bob.RawData), StringComparison.Ordinal);

        // From the folder that an operator publishes, under the path that the certificates name.
        var issuer = (await administrator.CertificateListAsync(new CertificateListRequest { Serial = carolSerial })).Certificates.Single().Issuer;
        var crls = Path.Combine(trustd.Folder, "state", "crl", issuer);
        Assert.Equal(8, Directory.GetFiles(crls, "*.crl").Length);
        Assert.Equal(1, Verify(bob, ShardOf(bobSerial), crls, out var output));
        Assert.Contains("certificate revoked", output, StringComparison.Ordinal);
        Assert.True(Verify(carol, ShardOf(carolSerial), crls, out output) == 0, output);
    }

    [Fact]
    public async Task Serves_the_lists_that_certificates_name_and_nothing_else()
    {
        var (serial, bob) = await PersonAsync("bob");
        await (await trustd.AgainAsync()).CertificateRevokeAsync(new CertificateRevokeRequest { Serial = serial, Reason = "left" });
        // The address that the certificate names, asked of the machine that serves it.
        var text = System.Text.Encoding.Latin1.GetString(bob.RawData);
        var begin = text.IndexOf("http://crl.example.org", StringComparison.Ordinal);
        var named = new Uri(text[begin..(text.IndexOf(".crl", begin, StringComparison.Ordinal) + 4)]);
        using var http = new HttpClient { BaseAddress = new Uri($"http://{trustd.Server.ListEndpoint}") };
        using var answer = await http.GetAsync(named.AbsolutePath);
        Assert.Equal("application/pkix-crl", answer.Content.Headers.ContentType!.ToString());
        Assert.InRange(answer.Headers.CacheControl!.MaxAge!.Value.TotalSeconds, 1, 300);
        var folder = Directory.CreateDirectory(Path.Combine(trustd.Folder, "fetched")).FullName;
        var shard = ShardOf(serial);
        await File.WriteAllBytesAsync(Path.Combine(folder, $"{shard}.crl"), await answer.Content.ReadAsByteArrayAsync());
        await File.WriteAllBytesAsync(Path.Combine(folder, $"{shard}-delta.crl"), await http.GetByteArrayAsync(named.AbsolutePath.Replace(".crl", "-delta.crl", StringComparison.Ordinal)));
        Assert.Equal(1, Verify(bob, shard, folder, out var output));
        Assert.Contains("certificate revoked", output, StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.NotModified, await StatusAsync(HttpMethod.Get, named.AbsolutePath, answer.Headers.ETag!.Tag));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(HttpMethod.Head, named.AbsolutePath));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, await StatusAsync(HttpMethod.Post, named.AbsolutePath));
        foreach (var other in new[] { "/", "/talos/", named.AbsolutePath + "/", named.AbsolutePath[6..], "/talos/../state/ca.key", "/talos/%2e%2e/ca.key", named.AbsolutePath.Replace("/talos", "/Talos", StringComparison.Ordinal) })
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(HttpMethod.Get, other));

        async Task<HttpStatusCode> StatusAsync(HttpMethod method, string path, string? known = null)
        {
            using var request = new HttpRequestMessage(method, path);
            if (known is not null) request.Headers.TryAddWithoutValidation("If-None-Match", known);
            using var response = await http.SendAsync(request);
            return response.StatusCode;
        }
    }

    static int ShardOf(string serial) => Convert.ToInt32(serial[^4..], 16) % 4;

    int Verify(X509Certificate2 certificate, int shard, string crls, out string output)
    {
        var leaf = Path.Combine(trustd.Folder, "leaf.pem");
        File.WriteAllText(leaf, certificate.ExportCertificatePem());
        var bundle = Path.Combine(trustd.Folder, "lists.pem");
        File.WriteAllText(bundle, string.Concat(new[] { $"{shard}.crl", $"{shard}-delta.crl" }.Select(f => Pem.Write(Pem.RevocationList, File.ReadAllBytes(Path.Combine(crls, f))))));
        string[] words = ["verify", "-CAfile", Path.Combine(trustd.Folder, "state/ca.crt"), "-crl_check", "-extended_crl", "-use_deltas", "-CRLfile", bundle, leaf];
        using var openssl = Process.Start(new ProcessStartInfo("openssl", words) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = openssl.StandardError.ReadToEndAsync();
        output = openssl.StandardOutput.ReadToEnd() + errors.Result;
        openssl.WaitForExit();
        return openssl.ExitCode == 0 ? 0 : 1;
    }

    [Fact]
    public async Task Sends_no_list_of_an_authority_before_it_signs()
    {
        var administrator = await trustd.AdministratorAsync();
        await administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Prepare });
        await administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Distribute });
        // A publication that comes after the change, for one that came before it would have no such list either way.
        await PersonAsync("bob");
        await administrator.CertificateRevokeAsync(new CertificateRevokeRequest { Name = "bob" });
        Assert.Single(await SignersAsync());

        await administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Activate, Force = true });
        await UntilAsync(() => SignersAsync().Result.Length == 2);

        await administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Back });
        Assert.Equal(2, (await SignersAsync()).Length);
    }

    /// <summary>Whose lists a node is sent first.</summary>
    async Task<string[]> SignersAsync()
    {
        using var stream = (await trustd.AgainAsync()).Revocations(new RevocationsRequest());
        Assert.True(await stream.ResponseStream.MoveNext(CancellationToken.None));
        return [.. stream.ResponseStream.Current.Lists.Select(l => CertificateRevocationList.Parse(l.Span).Require().Issuer.ToString()).Distinct()];
    }

    TrustdRevocations Follow(TrustSlot node, RevocationView view, string? folder) =>
        TrustdRevocations.Open(new TrustdConnections("demo", TimeProvider.System), [new Endpoint("127.0.0.1", trustd.Server.Endpoint.Port)], node, view, TimeProvider.System, NullLogger.Instance, folder);

    async Task<TrustSlot> NodeAsync(string name)
    {
        using var csr = CertificateSigningRequest.Create(name, [name], [IPAddress.Loopback]);
        var answer = await trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Token = trustd.NodeToken.Reveal() });
        var slot = new TrustSlot();
        slot.Set(new TrustMaterial(RunningTrustd.Identity(answer, csr), [], TrustStore.Parse(System.Text.Encoding.UTF8.GetBytes(answer.BundlePem)).Require()));
        return slot;
    }

    async Task<(string Serial, X509Certificate2 Certificate)> PersonAsync(string name, string role = "os:reader")
    {
        using var csr = CertificateSigningRequest.Create(name);
        var answer = await (await trustd.AgainAsync()).IssueClientAsync(new IssueClientRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Name = name, Roles = { role } });
        return (Certificate.Parse(answer.Certificate.Span).Require().Serial, RunningTrustd.Identity(answer, csr));
    }

    // The work is done by other threads, and nothing tells when it is.
    static async Task UntilAsync(Func<bool> condition)
    {
        var limit = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(limit.Elapsed < TimeSpan.FromSeconds(30), "it did not happen within 30 seconds");
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }
}
