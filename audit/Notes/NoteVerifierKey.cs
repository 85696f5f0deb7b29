using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Talos.Audit;

/// <summary>How a note's signature was made: the type byte of C2SP signed-note.</summary>
public enum NoteAlgorithm : byte
{
    /// <summary>None; no signature of this kind verifies.</summary>
    None = 0,

    /// <summary>Ed25519 over the note text.</summary>
    Ed25519 = 0x01,

    /// <summary>ECDSA P-256 with SHA-256 over the note text, DER; the form that a TPM can make.</summary>
    EcdsaP256 = 0x02,

    /// <summary>A witness's timestamped Ed25519 cosignature (C2SP tlog-cosignature, v1).</summary>
    Cosignature = 0x04,
}

/// <summary>The public half of a key that signs notes: `name+hash+base64(type || key)`.</summary>
public sealed class NoteVerifierKey
{
    readonly byte[] _key;

    internal NoteVerifierKey(string name, NoteAlgorithm algorithm, byte[] key)
    {
        Name = name;
        Algorithm = algorithm;
        _key = key;
        Id = KeyId(name, algorithm, key);
    }

    /// <summary>Name of the key; of a log's key, the log's origin.</summary>
    public string Name { get; }

    /// <summary>How its signatures are made.</summary>
    public NoteAlgorithm Algorithm { get; }

    /// <summary>The first four bytes of the key's hash, big-endian. An identifier, not a fingerprint.</summary>
    public uint Id { get; }

    /// <summary>The text form, as <see cref="TryParse"/> reads it.</summary>
    public override string ToString() =>
        $"{Name}+{Id.ToString("x8", CultureInfo.InvariantCulture)}+{Convert.ToBase64String([(byte)Algorithm, .. _key])}";

    /// <summary>Reads `name+hash+key`; <paramref name="error"/> says what is wrong with it otherwise.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out NoteVerifierKey? key, out string error)
    {
        key = null;
        // LIMIT: 1 KiB; the longest supported key takes under 200 characters besides its name.
        if (text.Length > 1024) return Fail("a verifier key has at most 1024 characters", out error);
        // The base64 part may hold plus signs, so the name ends at the first and the hash at the second.
        string[] parts = text.Split('+', 3);
        if (parts.Length != 3) return Fail("a verifier key has the form name+hash+key", out error);
        if (!IsName(parts[0])) return Fail("the name of a verifier key is empty or has spaces or plus signs", out error);
        byte[] material = new byte[parts[2].Length];
        if (!Convert.TryFromBase64String(parts[2], material, out int length) || length < 2)
            return Fail("the last part of a verifier key is not base64", out error);

        NoteAlgorithm algorithm = (NoteAlgorithm)material[0];
        byte[] raw = material[1..length];
        switch (algorithm)
        {
            case NoteAlgorithm.Ed25519 or NoteAlgorithm.Cosignature:
                if (raw.Length != Ed25519.PublicKeySize || !Ed25519.ValidatePublicKeyFull(raw, 0))
                    return Fail("the key is not an Ed25519 public key", out error);
                break;
            case NoteAlgorithm.EcdsaP256:
                if (!IsP256(raw)) return Fail("the key is not a P-256 public key", out error);
                break;
            case NoteAlgorithm.None:
            default:
                return Fail($"key type 0x{material[0]:x2} is not supported", out error);
        }
        key = new NoteVerifierKey(parts[0], algorithm, raw);
        error = "";
        if (key.Id.ToString("x8", CultureInfo.InvariantCulture) == parts[1]) return true;
        key = null;
        return Fail("the hash of the verifier key does not belong to its name and key", out error);
    }

    static bool Fail(string reason, out string error)
    {
        error = reason;
        return false;
    }

    internal static bool IsName(string name) =>
        name.Length is > 0 and <= 255 && !name.Any(static c => c == '+' || char.IsWhiteSpace(c) || char.IsControl(c));

    static bool IsP256(byte[] subjectPublicKeyInfo)
    {
        try
        {
            using ECDsa key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out int read);
            return read == subjectPublicKeyInfo.Length && key.KeySize == 256;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    // signed-note, "Signatures"; for ECDSA the hash covers the key's SubjectPublicKeyInfo alone.
    static uint KeyId(string name, NoteAlgorithm algorithm, byte[] key)
    {
        byte[] input = algorithm == NoteAlgorithm.EcdsaP256 ? key : [.. Encoding.UTF8.GetBytes(name), (byte)'\n', (byte)algorithm, .. key];
        return BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(input));
    }

    // `signature` is what follows the key id on a signature line.
    internal bool Signed(ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature, out DateTimeOffset? time)
    {
        time = null;
        switch (Algorithm)
        {
            case NoteAlgorithm.Ed25519:
                return SignedEd25519(text.ToArray(), signature);
            case NoteAlgorithm.EcdsaP256:
                using (ECDsa key = ECDsa.Create())
                {
                    key.ImportSubjectPublicKeyInfo(_key, out _);
                    return key.VerifyData(text, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
                }
            case NoteAlgorithm.Cosignature:
                if (signature.Length != 8 + Ed25519.SignatureSize) return false;
                ulong seconds = BinaryPrimitives.ReadUInt64BigEndian(signature);
                // LIMIT: the last second that DateTimeOffset can hold.
                if (seconds > 253402300799) return false;
                time = DateTimeOffset.FromUnixTimeSeconds((long)seconds);
                return SignedEd25519(CosignedMessage(text, seconds), signature[8..]);
            case NoteAlgorithm.None:
            default:
                return false;
        }
    }

    bool SignedEd25519(byte[] message, ReadOnlySpan<byte> signature) =>
        signature.Length == Ed25519.SignatureSize && Ed25519.Verify(signature.ToArray(), 0, _key, 0, message, 0, message.Length);

    // tlog-cosignature, "Ed25519 signed message".
    internal static byte[] CosignedMessage(ReadOnlySpan<byte> text, ulong seconds) =>
        [.. Encoding.ASCII.GetBytes($"cosignature/v1\ntime {seconds.ToString(CultureInfo.InvariantCulture)}\n"), .. text];
}
