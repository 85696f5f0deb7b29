using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Talos.Pki;

/// <summary>Whether what was presented redeems a token.</summary>
public enum TokenVerdict
{
    Rejected = 0,
    Accepted,
}

/// <summary>A join token as the server keeps it: a hash of the verifier, and the key that proves knowledge of the token.</summary>
public sealed class TokenRecord
{
    internal const int MinimumNonce = 16;

    readonly byte[] _verifierHash;
    readonly byte[] _discoveryKey;

    /// <summary>From storage.</summary>
    public TokenRecord(string id, ReadOnlySpan<byte> verifierHash, ReadOnlySpan<byte> discoveryKey)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(id.Length, JoinToken.IdLength);
        ArgumentOutOfRangeException.ThrowIfNotEqual(verifierHash.Length, 32);
        ArgumentOutOfRangeException.ThrowIfNotEqual(discoveryKey.Length, 32);
        Id = id;
        _verifierHash = verifierHash.ToArray();
        _discoveryKey = discoveryKey.ToArray();
    }

    public string Id { get; }

    public ReadOnlyMemory<byte> VerifierHash => _verifierHash;

    public ReadOnlyMemory<byte> DiscoveryKey => _discoveryKey;

    /// <summary>Compares in constant time. Expiry, count and scope are the caller's to check.</summary>
    public TokenVerdict Check(ReadOnlySpan<byte> verifier) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(verifier), _verifierHash) ? TokenVerdict.Accepted : TokenVerdict.Rejected;

    /// <summary>HMAC-SHA256 over nonce and bundle, for <see cref="JoinToken.VerifyBundle"/>. The nonce is the client's, 16 octets or more.</summary>
    public byte[] MacBundle(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> bundlePem)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(nonce.Length, MinimumNonce);
        return Mac(_discoveryKey, nonce, bundlePem);
    }

    // The nonce's length goes in front, so that no octet can move between nonce and bundle.
    internal static byte[] Mac(byte[] key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> bundle)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, nonce.Length);
        mac.AppendData(length);
        mac.AppendData(nonce);
        mac.AppendData(bundle);
        return mac.GetHashAndReset();
    }

    public override string ToString() => Id;
}
