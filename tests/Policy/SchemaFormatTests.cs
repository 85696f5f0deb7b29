using Xunit;

namespace Talos.Policy.Tests;

public sealed class SchemaFormatTests
{
    [Theory]
    [InlineData("date", "2024-02-29", "2023-02-29")]
    [InlineData("time", "11:00:00Z", "25:00:00")]
    [InlineData("time", "11:00:00.5+02:00", "11:00")]
    [InlineData("date-time", "2020-01-01T00:00:00.123Z", "2020-01-01 00:00:00")]
    [InlineData("hostname", "a-1.example", "-a.example")]
    [InlineData("email", "x@y.example", "x.y.example")]
    [InlineData("ipv4", "192.0.2.1", "1.2.3")]
    [InlineData("ipv6", "2001:db8::1", "192.0.2.1")]
    [InlineData("uri", "https://x.example/a?b", "/a/b")]
    [InlineData("uri-reference", "/a/b", "a\\b")]
    [InlineData("uri-template", "/a/{b}", "/a/{b")]
    [InlineData("uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b8109dad11d180b400c04fd430c8")]
    [InlineData("regex", "^a+$", "[a")]
    [InlineData("json-pointer", "/a/b~0", "a/b")]
    [InlineData("relative-json-pointer", "1/a", "/a")]
    public void Accepts_and_rejects(string format, string good, string bad)
    {
        Assert.True(SchemaFormats.Has(format, good));
        Assert.False(SchemaFormats.Has(format, bad));
        Assert.True(SchemaFormats.Has("something-else", bad));
    }
}
