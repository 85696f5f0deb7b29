using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Talos.Audit;

/// <summary>Signs with an Ed25519 key held in memory and, through <see cref="LoadOrCreate"/>, in a file.</summary>
public sealed class Ed25519CheckpointSigner : CheckpointSigner
{
    readonly byte[] _seed;

    Ed25519CheckpointSigner(string name, byte[] seed, NoteAlgorithm algorithm)
        : base(new NoteVerifierKey(RequireName(name), algorithm, PublicKey(seed))) => _seed = seed;

    /// <summary>Makes a new key. <paramref name="name"/> is the log's origin; it has no spaces and no plus signs.</summary>
    public static Ed25519CheckpointSigner Create(string name) => new(name, NewSeed(), NoteAlgorithm.Ed25519);

    /// <summary>
    /// Reads the key from <paramref name="path"/>, or makes one and stores it there, readable by the owner alone and on disk before the
    /// call returns. Throws <see cref="InvalidDataException"/> when the file is not such a key.
    /// </summary>
    public static Ed25519CheckpointSigner LoadOrCreate(string path, string name) =>
        new(name, LoadOrCreateSeed(path), NoteAlgorithm.Ed25519);

    internal static Ed25519CheckpointSigner FromSeed(string name, ReadOnlySpan<byte> seed) =>
        new(name, seed.ToArray(), NoteAlgorithm.Ed25519);

    internal static string RequireName(string name) =>
        NoteVerifierKey.IsName(name)
            ? name
            : throw new ArgumentException("a key name is not empty, has at most 255 characters, no spaces and no plus signs", nameof(name));

    internal static byte[] NewSeed() => RandomNumberGenerator.GetBytes(Ed25519.SecretKeySize);

    internal static byte[] PublicKey(byte[] seed)
    {
        byte[] key = new byte[Ed25519.PublicKeySize];
        Ed25519.GeneratePublicKey(seed, 0, key, 0);
        return key;
    }

    internal static byte[] Sign(byte[] seed, ReadOnlySpan<byte> message)
    {
        byte[] signature = new byte[Ed25519.SignatureSize];
        byte[] input = message.ToArray();
        Ed25519.Sign(seed, 0, input, 0, input.Length, signature, 0);
        return signature;
    }

    internal static byte[] LoadOrCreateSeed(string path)
    {
        if (!File.Exists(path))
        {
            string fresh = path + ".new";
            FileStreamOptions options = new()
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            };
            using (FileStream file = new(fresh, options))
            {
                file.Write(NewSeed());
                file.Flush(flushToDisk: true);
            }
            File.Move(fresh, path, overwrite: false);
        }
        byte[] seed = File.ReadAllBytes(path);
        return seed.Length == Ed25519.SecretKeySize
            ? seed
            : throw new InvalidDataException($"`{path}` is not an Ed25519 key: it has {seed.Length} bytes, not {Ed25519.SecretKeySize}");
    }

    private protected override byte[] SignatureOf(ReadOnlySpan<byte> text) => Sign(_seed, text);

    private protected override void Dispose(bool disposing) => CryptographicOperations.ZeroMemory(_seed);
}
