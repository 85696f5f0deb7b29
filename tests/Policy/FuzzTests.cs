using System.IO.Compression;
using Xunit;

namespace Talos.Policy.Tests;

public sealed class FuzzTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Survives_mutated_modules(int seed) => PolicyFuzz.Run(seed, 400, Path.Combine(Shipped.Root, "tests", "vectors", "policy", "opa-v1"));

    // What a node is sent: an archive whose bytes, names, sizes or content are not what they should be.
    [Fact]
    public void Survives_mutated_bundles()
    {
        using var unpacked = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(PolicyBundle.Pack(Shipped.BundlePath)), CompressionMode.Decompress)) gzip.CopyTo(unpacked);
        byte[] tar = unpacked.ToArray();
        var random = new Random(7);
        for (int i = 0; i < 150; i++)
        {
            byte[] changed = random.Next(4) == 0 ? tar[..random.Next(tar.Length)] : (byte[])tar.Clone();
            for (int n = random.Next(1, 4); n > 0 && changed.Length > 0; n--) changed[random.Next(changed.Length)] = (byte)random.Next(256);
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(changed);
            byte[] bytes = packed.ToArray();
            if (random.Next(4) == 0) bytes[random.Next(bytes.Length)] ^= 0x10;
            try
            {
                Authorizer.Create(PolicyBundle.Load(bytes, 1 << 20, null), Shipped.Methods);
            }
            catch (PolicyException e)
            {
                Assert.NotEmpty(e.Errors);
            }
        }
    }

    [Fact]
    public void Survives_random_patterns()
    {
        const string Alphabet = @"ab.*+?|()[]{}^$\-,:<>=!PpQEdwsbx0127iU😀é";
        var random = new Random(11);
        for (int i = 0; i < 20_000; i++)
        {
            string pattern = new([.. Enumerable.Range(0, random.Next(1, 16)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
            try
            {
                foreach (int[] match in GoRegex.Parse(pattern).FindAll("ab😀-é\n0", 20)) Assert.InRange(match[0], 0, match[1]);
            }
            catch (BuiltinException e)
            {
                Assert.StartsWith("error parsing regexp: ", e.Message, StringComparison.Ordinal);
            }
        }
    }
}
