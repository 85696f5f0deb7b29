namespace Talos.Audit;

/// <summary>What checking a Merkle proof found. Only <see cref="Verified"/> means that the proof holds.</summary>
public enum MerkleVerdict
{
    /// <summary>Nothing was checked.</summary>
    Unchecked,

    /// <summary>The proof holds.</summary>
    Verified,

    /// <summary>The index, the size or the range is not one that such a tree can have.</summary>
    InvalidRange,

    /// <summary>The proof has more or fewer hashes than the range asks for.</summary>
    WrongProofLength,

    /// <summary>A hash of the proof, or the leaf hash, is not 32 bytes.</summary>
    WrongHashSize,

    /// <summary>The older or inner root does not follow from the proof.</summary>
    FirstRootMismatch,

    /// <summary>The root does not follow from the proof.</summary>
    RootMismatch,
}
