using System.Numerics;

namespace Talos.Audit;

/// <summary>
/// Checks inclusion and consistency proofs (RFC 9162 §2.1.3.2, §2.1.4.2) and their subtree forms
/// (draft-ietf-plants-merkle-tree-certs §4).
/// A verdict is never a boolean; hostile proofs are answered, never thrown at.
/// </summary>
public static class MerkleProof
{
    /// <summary>Is the leaf at <paramref name="index"/> of the tree of <paramref name="size"/> leaves with this root?</summary>
    public static MerkleVerdict CheckInclusion(
        ulong index, ulong size, ReadOnlySpan<byte> leafHash, IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> root)
    {
        if (index >= size) return MerkleVerdict.InvalidRange;
        if (leafHash.Length != TreeHash.Size || !AllHashes(proof)) return MerkleVerdict.WrongHashSize;
        (int inner, int border) = Shape(index, size);
        if (proof.Count != inner + border) return MerkleVerdict.WrongProofLength;

        Span<byte> hash = stackalloc byte[TreeHash.Size];
        leafHash.CopyTo(hash);
        Climb(hash, proof, 0, inner, index);
        return hash.SequenceEqual(root) ? MerkleVerdict.Verified : MerkleVerdict.RootMismatch;
    }

    /// <summary>Is the leaf at <paramref name="index"/> inside the subtree [start, end) with this root?</summary>
    public static MerkleVerdict CheckSubtreeInclusion(
        ulong index, ulong start, ulong end, ReadOnlySpan<byte> leafHash, IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> root)
    {
        if (start >= end || index < start || index >= end || !IsSubtree(start, end)) return MerkleVerdict.InvalidRange;
        return CheckInclusion(index - start, end - start, leafHash, proof, root);
    }

    /// <summary>
    /// Is the tree of <paramref name="size1"/> leaves a prefix of the tree of <paramref name="size2"/> leaves? A proof from the empty tree
    /// says nothing and is an <see cref="MerkleVerdict.InvalidRange"/>.
    /// </summary>
    public static MerkleVerdict CheckConsistency(
        ulong size1, ulong size2, IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> root1, ReadOnlySpan<byte> root2)
    {
        if (size1 == 0 || size1 > size2) return MerkleVerdict.InvalidRange;
        return CheckSubtreeConsistency(0, size1, size2, proof, root1, root2);
    }

    /// <summary>
    /// Is the subtree [start, end) with root <paramref name="subtreeRoot"/> part of the tree of <paramref name="size"/> leaves with root
    /// <paramref name="root"/>? The empty subtree is part of every tree that is large enough.
    /// </summary>
    public static MerkleVerdict CheckSubtreeConsistency(
        ulong start, ulong end, ulong size, IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> subtreeRoot, ReadOnlySpan<byte> root)
    {
        if (start > end || end > size || !IsSubtree(start, end)) return MerkleVerdict.InvalidRange;
        if (!AllHashes(proof)) return MerkleVerdict.WrongHashSize;
        if (start == end)
        {
            if (proof.Count != 0) return MerkleVerdict.WrongProofLength;
            return subtreeRoot.SequenceEqual(TreeHash.Empty) ? MerkleVerdict.Verified : MerkleVerdict.FirstRootMismatch;
        }
        if (start == 0 && end == size)
        {
            if (proof.Count != 0) return MerkleVerdict.WrongProofLength;
            return subtreeRoot.SequenceEqual(root) ? MerkleVerdict.Verified : MerkleVerdict.RootMismatch;
        }

        // The subtree's last leaf climbs until its node leaves the subtree's right edge: that node, or the subtree itself, seeds both
        // roots.
        ulong first = start, last = end - 1, treeLast = size - 1;
        int skip = last == treeLast
            ? BitOperations.Log2(first ^ last) + (first == last ? 0 : 1)
            : Math.Min(BitOperations.TrailingZeroCount(~last), first == last ? 0 : BitOperations.Log2(first ^ last) + 1);
        first >>= skip;
        last >>= skip;
        treeLast >>= skip;

        Span<byte> inside = stackalloc byte[TreeHash.Size];
        Span<byte> whole = stackalloc byte[TreeHash.Size];
        int next = 0;
        if (first == last)
        {
            if (subtreeRoot.Length != TreeHash.Size) return MerkleVerdict.WrongHashSize;
            subtreeRoot.CopyTo(inside);
        }
        else
        {
            if (proof.Count == 0) return MerkleVerdict.WrongProofLength;
            proof[next++].CopyTo(inside);
        }
        inside.CopyTo(whole);

        for (; next < proof.Count; next++)
        {
            if (treeLast == 0) return MerkleVerdict.WrongProofLength;
            ReadOnlySpan<byte> hash = proof[next];
            if ((last & 1) == 1 || last == treeLast)
            {
                if (first < last) TreeHash.Node(hash, inside, inside);
                TreeHash.Node(hash, whole, whole);
                int levels = BitOperations.TrailingZeroCount(last);
                first >>= levels;
                last >>= levels;
                treeLast >>= levels;
            }
            else
            {
                TreeHash.Node(whole, hash, whole);
            }
            first >>= 1;
            last >>= 1;
            treeLast >>= 1;
        }
        if (treeLast != 0) return MerkleVerdict.WrongProofLength;
        if (!inside.SequenceEqual(subtreeRoot)) return MerkleVerdict.FirstRootMismatch;
        return whole.SequenceEqual(root) ? MerkleVerdict.Verified : MerkleVerdict.RootMismatch;
    }

    // A range is a subtree when its start is a multiple of the smallest power of two that is not less than its length.
    static bool IsSubtree(ulong start, ulong end)
    {
        ulong length = end - start;
        if (length <= 1 || start == 0) return true;
        if (length > 1UL << 63) return false;
        return (start & (BitOperations.RoundUpToPowerOf2(length) - 1)) == 0;
    }

    static bool AllHashes(IReadOnlyList<byte[]> proof)
    {
        // LIMIT: 128 hashes; a tree of 2^64 leaves needs 65.
        if (proof.Count > 128) return false;
        foreach (byte[] hash in proof)
            if (hash.Length != TreeHash.Size) return false;
        return true;
    }

    // The paths to `index` and to the last leaf share their upper part (border) and differ below it (inner).
    static (int Inner, int Border) Shape(ulong index, ulong size)
    {
        int inner = 64 - BitOperations.LeadingZeroCount(index ^ (size - 1));
        int border = inner == 64 ? 0 : BitOperations.PopCount(index >> inner);
        return (inner, border);
    }

    static void Climb(Span<byte> hash, IReadOnlyList<byte[]> proof, int from, int inner, ulong index)
    {
        for (int i = from; i < proof.Count; i++)
        {
            if (i < inner && ((index >> i) & 1) == 0) TreeHash.Node(hash, proof[i], hash);
            else TreeHash.Node(proof[i], hash, hash);
        }
    }
}
