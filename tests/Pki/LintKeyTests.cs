using System.Security.Cryptography;
using Xunit;

namespace Talos.Pki.Tests;

/// <summary>The key under which drafts are linted, held to the platform's ECDSA.</summary>
public sealed class LintKeyTests
{
    [Fact]
    public void Signs_what_the_platform_verifies()
    {
        var key = new LintKey();
        using var platform = ECDsa.Create();
        platform.ImportSubjectPublicKeyInfo(key.PublicKey.Span, out _);
        for (int i = 0; i < 500; i++)
        {
            byte[] draft = RandomNumberGenerator.GetBytes(i);
            byte[] signature = key.Sign(draft);
            Assert.True(platform.VerifyData(draft, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
            Assert.False(platform.VerifyData((byte[])[.. draft, 1], signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }
    }

    [Fact]
    public void Is_another_one_each_time() =>
        Assert.Equal(20, Enumerable.Range(0, 20).Select(_ => Convert.ToHexString(new LintKey().PublicKey.Span)).Distinct().Count());
}
