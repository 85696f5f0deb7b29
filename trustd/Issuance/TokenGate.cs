using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Talos.Api.Configuration;
using Talos.Api.Server;
using Talos.Pki;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Issuance;

/// <summary>Turns tokens into grants. A refusal tells a stranger only that the token is not good, and the record everything.</summary>
sealed class TokenGate(CertificateLedger ledger, string cluster)
{
    /// <summary>The role of every node; no person gets it.</summary>
    public const string NodeRole = "os:node";

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

    /// <summary>What a node with this token gets for this request: the names and addresses it asks for, as far as the token allows them.</summary>
    /// <exception cref="RefusalException">The request names something that the token does not allow; the sentence names it.</exception>
    public IdentityGrant NodeGrant(LedgerToken token, CertificateRequestDocument request, IPAddress source)
    {
        if (request.Subject.CommonNames.ToArray() is not [var name])
            throw Refuse("name-missing", "the request names no node", RefusalReason.InvalidRequest, "put the host name into the subject's common name");
        if (!token.Names.Any(pattern => Matches(pattern, name)))
            throw Refuse("name-not-allowed", $"the token `{token.Id}` does not allow the name `{name}`");
        var networks = token.Addresses.Select(IPNetwork.Parse).ToArray();
        var names = ImmutableArray.CreateBuilder<string>();
        var addresses = ImmutableArray.CreateBuilder<IPAddress>();
        foreach (var asked in request.RequestedNames)
        {
            if (asked.Kind == NameKinds.Dns && (asked.Text == name || token.Names.Any(pattern => Matches(pattern, asked.Text)))) names.Add(asked.Text);
            else if (asked.Kind == NameKinds.Address && IPAddress.TryParse(asked.Text, out var address) && IsAllowed(address)) addresses.Add(address);
            else if (asked.Kind != NameKinds.Uri) throw Refuse("name-not-allowed", $"the token `{token.Id}` does not allow `{asked}`");
        }
        return new IdentityGrant { Cluster = cluster, Name = name, Roles = [NodeRole], DnsNames = names.ToImmutable(), Addresses = addresses.ToImmutable() };

        bool IsAllowed(IPAddress address) => address.Equals(source) || networks.Any(network => network.Contains(address));
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

    /// <summary>Whether <paramref name="name"/> fits a pattern in which `*` stands for any run of letters, digits and hyphens.</summary>
    internal static bool Matches(string pattern, string name)
    {
        var star = pattern.IndexOf('*');
        if (star < 0) return pattern == name;
        var (head, tail) = (pattern[..star], pattern[(star + 1)..]);
        if (!name.StartsWith(head, StringComparison.Ordinal)) return false;
        // LIMIT: a host name has at most 253 characters, so trying each end costs little.
        for (var end = head.Length; end <= name.Length; end++)
        {
            if (Matches(tail, name[end..])) return true;
            if (end < name.Length && !char.IsAsciiLetterOrDigit(name[end]) && name[end] != '-') return false;
        }
        return false;
    }

    static RefusalException Refuse(string id, string sentence, RefusalReason reason = RefusalReason.NotAllowed, string hint = "ask an administrator for a new one: `osctl token create`") =>
        new(reason, sentence) { Id = id, Hint = hint };
}
