using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Talos.Api.Configuration;

/// <summary>
/// A whole token, <c>id.secret</c>. Never shows its secret unless <see cref="Reveal"/> is called. What a server keeps of it is derived:
/// HKDF-SHA256 (RFC 5869) over the secret without salt; info <c>talos token verifier</c>, then SHA-256, gives the verifier, and info
/// <c>talos discovery</c> the key that authenticates the certificates to trust.
/// </summary>
public sealed class TokenSecret
{
    const string Alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    const int IdLength = 8;
    const int SecretLength = 32;

    readonly string _secret;

    TokenSecret(string id, string secret) => (Id, _secret) = (id, secret);

    /// <summary>The public half.</summary>
    public string Id { get; }

    /// <summary>A new token; its secret has 165 random bits.</summary>
    public static TokenSecret Generate() =>
        new(RandomNumberGenerator.GetString(Alphabet, IdLength), RandomNumberGenerator.GetString(Alphabet, SecretLength));

    /// <summary>Reads <c>id.secret</c>; surrounding white space is ignored, as a file ends with a newline.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out TokenSecret? token)
    {
        ArgumentNullException.ThrowIfNull(text);
        token = null;
        var trimmed = text.Trim();
        if (trimmed.Length != IdLength + 1 + SecretLength || trimmed[IdLength] != '.') return false;
        var (id, secret) = (trimmed[..IdLength], trimmed[(IdLength + 1)..]);
        if (!Formats.TokenId.TryParse(id, out _) || !secret.All(c => Alphabet.Contains(c))) return false;
        token = new TokenSecret(id, secret);
        return true;
    }

    /// <summary>32 bytes that tell whether someone has the secret, and nothing of what it is.</summary>
    public ReadOnlyMemory<byte> Verifier() => SHA256.HashData(Derive("talos token verifier"));

    /// <summary>32 bytes: the HMAC-SHA256 key under which the certificates to trust are authenticated. As secret as the token for that purpose.</summary>
    public ReadOnlyMemory<byte> Discovery() => Derive("talos discovery");

    /// <summary>The token with its secret, for whoever has to present it.</summary>
    public string Reveal() => $"{Id}.{_secret}";

    /// <summary>The id alone.</summary>
    public override string ToString() => $"{Id}.…";

    byte[] Derive(string info) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(_secret), 32, salt: [], info: Encoding.UTF8.GetBytes(info));
}
