using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Talos.Api.Configuration;
using Talos.Api.Machine.V1;
using Talos.Audit;
using Talos.Policy;
using Xunit;

namespace Talos.Api.Server.Tests;

/// <summary>A server whose calls are decided over HTTP, by a server that speaks OPA's REST API.</summary>
public sealed class OutsideOpaTests
{
    const string Allow = """{"decision_id": "d-42", "result": {"allow": true, "reason": "role_allowed", "sentence": "yes", "rule": "data.talos.authz.granted"}}""";

    [Fact]
    public async Task Accepts_its_decisions_over_one_connection_and_records_their_ids()
    {
        await using var opa = await OpaServer.StartAsync(_ => Task.FromResult(Allow));
        await using var test = await TestHost.StartAsync(policy: Source(opa));

        // The shipped policy would refuse both.
        await test.As("rita", "os:reader").RebootAsync(new RebootRequest());
        await test.As("rita", "team:blue").RebootAsync(new RebootRequest());

        Assert.Equal(["/v1/data/talos/authz/decision", "/v1/data/talos/authz/decision"], opa.Asked.Select(a => a.Path));
        Assert.Single(opa.Asked.Select(a => a.Connection).Distinct());
        var input = JsonNode.Parse(opa.Asked.First().Body)!["input"]!;
        Assert.Equal(("rita", "north", "/talos.machine.v1.MachineService/Reboot"),
            ((string?)input["caller"]!["name"], (string?)input["node"]!["labels"]!["zone"], (string?)input["method"]));
        var closed = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed);
        Assert.Equal(("d-42", "opa", "role_allowed"), (closed.Details["opa_decision_id"], closed.Decision.BundleRevision, closed.Decision.ReasonId));
    }

    [Fact]
    public async Task Accepts_every_field_of_the_input_as_filled()
    {
        await using var opa = await OpaServer.StartAsync(_ => Task.FromResult(Allow));
        await using var test = await TestHost.StartAsync(policy: Source(opa));
        test.Node.Learn(node => node with { Attested = AttestationState.Verified });
        var rita = test.Authority.Person("rita", "os:reader");
        test.Machine.Chunks.Release();
        using var stream = test.As(rita).Dmesg(new DmesgRequest { TailLines = 7 });
        Assert.True(await stream.ResponseStream.MoveNext(default));

        var input = JsonNode.Parse(opa.Asked.Single().Body)!["input"]!;
        var caller = input["caller"]!;
        Assert.Equal(("rita", "spiffe://demo/user/rita", "127.0.0.1", false),
            ((string?)caller["name"], (string?)caller["spiffe"], (string?)caller["source_ip"], (bool)caller["anonymous"]!));
        Assert.Equal(["os:reader"], caller["roles"]!.AsArray().Select(r => (string)r!));
        Assert.Equal(rita.Certificate.SerialNumber, (string?)caller["serial"], ignoreCase: true);
        Assert.True((long)caller["issued_at"]! < (long)caller["expires_at"]! && (long)input["time"]! < (long)caller["expires_at"]!);
        var node = input["node"]!;
        Assert.Equal(("cp-1", "controlplane", true, "verified"),
            ((string?)node["name"], (string?)node["role"], (bool)node["attested"]!, (string?)node["attestation"]));
        Assert.Equal("""{"follow":false,"tail_lines":7}""", input["request"]!.ToJsonString());
        Assert.Empty(input["approvals"]!.AsArray());
    }

    [Fact]
    public async Task Denies_when_it_is_gone_or_says_nothing()
    {
        var opa = await OpaServer.StartAsync(_ => Task.FromResult("{}"));
        await using var test = await TestHost.StartAsync(policy: Source(opa));

        var silent = await Assert.ThrowsAsync<RpcException>(async () => await test.As("ada", "os:admin").RebootAsync(new RebootRequest()));
        await opa.DisposeAsync();
        var gone = await Assert.ThrowsAsync<RpcException>(async () => await test.As("ada", "os:admin").RebootAsync(new RebootRequest()));

        Assert.All([silent, gone], f => Assert.Equal((StatusCode.PermissionDenied, "opa_failed"), (f.StatusCode, f.Trailers.GetValue(RefusalException.ReasonTrailer))));
        Assert.Equal(0, test.Machine.Handled);
    }

    [Fact]
    public async Task Denies_when_the_deadline_passes()
    {
        var time = new FakeTimeProvider();
        await using var opa = await OpaServer.StartAsync(async cancellation =>
        {
            // The server has the question; now the time passes.
            time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.Delay(Timeout.Infinite, cancellation);
            return Allow;
        });
        using var outside = PolicySource.From(TestHost.BundlePath, "/nowhere", new PolicySection { Opa = new OpaSection { Url = opa.Address } }, time).Outside;

        var decision = await outside!.DecideAsync(
            new AuthorizationInput { RevocationAge = TimeSpan.Zero, Caller = AuthorizationCaller.Anonymous("::1"), Method = "/x/Y", Time = time.GetUtcNow() }, CancellationToken.None);

        Assert.Equal((DecisionOutcome.Deny, "opa_failed"), (decision.Outcome, decision.ReasonId));
        Assert.Contains("within 500 ms", decision.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, DecisionOutcome.Allow)]
    [InlineData(false, DecisionOutcome.Deny)]
    public async Task Accepts_only_a_certificate_of_the_configured_authority(bool configured, DecisionOutcome expected)
    {
        using var own = Authority("own");
        using var other = Authority("other");
        await using var opa = await OpaServer.StartAsync(_ => Task.FromResult(Allow), Leaf(own));
        var section = new OpaSection { Url = opa.Address, CaBundle = (configured ? own : other).ExportCertificatePem() };
        using var outside = PolicySource.From(TestHost.BundlePath, "/nowhere", new PolicySection { Opa = section }, TimeProvider.System).Outside;

        var decision = await outside!.DecideAsync(
            new AuthorizationInput { RevocationAge = TimeSpan.Zero, Caller = AuthorizationCaller.Anonymous("::1"), Method = "/x/Y", Time = DateTimeOffset.UtcNow }, CancellationToken.None);

        Assert.Equal(expected, decision.Outcome);
    }

    static PolicySource Source(OpaServer opa) =>
        PolicySource.From(TestHost.BundlePath, "/nowhere", new PolicySection { Opa = new OpaSection { Url = opa.Address, Deadline = TimeSpan.FromSeconds(10) } }, TimeProvider.System) with { Folder = null };

    static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(2));
    }

    static X509Certificate2 Leaf(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=opa", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), [1, 2, 3]);
        return issued.CopyWithPrivateKey(key);
    }

    sealed record Question(string Path, string Body, string Connection);

    sealed class OpaServer : IAsyncDisposable
    {
        WebApplication application = null!;

        public ConcurrentQueue<Question> Asked { get; } = new();

        public Uri Address => new(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/");

        public static async Task<OpaServer> StartAsync(Func<CancellationToken, Task<string>> answer, X509Certificate2? certificate = null)
        {
            var server = new OpaServer();
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().ConfigureKestrel(k =>
            {
                if (certificate is not null) k.Listen(IPAddress.Loopback, 0, l => l.UseHttps(certificate));
                else k.Listen(IPAddress.Loopback, 0);
            });
            if (certificate is not null) builder.WebHost.UseKestrelHttpsConfiguration();
            server.application = builder.Build();
            server.application.Run(async context =>
            {
                using var reader = new StreamReader(context.Request.Body);
                server.Asked.Enqueue(new Question(context.Request.Path, await reader.ReadToEndAsync(), context.Connection.Id));
                var text = await answer(context.RequestAborted);
                context.Response.ContentType = "application/json";
                await context.Response.WriteAsync(text);
            });
            await server.application.StartAsync();
            return server;
        }

        public ValueTask DisposeAsync() => application.DisposeAsync();
    }
}
