using System.Security.Cryptography;

namespace Talos.Pki;

/// <summary>
/// One private key under several handles. The platform does not promise that one handle may be used by several threads at once, and threads that took turns
/// at one would wait for whoever was interrupted while it signed. Safe for several threads; owns the handles.
/// </summary>
sealed class SigningKeys : IDisposable
{
    // LIMIT: handles of one key; a processor signs some 40,000 times a second.
    const int Most = 16;

    readonly ECDsa[] _keys;
    readonly Lock[] _gates;

    SigningKeys(ECDsa[] keys)
    {
        _keys = keys;
        _gates = [.. keys.Select(_ => new Lock())];
    }

    /// <param name="first">Becomes this object's when the call succeeds.</param>
    /// <param name="another">Opens the same key again; null when there is one handle of it.</param>
    /// <returns>Null when what <paramref name="another"/> opened is another key.</returns>
    public static SigningKeys? TryOpen(ECDsa first, Func<ECDsa>? another)
    {
        // One more than run at a time: whoever is interrupted while it signs keeps a handle.
        int count = another is null ? 1 : Math.Min(Environment.ProcessorCount + 1, Most);
        var keys = new ECDsa[count];
        int opened = 1;
        bool same = false;
        try
        {
            (keys[0], byte[] point) = (first, first.ExportSubjectPublicKeyInfo());
            for (; opened < count; opened++)
                keys[opened] = another!();
            same = keys.All(k => k.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(point));
        }
        finally
        {
            for (int i = 1; !same && i < opened; i++)
                keys[i].Dispose();
        }

        return same ? new SigningKeys(keys) : null;
    }

    /// <summary>Signs with a handle that is free; waits for one when none is.</summary>
    /// <returns>The length of the signature, an ECDSA-Sig-Value (RFC 3279 §2.2.3).</returns>
    public int Sign(ReadOnlySpan<byte> data, Span<byte> signature)
    {
        int mine = Array.FindIndex(_gates, gate => gate.TryEnter());
        if (mine < 0)
            _gates[mine = 0].Enter();
        try
        {
            return Sign(_keys[mine], data, signature);
        }
        finally
        {
            _gates[mine].Exit();
        }
    }

    /// <inheritdoc cref="Sign(ReadOnlySpan{byte}, Span{byte})"/>
    public static int Sign(ECDsa key, ReadOnlySpan<byte> data, Span<byte> signature) =>
        key.TrySignData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence, out int length)
            ? length : throw new CryptographicException($"a signature took more than {signature.Length} octets");

    public void Dispose()
    {
        foreach (ECDsa key in _keys)
            key.Dispose();
    }
}
