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

    /// <summary>Root of 2^k consecutive hashes of one level.</summary>
    internal static byte[] Perfect(ReadOnlySpan<byte> hashes)
    {
        int count = hashes.Length / Size;
        if (!BitOperations.IsPow2(count)) throw new ArgumentException("a perfect subtree has 2^k leaves", nameof(hashes));
        byte[] work = hashes.ToArray();
        for (; count > 1; count >>= 1)
            for (int i = 0; i < count / 2; i++)
                Node(work.AsSpan(2 * i * Size, Size), work.AsSpan(((2 * i) + 1) * Size, Size), work.AsSpan(i * Size, Size));
        return work[..Size];
    }
}
