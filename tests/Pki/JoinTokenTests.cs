using System.Text;
using Xunit;

namespace Talos.Pki.Tests;

public sealed class JoinTokenTests
{
    static readonly byte[] s_nonce = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void Accepts_its_own_text_and_never_shows_the_secret()
    {
        JoinToken token = JoinToken.Create();
        Assert.Matches("^[a-z0-9]{8}\\.[a-z0-9]{32}$", token.Reveal());
        JoinToken again = JoinToken.Parse(token.Reveal() + "\n").Require();
        Assert.Equal(token.Verifier(), again.Verifier());
        Assert.DoesNotContain(token.Reveal()[9..], $"{token} {token.ToRecord()}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("abcdefgh")]
    [InlineData("abcdefgh.0123456789")]
    [InlineData("ABCDEFGH.abcdefghijklmnopqrstuvwxyz012345")]
    [InlineData("abcdefgh-abcdefghijklmnopqrstuvwxyz012345")]
    public void Rejects_other_text_without_repeating_it(string text)
    {
        PkiFailure failure = JoinToken.Parse(text).Failure!;
        Assert.Equal(PkiReason.MalformedToken, failure.Reason);
        if (text.Length > 0)
            Assert.DoesNotContain(text, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Redeems_with_the_verifier_alone()
    {
        JoinToken token = JoinToken.Create();
        TokenRecord record = token.ToRecord();
        var stored = new TokenRecord(record.Id, record.VerifierHash.Span, record.DiscoveryKey.Span);
        Assert.Equal(TokenVerdict.Accepted, stored.Check(token.Verifier()));
        Assert.Equal(TokenVerdict.Rejected, stored.Check(JoinToken.Create().Verifier()));
        Assert.Equal(TokenVerdict.Rejected, stored.Check(record.VerifierHash.Span));
        Assert.Equal(TokenVerdict.Rejected, stored.Check([]));
    }

    [Fact]
    public void Believes_a_bundle_only_from_who_knows_the_token()
    {
        using var fleet = new TestFleet();
        byte[] bundle = Encoding.ASCII.GetBytes(fleet.Authority.Certificate.ToPem());
        JoinToken token = JoinToken.Create();
        byte[] mac = token.ToRecord().MacBundle(s_nonce, bundle);
        Assert.Equal(fleet.Authority.Certificate, Assert.Single(token.VerifyBundle(s_nonce, bundle, mac).Require().Anchors));
        Assert.Equal(PkiReason.TokenMismatch, JoinToken.Create().VerifyBundle(s_nonce, bundle, mac).Failure!.Reason);
        byte[] otherNonce = [.. s_nonce.Reverse()];
        Assert.Equal(PkiReason.TokenMismatch, token.VerifyBundle(otherNonce, bundle, mac).Failure!.Reason);
        bundle[^2] ^= 1;
        Assert.Equal(PkiReason.TokenMismatch, token.VerifyBundle(s_nonce, bundle, mac).Failure!.Reason);
    }
}
