using System.Security.Cryptography;
using System.Text;
using Talos.Api.Configuration;
using Talos.Api.Server;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Issuance;

/// <summary>Checks tokens and takes their uses. A refusal tells a stranger only that the token is not good, and the record everything.</summary>
sealed class TokenGate(ICertificateLedger ledger)
{
    /// <summary>Checks the secret and gives the token it belongs to.</summary>
    /// <exception cref="RefusalException">There is no such token, or the secret or the use is another.</exception>
    public LedgerToken Verify(string text, LedgerTokenUse use, ServedCall call)
    {
        if (!TokenSecret.TryParse(text, out var secret))
            throw Refuse("token-malformed", "the token is not of the form `id.secret`", RefusalReason.InvalidRequest);
        call.Note("token", secret.Id);
        var token = ledger.FindToken(secret.Id);
        // Derived and compared even for an unknown id, so that time does not tell which ids exist.
        var matches = CryptographicOperations.FixedTimeEquals(secret.Verifier().Span, token is null ? new byte[32] : token.Verifier.Span);
        if (token is null || !matches || token.Use != use)
        {
            call.Note("token_refused", token is null ? "unknown id" : matches ? $"use is {token.Use}" : "wrong secret");
            throw Refuse("token-refused", "the token is not known here");
        }
        return token;
    }

    /// <summary>Takes one use for this key, durably.</summary>
    /// <exception cref="RefusalException">The token is expired, revoked or used up.</exception>
    public async Task TakeAsync(LedgerToken token, ReadOnlyMemory<byte> keyDigest, CancellationToken cancellation)
    {
        switch (await ledger.UseTokenAsync(token.Id, keyDigest, cancellation))
        {
            case TokenUseResult.Taken or TokenUseResult.Repeated: return;
            case TokenUseResult.Expired: throw Refuse("token-expired", $"the token `{token.Id}` expired at {token.Expires:u}");
            case TokenUseResult.Revoked: throw Refuse("token-revoked", $"the token `{token.Id}` was revoked");
            case TokenUseResult.Exhausted: throw Refuse("token-exhausted", $"the token `{token.Id}` has no uses left");
            case TokenUseResult.Refused: throw Refuse("token-refused", "the token is not known here");
        }
    }

    /// <summary>HMAC-SHA256 under the token's discovery key over nonce and bundle.</summary>
    public byte[] Authenticate(string tokenId, ReadOnlySpan<byte> nonce, string bundle)
    {
        var token = ledger.FindToken(tokenId) ?? throw Refuse("token-refused", "the token is not known here");
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, token.Discovery.Span);
        hmac.AppendData(nonce);
        hmac.AppendData(Encoding.UTF8.GetBytes(bundle));
        return hmac.GetHashAndReset();
    }

    static RefusalException Refuse(string id, string sentence, RefusalReason reason = RefusalReason.NotAllowed, string hint = "ask an administrator for a new one: `osctl token create`") =>
        new(reason, sentence) { Id = id, Hint = hint };
}
