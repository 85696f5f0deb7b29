using Microsoft.Extensions.Time.Testing;
using Talos.Api.Server;
using Talos.Trustd.Issuance;
using Xunit;

namespace Talos.Trustd.Tests;

public sealed class RateLimitTests
{
    readonly FakeTimeProvider time = new();

    [Fact]
    public void Accepts_a_burst_and_then_one_an_interval()
    {
        var limit = new RateLimit("address", TimeSpan.FromSeconds(10), burst: 3, time);
        for (var i = 0; i < 3; i++) limit.Require("a");
        Assert.Equal("try again in 10 s", Assert.Throws<RefusalException>(() => limit.Require("a")).Hint);
        time.Advance(TimeSpan.FromSeconds(10));
        limit.Require("a");
        Assert.Throws<RefusalException>(() => limit.Require("a"));
    }

    [Fact]
    public void Accepts_others_while_one_is_refused()
    {
        var limit = new RateLimit("address", TimeSpan.FromSeconds(10), burst: 1, time);
        limit.Require("a");
        Assert.Throws<RefusalException>(() => limit.Require("a"));
        limit.Require("b");
    }

    [Fact]
    public void Accepts_no_more_than_the_burst_from_many_threads()
    {
        var limit = new RateLimit("address", TimeSpan.FromHours(1), burst: 100, time);
        var admitted = 0;
        Parallel.For(0, 1000, _ =>
        {
            try
            {
                limit.Require("a");
                Interlocked.Increment(ref admitted);
            }
            catch (RefusalException e)
            {
                Assert.Equal(RefusalReason.TooManyRequests, e.Reason);
            }
        });
        Assert.Equal(100, admitted);
    }

    [Fact]
    public void Forgets_quiet_keys_and_refuses_when_all_are_busy()
    {
        var limit = new RateLimit("address", TimeSpan.FromSeconds(1), burst: 1, time);
        for (var i = 0; i < 65_536; i++) limit.Require($"{i}");
        Assert.Throws<RefusalException>(() => limit.Require("one more"));
        time.Advance(TimeSpan.FromSeconds(2));
        limit.Require("one more");
    }
}
