using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Pki;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>That nobody gets more than a share, over real TLS: an address, a machine, a person, a token, each with a limit of its own.</summary>
public sealed class LimitTests : IAsyncLifetime
{
    static readonly RateSection Plenty = new() { PerMinute = 600_000, Burst = 10_000 };

    // So slow that nothing comes back while a test runs.
    static readonly RateSection Three = new() { PerMinute = 1, Burst = 3 };

    RunningTrustd trustd = null!;

    public async ValueTask InitializeAsync() => trustd = await RunningTrustd.StartAsync();

    public ValueTask DisposeAsync() => trustd.DisposeAsync();

    [Fact]
    public async Task Denies_the_holder_of_a_token_more_than_the_token_s_share_while_other_tokens_get_theirs()
    {
        await LimitedAsync(new RateLimitSection { Address = Plenty, Machine = Plenty, Person = Plenty, Token = Three });
        var administrator = await trustd.AdministratorAsync();
        var other = (await administrator.TokenCreateAsync(new TokenCreateRequest { Names = { "spare-*" }, Uses = 2 })).Token;
        using var csr = CertificateSigningRequest.Create("worker-1");
        var stolen = new EnrollRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Token = trustd.NodeToken.Reveal() };
        for (var i = 0; i < 3; i++) await trustd.Stranger().EnrollAsync(stolen);

        var refusal = await RunningTrustd.RefusedAsync(trustd.Stranger().EnrollAsync(stolen), "rate-limited");
        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
        Assert.Contains($"token `{trustd.NodeToken.Id}`", refusal.Status.Detail, StringComparison.Ordinal);

        using var spare = CertificateSigningRequest.Create("spare-1");
        await trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(spare.Der.Span), Token = other });
    }

    [Fact]
    public async Task Lists_no_more_than_one_message_holds()
    {
        var administrator = await trustd.AdministratorAsync();
        var bootstrap = (await administrator.TokenListAsync(new TokenListRequest())).Tokens.Count;
        for (var i = 0; i < 101 - bootstrap; i++) await administrator.TokenCreateAsync(new TokenCreateRequest { Names = { "spare-*" } });
        await TokensAsync(limit: 0, 100, more: true);
        await TokensAsync(limit: 100, 100, more: true);
        await TokensAsync(limit: 101, 101, more: false);
        await TokensAsync(uint.MaxValue, 101, more: false);
        await TokensAsync(limit: 1, 1, more: true);

        // 64 names of 253 characters each: 300 such tokens would be 4.8 MB, more than a client takes.
        var names = Enumerable.Range(0, 64).Select(n => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{n:d3}{new string('x', 250)}"));
        await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => administrator.TokenCreateAsync(new TokenCreateRequest { Names = { names } }).ResponseAsync));
        var many = await administrator.TokenListAsync(new TokenListRequest { Limit = 1000 });
        Assert.InRange(many.Tokens.Count, 150, 300);
        Assert.True(many.More);

        using var first = CertificateSigningRequest.Create("worker-1");
        using var second = CertificateSigningRequest.Create("worker-2");
        foreach (var machine in new[] { first, second })
            await trustd.Stranger().EnrollmentApplyAsync(new EnrollmentApplyRequest { Csr = ByteString.CopyFrom(machine.Der.Span) });
        var both = await administrator.EnrollmentListAsync(new EnrollmentListRequest());
        Assert.Equal((2, false), (both.Enrollments.Count, both.More));
        var one = await administrator.EnrollmentListAsync(new EnrollmentListRequest { Limit = 1 });
        Assert.Equal((1, true), (one.Enrollments.Count, one.More));
        var certificates = await administrator.CertificateListAsync(new CertificateListRequest { Limit = 1 });
        Assert.Equal((1, true), (certificates.Certificates.Count, certificates.More));

        async Task TokensAsync(uint limit, int count, bool more)
        {
            var answer = await administrator.TokenListAsync(new TokenListRequest { Limit = limit });
            Assert.Equal((count, more), (answer.Tokens.Count, answer.More));
        }
    }

    [Fact]
    public async Task Counts_against_a_token_only_who_has_its_secret()
    {
        await LimitedAsync(new RateLimitSection { Address = Plenty, Token = Three });
        using var csr = CertificateSigningRequest.Create("worker-1");
        var guess = $"{trustd.NodeToken.Id}.{TokenSecret.Generate().Reveal()[9..]}";
        for (var i = 0; i < 5; i++)
            await RunningTrustd.RefusedAsync(trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Token = guess }), "token-refused");
        await trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Token = trustd.NodeToken.Reveal() });
    }

    [Fact]
    public async Task Denies_a_person_more_than_a_person_s_share_while_another_gets_hers_but_never_a_revocation()
    {
        await LimitedAsync(new RateLimitSection { Address = Plenty, Person = Three });
        var alice = await trustd.AdministratorAsync();
        using var csr = CertificateSigningRequest.Create("bob");
        var ask = new IssueClientRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Name = "bob", Roles = { "os:admin" } };
        var answer = await alice.IssueClientAsync(ask);
        await alice.CertificateListAsync(new CertificateListRequest());
        await alice.TokenListAsync(new TokenListRequest());

        Assert.Contains("person `alice`", (await RunningTrustd.RefusedAsync(alice.IssueClientAsync(ask), "rate-limited")).Status.Detail, StringComparison.Ordinal);
        await RunningTrustd.RefusedAsync(alice.CertificateListAsync(new CertificateListRequest()), "rate-limited");
        await RunningTrustd.RefusedAsync(alice.TokenCreateAsync(new TokenCreateRequest { Names = { "x" } }), "rate-limited");
        // The same person with another connection and another certificate is the same person.
        await RunningTrustd.RefusedAsync((await trustd.AgainAsync()).AuthorityStatusAsync(new AuthorityStatusRequest()), "rate-limited");

        await trustd.As(answer, csr).CertificateListAsync(new CertificateListRequest());
        Assert.Single((await alice.CertificateRevokeAsync(new CertificateRevokeRequest { Name = "bob", Reason = "left" })).Serials);
    }

    [Fact]
    public async Task Denies_an_address_more_than_its_share()
    {
        await LimitedAsync(new RateLimitSection { Address = Three });
        for (var i = 0; i < 3; i++) await trustd.Stranger().CABundleAsync(new CABundleRequest());
        Assert.Contains("address `127.0.0.1`", (await RunningTrustd.RefusedAsync(trustd.Stranger().CABundleAsync(new CABundleRequest()), "rate-limited")).Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Denies_a_token_that_has_expired()
    {
        using var csr = CertificateSigningRequest.Create("worker-1");
        var refusal = await RunningTrustd.RefusedAsync(
            trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Token = trustd.ExpiredToken.Reveal() }), "token-expired");
        Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);
        Assert.Contains($"the token `{trustd.ExpiredToken.Id}` expired at ", refusal.Status.Detail, StringComparison.Ordinal);
        var administrator = await trustd.AdministratorAsync();
        Assert.DoesNotContain((await administrator.CertificateListAsync(new CertificateListRequest())).Certificates, c => c.Name == "worker-1");
        Assert.Contains((await administrator.RefusalListAsync(new RefusalListRequest())).Refusals, r => r.Reason == "token-expired");
    }

    async Task LimitedAsync(RateLimitSection limits)
    {
        await trustd.DisposeAsync();
        trustd = await RunningTrustd.StartAsync(limits: limits);
    }
}
