using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Talos.Linux.OpenSsl;

namespace Talos.Linux.Tests;

public sealed class CurveTemplateTests
{
    static readonly ECCurve[] s_curves = [ECCurve.NamedCurves.nistP256, ECCurve.NamedCurves.nistP384, ECCurve.NamedCurves.nistP521];

    public static TheoryData<int> Curves => [0, 1, 2];

    [Theory, MemberData(nameof(Curves))]
    public void Takes_in_what_verifies_as_the_platforms_own_key_does(int index)
    {
        var curve = Template(index);
        for (var round = 0; round < 50; round++)
        {
            using var key = ECDsa.Create(s_curves[index]);
            var signature = key.SignData("data"u8, HashAlgorithmName.SHA256);
            using var taken = curve.Import(Point(key));
            Assert.Equal(key.ExportSubjectPublicKeyInfo(), taken.ExportSubjectPublicKeyInfo());
            Assert.True(taken.VerifyData("data"u8, signature, HashAlgorithmName.SHA256));
            Assert.False(taken.VerifyData("date"u8, signature, HashAlgorithmName.SHA256));
        }
    }

    [Theory, MemberData(nameof(Curves))]
    public void Refuses_what_is_no_point_of_the_curve(int index)
    {
        var curve = Template(index);
        using var key = ECDsa.Create(s_curves[index]);
        var point = Point(key);
        var size = (point.Length - 1) / 2;
        // Off the curve, the point's two halves exchanged, compressed, at infinity, cut short, too long, coordinates at or beyond the field's prime.
        foreach (var wrong in new byte[][]
        {
            [.. point[..^1], (byte)(point[^1] ^ 1)],
            [4, .. point[(1 + size)..], .. point[1..(1 + size)]],
            [(byte)(2 + (point[^1] & 1)), .. point[1..(1 + size)]],
            [0],
            [],
            point[..^1],
            [.. point, 0],
            [4, .. Enumerable.Repeat((byte)0xFF, 2 * size)],
            [4, .. new byte[2 * size]],
        })
        {
            var thrown = Record.Exception(() => curve.Import(wrong));
            Assert.True(thrown is CryptographicException, $"{Convert.ToHexString(wrong)}: {thrown}");
        }

        // What was refused left nothing behind that the next one would be told of.
        using var good = curve.Import(point);
        Assert.False(good.VerifyData("data"u8, [1, 2, 3], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    [Fact]
    public void Takes_no_key_with_a_private_part_for_a_model()
    {
        using var key = new ECDsaOpenSsl(ECCurve.NamedCurves.nistP256);
        Assert.Throws<ArgumentException>(() => CurveTemplate.TryCreate(key));
    }

    [Fact]
    public void Serves_several_threads_at_once()
    {
        var curve = Template(0);
        Parallel.For(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var taken = curve.Import(Point(key));
            Assert.True(taken.VerifyData("data"u8, key.SignData("data"u8, HashAlgorithmName.SHA256), HashAlgorithmName.SHA256));
        });
    }

    static CurveTemplate Template(int index)
    {
        using var key = ECDsa.Create(s_curves[index]);
        using var holder = new CertificateRequest("CN=model", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        using var model = holder.GetECDsaPublicKey()!;
        return CurveTemplate.TryCreate(model) ?? throw new InvalidOperationException($"OpenSSL {SafeEvpPKeyHandle.OpenSslVersion:x} has no such calls");
    }

    static byte[] Point(ECDsa key)
    {
        var parameters = key.ExportParameters(includePrivateParameters: false);
        return [4, .. parameters.Q.X!, .. parameters.Q.Y!];
    }
}
