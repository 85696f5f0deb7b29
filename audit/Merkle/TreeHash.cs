using System.Numerics;
using System.Security.Cryptography;

namespace Talos.Audit;

/// <summary>The hashes of RFC 6962 §2.1 over SHA-256.</summary>
public static class TreeHash
{
    /// <summary>Length of every hash in bytes.</summary>
    public const int Size = 32;

    /// <summary>Root of the tree without entries: SHA-256 of nothing.</summary>
    public static ReadOnlySpan<byte> Empty =>
    [
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
        0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ];

    // LIMIT: entries up to this size are hashed from the stack.
    const int StackBytes = 2048;

    /// <summary>SHA-256(0x00 || entry).</summary>
    public static void Leaf(ReadOnlySpan<byte> entry, Span<byte> destination)
    {
        Span<byte> input = entry.Length < StackBytes ? stackalloc byte[StackBytes] : new byte[entry.Length + 1];
        input[0] = 0x00;
        entry.CopyTo(input[1..]);
        SHA256.HashData(input[..(entry.Length + 1)], destination);
    }

    /// <summary>SHA-256(0x00 || entry), as an array.</summary>
    public static byte[] Leaf(ReadOnlySpan<byte> entry)
    {
        byte[] hash = new byte[Size];
        Leaf(entry, hash);
        return hash;
    }

    /// <summary>SHA-256(0x01 || left || right). <paramref name="destination"/> may overlap either.</summary>
    public static void Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, Span<byte> destination)
    {
        Span<byte> input = stackalloc byte[1 + (2 * Size)];
        input[0] = 0x01;
        left.CopyTo(input[1..]);
        right.CopyTo(input[(1 + Size)..]);
        SHA256.HashData(input, destination);
    }

    // Root of 2^k consecutive hashes of one level.
    internal static byte[] Perfect(ReadOnlySpan<byte> hashes)
    {
        int count = hashes.Length / Size;
        if (!BitOperations.IsPow2(count)) throw new ArgumentException("a perfect subtree has 2^k leaves", nameof(hashes));
        byte[] work = hashes.ToArray();
        for (; count > 1; count >>= 1) Parents(work.AsSpan(0, count * Size), work);
        return work[..Size];
    }

    // Hashes neighbours pairwise; `parents` may be the start of `children`.
    static void Parents(ReadOnlySpan<byte> children, Span<byte> parents)
    {
        int pairs = children.Length / (2 * Size), done = 0;
        if (LaneSha256.IsSupported && pairs >= LaneSha256.Lanes)
        {
            const int stride = 2 * LaneSha256.BlockBytes;
            Span<byte> messages = stackalloc byte[LaneSha256.Lanes * stride];
            Span<int> blocks = stackalloc int[LaneSha256.Lanes];
            blocks.Fill(2);
            for (int lane = 0; lane < LaneSha256.Lanes; lane++)
            {
                messages[lane * stride] = 0x01;
                LaneSha256.Pad(messages.Slice(lane * stride, stride), 1 + (2 * Size));
            }
            for (; done + LaneSha256.Lanes <= pairs; done += LaneSha256.Lanes)
            {
                for (int lane = 0; lane < LaneSha256.Lanes; lane++)
                    children.Slice((done + lane) * 2 * Size, 2 * Size).CopyTo(messages[((lane * stride) + 1)..]);
                LaneSha256.Hash(messages, stride, blocks, parents[(done * Size)..]);
            }
        }
        for (; done < pairs; done++)
            Node(children.Slice(done * 2 * Size, Size), children.Slice(((2 * done) + 1) * Size, Size), parents.Slice(done * Size, Size));
    }

    // LIMIT: entries of more blocks than this are hashed one by one by the platform.
    const int MaxLaneBlocks = 32;

    // Leaf hashes of many entries, which lie in `data` at `ranges`.
    internal static void Leaves(ReadOnlySpan<byte> data, ReadOnlySpan<Range> ranges, Span<byte> hashes)
    {
        int done = 0;
        if (LaneSha256.IsSupported)
        {
            Span<byte> messages = stackalloc byte[LaneSha256.Lanes * MaxLaneBlocks * LaneSha256.BlockBytes];
            Span<int> blocks = stackalloc int[LaneSha256.Lanes];
            for (; done + LaneSha256.Lanes <= ranges.Length; done += LaneSha256.Lanes)
                EightLeaves(data, ranges.Slice(done, LaneSha256.Lanes), messages, blocks, hashes[(done * Size)..]);
        }
        for (; done < ranges.Length; done++) Leaf(data[ranges[done]], hashes.Slice(done * Size, Size));
    }

    static void EightLeaves(ReadOnlySpan<byte> data, ReadOnlySpan<Range> ranges, Span<byte> messages, Span<int> blocks, Span<byte> hashes)
    {
        int most = 0;
        for (int lane = 0; lane < ranges.Length; lane++)
        {
            int length = 1 + ranges[lane].End.Value - ranges[lane].Start.Value;
            blocks[lane] = LaneSha256.BlocksOf(length);
            most = Math.Max(most, blocks[lane]);
        }
        if (most > MaxLaneBlocks)
        {
            for (int lane = 0; lane < ranges.Length; lane++) Leaf(data[ranges[lane]], hashes.Slice(lane * Size, Size));
            return;
        }
        int stride = most * LaneSha256.BlockBytes;
        for (int lane = 0; lane < ranges.Length; lane++)
        {
            ReadOnlySpan<byte> entry = data[ranges[lane]];
            Span<byte> message = messages.Slice(lane * stride, blocks[lane] * LaneSha256.BlockBytes);
            message[0] = 0x00;
            entry.CopyTo(message[1..]);
            LaneSha256.Pad(message, 1 + entry.Length);
        }
        LaneSha256.Hash(messages, stride, blocks, hashes);
    }
}
