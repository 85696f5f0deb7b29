using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Talos.Audit;

/// <summary>
/// The private key of a log or a witness. A key in hardware fits in as <see cref="EcdsaCheckpointSigner"/> over the platform's ECDsa: the
/// note format stays the same, only the signature line's type differs.
/// </summary>
public abstract class CheckpointSigner : IDisposable
{
    private protected CheckpointSigner(NoteVerifierKey key) => Key = key;

    /// <summary>The public half, which verifiers are given.</summary>
    public NoteVerifierKey Key { get; }

    private protected abstract byte[] SignatureOf(ReadOnlySpan<byte> text);

    // The signature line of signed-note, with its final newline.
    internal string SignatureLine(ReadOnlySpan<byte> text)
    {
        byte[] signature = SignatureOf(text);
        byte[] line = new byte[4 + signature.Length];
        BinaryPrimitives.WriteUInt32BigEndian(line, Key.Id);
        signature.CopyTo(line, 4);
        return $"\u2014 {Key.Name} {Convert.ToBase64String(line)}\n";
    }

    internal string Sign(string text) => $"{text}\n{SignatureLine(Encoding.UTF8.GetBytes(text))}";

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    private protected abstract void Dispose(bool disposing);
}

/// <summary>Signs with ECDSA P-256 through the platform, so that the key may live in a TPM or a token.</summary>
public sealed class EcdsaCheckpointSigner : CheckpointSigner
{
    readonly ECDsa _key;

    /// <summary>
    /// Takes the key over. <paramref name="name"/> is the log's origin. Throws <see cref="ArgumentException"/> unless it is P-256.
    /// </summary>
    public EcdsaCheckpointSigner(string name, ECDsa key)
        : base(new NoteVerifierKey(Ed25519CheckpointSigner.RequireName(name), NoteAlgorithm.EcdsaP256, key.ExportSubjectPublicKeyInfo()))
    {
        if (key.KeySize != 256) throw new ArgumentException("checkpoints are signed with P-256", nameof(key));
        _key = key;
    }

    private protected override byte[] SignatureOf(ReadOnlySpan<byte> text) =>
        _key.SignData(text, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    private protected override void Dispose(bool disposing) => _key.Dispose();
}
