using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Talos.Audit;

/// <summary>The key with which a node co-signs the checkpoints of others: timestamped Ed25519 (C2SP tlog-cosignature, v1).</summary>
public sealed class AuditCosigner : IDisposable
{
    readonly byte[] _seed;

    AuditCosigner(string name, byte[] seed)
    {
        _seed = seed;
        Key = new NoteVerifierKey(
            Ed25519CheckpointSigner.RequireName(name), NoteAlgorithm.Cosignature, Ed25519CheckpointSigner.PublicKey(seed));
    }

    /// <summary>The public half, which verifiers are given.</summary>
    public NoteVerifierKey Key { get; }

    /// <summary>Makes a new key. The format commits to no name, so a key serves one witness only.</summary>
    public static AuditCosigner Create(string name) => new(name, Ed25519CheckpointSigner.NewSeed());

    /// <summary>
    /// Reads the key from a file, or makes one and stores it there; see <see cref="Ed25519CheckpointSigner.LoadOrCreate"/>.
    /// </summary>
    public static AuditCosigner LoadOrCreate(string path, string name) => new(name, Ed25519CheckpointSigner.LoadOrCreateSeed(path));

    internal string Line(ReadOnlySpan<byte> text, DateTimeOffset time)
    {
        ulong seconds = (ulong)time.ToUnixTimeSeconds();
        byte[] bytes = new byte[12 + 64];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Key.Id);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(4), seconds);
        Ed25519CheckpointSigner.Sign(_seed, NoteVerifierKey.CosignedMessage(text, seconds)).CopyTo(bytes, 12);
        return $"\u2014 {Key.Name} {Convert.ToBase64String(bytes)}\n";
    }

    /// <inheritdoc />
    public void Dispose() => CryptographicOperations.ZeroMemory(_seed);
}
