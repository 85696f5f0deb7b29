using System.Numerics;

namespace Talos.Audit;

// Reads the root of the perfect subtree of 2^level leaves that starts at leaf index << level.
delegate byte[] NodeReader(int level, ulong index);

// Builds roots and proofs out of perfect subtrees (RFC 6962 §2.1).
static class MerkleTree
{
    // LIMIT: 2^48 entries; a log that writes a million entries a second reaches it after nine years.
    internal const ulong MaxSize = 1UL << 48;

    internal static byte[] Root(ulong size, NodeReader read) => size == 0 ? TreeHash.Empty.ToArray() : Range(0, size, read);

    // Root of [start, end), where start is a multiple of the smallest power of two not less than the length.
    internal static byte[] Range(ulong start, ulong end, NodeReader read)
    {
        ulong length = end - start;
        byte[]? hash = null;
        for (; length != 0; length &= length - 1)
        {
            int level = BitOperations.TrailingZeroCount(length);
            ulong index = (start + length - (1UL << level)) >> level;
            byte[] left = read(level, index);
            if (hash is null) hash = left;
            else TreeHash.Node(left, hash, hash = new byte[TreeHash.Size]);
        }
        return hash!;
    }

    // RFC 6962 §2.1.1, PATH(m, D[n]).
    internal static List<byte[]> InclusionPath(ulong index, ulong size, NodeReader read)
    {
        List<byte[]> path = [];
        ulong low = 0, high = size;
        while (high - low > 1)
        {
            ulong split = low + LargestPowerBelow(high - low);
            if (index < split)
            {
                path.Add(Range(split, high, read));
                high = split;
            }
            else
            {
                path.Add(Range(low, split, read));
                low = split;
            }
        }
        path.Reverse();
        return path;
    }

    // RFC 6962 §2.1.2, PROOF(m, D[n]), 0 < m <= n.
    internal static List<byte[]> ConsistencyPath(ulong size1, ulong size2, NodeReader read)
    {
        List<byte[]> path = [];
        ulong low = 0, high = size2;
        bool known = true;
        while (size1 != high)
        {
            ulong split = low + LargestPowerBelow(high - low);
            if (size1 <= split)
            {
                path.Add(Range(split, high, read));
                high = split;
            }
            else
            {
                path.Add(Range(low, split, read));
                low = split;
                known = false;
            }
        }
        if (!known) path.Add(Range(low, high, read));
        path.Reverse();
        return path;
    }

    static ulong LargestPowerBelow(ulong length) => 1UL << BitOperations.Log2(length - 1);
}
