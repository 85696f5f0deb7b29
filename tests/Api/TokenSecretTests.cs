using Talos.Api.Configuration;
using Xunit;

namespace Talos.Api.Tests;

public sealed class TokenSecretTests
{
    // openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt key:0123456789abcdefghijklmnopqrstuv -kdfopt info:"talos token verifier" -binary HKDF | sha256sum
    // openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt key:0123456789abcdefghijklmnopqrstuv -kdfopt info:"talos discovery" HKDF
    const string Verifier = "8777c19d6125595d1603cb7bf791e583f87d7194e8bc8cd677bb7ffef5eca485";
    const string Discovery = "b571f36dcfbfec9be1c585d153cbbd4ccfabd4952a2211ada6e82411be8056db";

    [Fact]
    public void Accepts_the_derivation_that_openssl_computes()
    {
        Assert.True(TokenSecret.TryParse("abcdefgh.0123456789abcdefghijklmnopqrstuv\n", out var token));
        Assert.Equal(Verifier, Convert.ToHexStringLower(token.Verifier().Span));
        Assert.Equal(Discovery, Convert.ToHexStringLower(token.Discovery().Span));
    }

    [Fact]
    public void Accepts_what_it_generates()
    {
        var token = TokenSecret.Generate();
        Assert.True(TokenSecret.TryParse(token.Reveal(), out var read));
        Assert.Equal(token.Id, read.Id);
        Assert.Equal(token.Reveal(), read.Reveal());
        Assert.NotEqual(token.Reveal(), TokenSecret.Generate().Reveal());
        Assert.Equal($"{token.Id}.…", token.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("abcdefgh")]
    [InlineData("abcdefgh.short")]
    [InlineData("ABCDEFGH.0123456789abcdefghijklmnopqrstuv")]
    [InlineData("abcdefgh.0123456789abcdefghijklmnopqrstu!")]
    [InlineData("abcdefgh.0123456789abcdefghijklmnopqrstuvw")]
    [InlineData("abcdefghi0123456789abcdefghijklmnopqrstuv")]
    public void Rejects_what_is_no_token(string text) => Assert.False(TokenSecret.TryParse(text, out _));
}
