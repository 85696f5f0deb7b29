using System.Security.Cryptography;
using Xunit;

namespace Talos.Audit.Tests;

// The platform is the oracle of our side-by-side hashing.
public sealed class LaneSha256Tests
{
    [Fact]
    public void Accepts_nothing_but_what_the_platform_hashes_at_every_length_and_mix()
    {
        Assert.SkipUnless(LaneSha256.IsSupported, "this processor has no AVX2; the platform hashes alone");
        Random random = new(7);
        byte[] data = new byte[4096 * 9];
        random.NextBytes(data);
        for (int round = 0; round < 3000; round++)
        {
            Range[] ranges = new Range[1 + random.Next(20)];
            for (int i = 0, at = 0; i < ranges.Length; i++)
            {
                int length = round < 2100 ? round + (i % 3) : random.Next(2100);
                at = random.Next(data.Length - length);
                ranges[i] = at..(at + length);
            }
            byte[] hashes = new byte[ranges.Length * 32];
            TreeHash.Leaves(data, ranges, hashes);
            for (int i = 0; i < ranges.Length; i++)
                Assert.Equal(SHA256.HashData([0, .. data[ranges[i]]]), hashes[(32 * i)..(32 * (i + 1))]);
        }
    }

    [Fact]
    public void Accepts_the_root_that_hashing_one_pair_after_the_other_makes()
    {
        byte[] hashes = RandomNumberGenerator.GetBytes(256 * 32);
        for (int count = 1; count <= 256; count *= 2)
        {
            byte[][] level = [.. Enumerable.Range(0, count).Select(i => hashes[(32 * i)..(32 * (i + 1))])];
            while (level.Length > 1) level = [.. level.Chunk(2).Select(static pair => SHA256.HashData([1, .. pair[0], .. pair[1]]))];
            Assert.Equal(level[0], TreeHash.Perfect(hashes.AsSpan(0, count * 32)));
        }
    }
}
