using Talos.Api.Configuration;
using Talos.Pki;
using Xunit;

namespace Talos.Osctl.Tests;

public sealed class TokenTests
{
    /// <summary>Machine configuration and PKI may not know each other, so each derives by itself; they must not drift apart.</summary>
    [Fact]
    public void Accepts_one_derivation_in_both_modules()
    {
        var token = JoinToken.Create();
        Assert.True(TokenSecret.TryParse(token.Reveal(), out var secret));
        Assert.Equal(token.ToRecord().VerifierHash.ToArray(), secret.Verifier().ToArray());
        Assert.Equal(token.ToRecord().DiscoveryKey.ToArray(), secret.Discovery().ToArray());
        Assert.True(JoinToken.Parse(TokenSecret.Generate().Reveal()).Is(out _, out _));
    }
}
