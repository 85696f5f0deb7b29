using System.Security.Cryptography;
using Grpc.Net.Client;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Pki;
using Xunit;

namespace Talos.Api.Server.Tests;

/// <summary>The client of trustd against a server with real TLS whose answers a test chooses.</summary>
public sealed class TrustdSourceTests
{
    static readonly TokenSecret Token = TokenSecret.Generate();

    [Fact]
    public async Task Accepts_the_trustd_that_knows_the_token()
    {
        await using var test = await StartAsync(out var trustd);

        var grant = await Source(test).EnrollAsync(Csr(), null, default);

        Assert.Equal(Token.Reveal(), trustd.TokenSeen);
        Assert.Equal(test.Authority.BundlePem, grant.BundlePem);
    }

    [Fact]
    public async Task Rejects_a_server_that_does_not_know_the_token_and_tells_it_nothing()
    {
        await using var test = await StartAsync(out var trustd);
        trustd.DiscoveryKey = RandomNumberGenerator.GetBytes(32);

        var failure = await Assert.ThrowsAsync<EnrollmentException>(() => Source(test).EnrollAsync(Csr(), null, default));

        Assert.Equal(EnrollmentFailure.NotTrusted, failure.Failure);
        Assert.Null(trustd.TokenSeen);
    }

    [Fact]
    public async Task Rejects_a_server_whose_certificate_is_not_of_the_authority_it_names()
    {
        await using var test = await StartAsync(out var trustd);
        using var other = new TestAuthority();
        trustd.Bundle = other.BundlePem;

        var failure = await Assert.ThrowsAsync<EnrollmentException>(() => Source(test).EnrollAsync(Csr(), null, default));

        Assert.Equal(EnrollmentFailure.NotTrusted, failure.Failure);
        Assert.Null(trustd.TokenSeen);
    }

    [Fact]
    public async Task Rejects_a_node_that_plays_trustd()
    {
        await using var test = await StartAsync(out var trustd);
        test.Slot.Set(test.Authority.Node("cp-1"));

        var failure = await Assert.ThrowsAsync<EnrollmentException>(() => Source(test).EnrollAsync(Csr(), null, default));

        Assert.Equal(EnrollmentFailure.NotTrusted, failure.Failure);
        Assert.Null(trustd.TokenSeen);
    }

    [Fact]
    public async Task Rejects_a_second_connection_to_a_server_that_has_not_proved_itself()
    {
        await using var test = await StartAsync(out _);
        var here = new Endpoint("127.0.0.1", test.Host.Endpoint.Port);
        var check = ServerCheck.ForDiscovery(here, "demo", TimeProvider.System);
        using var first = ServerCheck.Open(here, check, own: null);
        using var second = ServerCheck.Open(here, check, own: null);
        await Ask(first);

        await Assert.ThrowsAnyAsync<Exception>(() => Ask(second));

        Assert.Contains("twice", check.Fault, StringComparison.Ordinal);
        Assert.True(check.Believes(test.Authority.Roots));
        await Ask(second);

        static Task Ask(GrpcChannel channel) => new TrustService.TrustServiceClient(channel).CABundleAsync(new CABundleRequest()).ResponseAsync;
    }

    [Fact]
    public async Task Rejects_a_trustd_of_another_cluster()
    {
        await using var test = await StartAsync(out var trustd);
        trustd.Cluster = "other";

        var failure = await Assert.ThrowsAsync<EnrollmentException>(() => Source(test).EnrollAsync(Csr(), null, default));

        Assert.Equal(EnrollmentFailure.NotTrusted, failure.Failure);
        Assert.Contains("`other`", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rejects_what_trustd_refuses_with_its_sentence()
    {
        await using var test = await StartAsync(out var trustd);
        trustd.Refusal = new RefusalException(RefusalReason.NotAllowed, "the token is spent");

        var failure = await Assert.ThrowsAsync<EnrollmentException>(() => Source(test).EnrollAsync(Csr(), null, default));

        Assert.Equal(EnrollmentFailure.Refused, failure.Failure);
        Assert.Contains("the token is spent", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Survives_a_first_endpoint_that_is_away()
    {
        await using var test = await StartAsync(out _);
        var here = new Endpoint("127.0.0.1", test.Host.Endpoint.Port);

        await new TrustdSource("demo", [new Endpoint("127.0.0.1", 1), here], Token, null, TimeProvider.System).EnrollAsync(Csr(), null, default);
    }

    [Fact]
    public async Task Accepts_a_renewal_with_the_certificate_that_is_renewed()
    {
        await using var test = await StartAsync(out _);
        var own = test.Authority.Node("worker-1");

        await Source(test).RenewAsync(Csr(), own, default);

        var opened = await test.EntryAsync(e => e.Kind == EntryKind.CallOpened && e.Method.EndsWith("/Renew", StringComparison.Ordinal));
        Assert.Equal(("worker-1", own.Certificate.SerialNumber.ToLowerInvariant()), (opened.Caller.Name, opened.Caller.Serial));
    }

    static Task<TestHost> StartAsync(out FakeTrustd trustd)
    {
        var fake = trustd = new FakeTrustd(Token);
        return Start();

        async Task<TestHost> Start()
        {
            var test = await TestHost.StartAsync(ClientCertificates.Optional, more: services => services.Add(fake));
            test.Slot.Set(test.Authority.Trustd("cp-1"));
            fake.Authority = test.Authority;
            fake.Bundle = test.Authority.BundlePem;
            return test;
        }
    }

    static TrustdSource Source(TestHost test) =>
        new("demo", [new Endpoint("127.0.0.1", test.Host.Endpoint.Port)], Token, null, TimeProvider.System);

    static ReadOnlyMemory<byte> Csr()
    {
        using var request = CertificateSigningRequest.Create("worker-1");
        return request.Der;
    }
}
