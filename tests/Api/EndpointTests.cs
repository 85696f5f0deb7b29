using Talos.Api.Configuration;
using Xunit;

namespace Talos.Api.Tests;

public sealed class EndpointTests
{
    [Theory]
    [InlineData("10.0.0.1:50000", "10.0.0.1", 50000)]
    [InlineData("cp-1", "cp-1", 7)]
    [InlineData("cp-1.example:1", "cp-1.example", 1)]
    [InlineData("[::1]:50000", "::1", 50000)]
    [InlineData("[::1]", "::1", 7)]
    [InlineData("fd00::2", "fd00::2", 7)]
    public void Accepts_hosts_with_and_without_a_port(string text, string host, int port)
    {
        Assert.True(Endpoint.TryParse(text, 7, out var endpoint));
        Assert.Equal(new Endpoint(host, port), endpoint);
        Assert.True(Endpoint.TryParse(endpoint.ToString(), null, out var again));
        Assert.Equal(endpoint, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData(":1")]
    [InlineData("a:")]
    [InlineData("a:0")]
    [InlineData("a:65536")]
    [InlineData("a: 1")]
    [InlineData("a:+1")]
    [InlineData("[::1")]
    [InlineData("[::1]x")]
    [InlineData("a b")]
    [InlineData("https://a")]
    [InlineData("A.example:1")]
    public void Rejects_what_is_no_endpoint(string text) => Assert.False(Endpoint.TryParse(text, 7, out _));

    [Fact]
    public void Rejects_a_missing_port_where_there_is_no_default() => Assert.False(Endpoint.TryParse("a", null, out _));
}
