using Microsoft.Extensions.Time.Testing;
using Talos.Api.Server;
using Talos.Trustd.Login;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>How long a provider's keys are believed, and what becomes of them when it has others or does not answer.</summary>
public sealed class IdentityProviderTests
{
    [Fact]
    public async Task Follows_a_rotation_at_once_and_forgets_a_key_that_is_gone_within_the_hour()
    {
        await using var provider = await OidcProvider.StartAsync();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var known = new IdentityProvider(provider.Configuration, time);
        Assert.NotNull(await known.FindKeyAsync("ec-1", default));
        time.Advance(TimeSpan.FromMinutes(59));
        Assert.NotNull(await known.FindKeyAsync("ec-1", default));
        Assert.Equal(1, provider.KeyRequests);

        provider.KeyId = "ec-2";
        Assert.NotNull(await known.FindKeyAsync("ec-2", default));
        Assert.Null(await known.FindKeyAsync("ec-1", default));
        Assert.Equal(2, provider.KeyRequests);
    }

    [Fact]
    public async Task Says_that_the_provider_is_away_each_time_and_not_that_the_key_is_unknown()
    {
        var provider = await OidcProvider.StartAsync();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var known = new IdentityProvider(provider.Configuration, time);
        Assert.NotNull(await known.FindKeyAsync("ec-1", default));
        await provider.DisposeAsync();
        Assert.NotNull(await known.FindKeyAsync("ec-1", default));
        time.Advance(TimeSpan.FromMinutes(61));
        // The second comes before the provider is asked again.
        for (var i = 0; i < 2; i++)
            Assert.Equal("identity-provider-unavailable", (await Assert.ThrowsAsync<RefusalException>(() => known.FindKeyAsync("ec-1", default))).Id);
    }
}
