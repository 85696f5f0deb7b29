using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Talos.Pki;

/// <summary>
/// A join token <c>id.secret</c> on the machine that uses it. The secret is 165 random bits and never travels: the server is
/// shown the <see cref="Verifier"/>, and proves by a MAC that it knows the discovery key before its CA bundle is believed.
/// </summary>
public sealed class JoinToken
{
    internal const int IdLength = 8;
    internal const int SecretLength = 32;
    const string Alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

    static readonly SearchValues<char> s_alphabet = SearchValues.Create(Alphabet);

    readonly string _secret;

    JoinToken(string id, string secret)
    {
        Id = id;
        _secret = secret;
    }

    /// <summary>Public part: names the token on lists and on the record.</summary>
    public string Id { get; }

    public static JoinToken Create() => new(RandomNumberGenerator.GetString(Alphabet, IdLength), RandomNumberGenerator.GetString(Alphabet, SecretLength));

    /// <summary>Reads <c>id.secret</c>. The failure never repeats the input, which may be most of a secret.</summary>
    public static Checked<JoinToken> Parse(string text)
    {
        text = text.Trim();
        return text.Length == IdLength + 1 + SecretLength && text[IdLength] == '.'
            && text.AsSpan(0, IdLength).IndexOfAnyExcept(s_alphabet) < 0 && text.AsSpan(IdLength + 1).IndexOfAnyExcept(s_alphabet) < 0
            ? Checked<JoinToken>.Of(new JoinToken(text[..IdLength], text[(IdLength + 1)..]))
            : new PkiFailure(PkiReason.MalformedToken, $"a join token is {IdLength} and {SecretLength} lower-case letters and digits with a dot between")
            {
                Hint = "copy the token again from `osctl token create`",
            };
    }

    /// <summary>The whole token, for the one moment in which it is shown to its owner.</summary>
    public string Reveal() => $"{Id}.{_secret}";

    /// <summary>What the server stores: nothing in it gives the secret back.</summary>
    public TokenRecord ToRecord() => new(Id, SHA256.HashData(Verifier()), DiscoveryKey());

    /// <summary>What is sent to redeem the token: 32 octets.</summary>
    public byte[] Verifier() => Derive("talos token verifier");

    /// <summary>
    /// Believes a CA bundle of an unknown server: <paramref name="mac"/> must be <see cref="TokenRecord.MacBundle"/> over the
    /// nonce that this side drew and the bundle.
    /// </summary>
    public Checked<TrustStore> VerifyBundle(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> bundlePem, ReadOnlySpan<byte> mac)
    {
        if (nonce.Length < TokenRecord.MinimumNonce)
            return new PkiFailure(PkiReason.TokenMismatch, $"the nonce is shorter than {TokenRecord.MinimumNonce} octets");
        byte[] expected = TokenRecord.Mac(DiscoveryKey(), nonce, bundlePem);
        return CryptographicOperations.FixedTimeEquals(expected, mac)
            ? TrustStore.Parse(bundlePem)
            : new PkiFailure(PkiReason.TokenMismatch, "the server could not prove that it knows this token")
            {
                Hint = "the token may be for another cluster, spent or expired; or someone stands between",
            };
    }

    /// <summary>Shows the id alone.</summary>
    public override string ToString() => $"{Id}.{new string('*', SecretLength)}";

    byte[] DiscoveryKey() => Derive("talos discovery");

    // RFC 5869 without salt: the secret is uniformly random already (§3.1).
    byte[] Derive(string purpose) => HKDF.DeriveKey(
        HashAlgorithmName.SHA256, Encoding.ASCII.GetBytes(_secret), 32, salt: [], info: Encoding.ASCII.GetBytes(purpose));
}
