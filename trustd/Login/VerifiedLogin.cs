using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Talos.Api.Server;
using Talos.Pki;

namespace Talos.Trustd.Login;

/// <summary>An ID token that the provider made for us, and that is good now. Only <see cref="VerifyAsync"/> makes one.</summary>
sealed class VerifiedLogin
{
    // LIMIT: a token with hundreds of groups; also what policy has to read.
    const int MaxToken = 16 << 10;

    // Clocks of the provider and of this machine.
    static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    VerifiedLogin(JsonWebToken token, DateTimeOffset authenticated, bool bound)
    {
        (Issuer, Subject, AuthenticatedAt, IsBoundToKey) = (token.Issuer, token.Subject, authenticated, bound);
        Expires = new DateTimeOffset(token.ValidTo, TimeSpan.Zero) + Skew;
        Claims = Base64UrlEncoder.Decode(token.EncodedPayload);
        Digest = SHA256.HashData(Encoding.ASCII.GetBytes(token.EncodedToken));
    }

    public string Issuer { get; }

    /// <summary>Who it is to the provider, for ever.</summary>
    public string Subject { get; }

    public DateTimeOffset AuthenticatedAt { get; }

    /// <summary>Whether the token names the key that is to be certified, so that it is worth nothing to who stole it.</summary>
    public bool IsBoundToKey { get; }

    /// <summary>From then on the token is refused by its own end.</summary>
    public DateTimeOffset Expires { get; }

    /// <summary>The whole payload, JSON.</summary>
    public string Claims { get; }

    /// <summary>SHA-256 of the token.</summary>
    public ReadOnlyMemory<byte> Digest { get; }

    /// <summary>What the claim `nonce` has to be for this key: base64url of the SHA-256 of its SubjectPublicKeyInfo.</summary>
    public static string NonceOf(SubjectPublicKey key) => Base64Url.EncodeToString(SHA256.HashData(key.Der.Span));

    /// <summary>Checks a token by OpenID Connect Core 1.0 §3.1.3.7. What it says is policy's to judge, and that it is used once the caller's to see to.</summary>
    /// <exception cref="RefusalException">It is none, or not ours, or not good now. The sentence never repeats the token.</exception>
    public static async Task<VerifiedLogin> VerifyAsync(string text, SubjectPublicKey key, IdentityProvider provider, TimeProvider time, CancellationToken cancellation)
    {
        var token = Read(text);
        if (!IdentityProvider.Algorithms.Contains(token.Alg)) throw Refuse("id-token-algorithm", $"the ID token is signed with `{Short(token.Alg)}`, which is not accepted");
        if (string.IsNullOrEmpty(token.Kid)) throw Refuse("id-token-key-unknown", "the ID token does not say which key signed it");
        var signer = await provider.FindKeyAsync(token.Kid, cancellation)
            ?? throw Refuse("id-token-key-unknown", $"the provider has no key `{Short(token.Kid)}`");
        var now = time.GetUtcNow();
        var result = await new JsonWebTokenHandler { MaximumTokenSizeInBytes = MaxToken }.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = provider.Configuration.Issuer,
            ValidAudience = provider.Configuration.ClientId,
            IssuerSigningKey = signer,
            ValidAlgorithms = IdentityProvider.Algorithms,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            RequireAudience = true,
            ValidateIssuer = true,
            ValidateAudience = true,
            ValidateIssuerSigningKey = true,
            // The library would ask the platform's clock.
            LifetimeValidator = (notBefore, expires, _, _) => expires is { } end && now < end + Skew && !(notBefore > (now + Skew).UtcDateTime),
        });
        if (!result.IsValid) throw Refuse(result.Exception);
        return new VerifiedLogin(token, Authentication(token, now), IsBound(token, key, provider));
    }

    static JsonWebToken Read(string text)
    {
        if (text.Length is 0 or > MaxToken) throw Refuse("id-token-malformed", $"an ID token has 1 to {MaxToken} characters", RefusalReason.InvalidRequest);
        try
        {
            var token = new JsonWebToken(text);
            if (token.IsEncrypted || token.Alg is null) throw Refuse("id-token-malformed", "the ID token is not a signed JWT", RefusalReason.InvalidRequest);
            return token;
        }
        catch (Exception e) when (e is ArgumentException or SecurityTokenException or FormatException)
        {
            throw Refuse("id-token-malformed", "the ID token is not a JWT", RefusalReason.InvalidRequest);
        }
    }

    static bool IsBound(JsonWebToken token, SubjectPublicKey key, IdentityProvider provider)
    {
        // §3.1.3.7 (3–5): made for several, it must have been given to us.
        if ((token.Audiences.Skip(1).Any() || token.TryGetValue("azp", out string _)) && !(token.TryGetValue("azp", out string party) && party == provider.Configuration.ClientId))
            throw Refuse("id-token-audience", "the ID token was given to another client");
        if (string.IsNullOrEmpty(token.Subject)) throw Refuse("id-token-malformed", "the ID token does not say who it is about", RefusalReason.InvalidRequest);
        // The device flow (RFC 8628) knows no nonce, and some providers leave it out there; whether that is enough is policy's to say.
        if (!token.TryGetValue("nonce", out string nonce)) return false;
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(nonce), Encoding.ASCII.GetBytes(NonceOf(key))))
            throw Refuse("id-token-nonce", "the ID token was made for another login");
        return true;
    }

    static DateTimeOffset Authentication(JsonWebToken token, DateTimeOffset now)
    {
        if (!token.TryGetValue("iat", out long issued)) throw Refuse("id-token-malformed", "the ID token does not say when it was made", RefusalReason.InvalidRequest);
        var at = Moment(token.TryGetValue("auth_time", out long authenticated) ? authenticated : issued);
        if (at > now + Skew || Moment(issued) > now + Skew) throw Refuse("id-token-expired", "the ID token is from the future");
        return at < now ? at : now;
    }

    // A claim may hold any number; what is no date is one that is long gone.
    static DateTimeOffset Moment(long seconds) => seconds is > 0 and < 253_402_300_800 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : DateTimeOffset.UnixEpoch;

    static RefusalException Refuse(Exception? failure) => failure switch
    {
        SecurityTokenInvalidIssuerException => Refuse("id-token-issuer", "the ID token is of another issuer"),
        SecurityTokenInvalidAudienceException => Refuse("id-token-audience", "the ID token was made for another client"),
        SecurityTokenInvalidLifetimeException or SecurityTokenExpiredException or SecurityTokenNotYetValidException or SecurityTokenNoExpirationException =>
            Refuse("id-token-expired", "the ID token is not valid at this time"),
        SecurityTokenInvalidAlgorithmException => Refuse("id-token-algorithm", "the ID token is signed with an algorithm that is not accepted"),
        _ => Refuse("id-token-signature", "the ID token is not signed by the provider"),
    };

    static RefusalException Refuse(string id, string sentence, RefusalReason reason = RefusalReason.NotAllowed) =>
        new(reason, sentence) { Id = id, Hint = "log in again: `osctl login`" };

    static string Short(string? text) => text is null ? "" : text.Length <= 64 ? text : text[..64] + "…";
}
