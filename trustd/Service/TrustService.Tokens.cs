using System.Collections.Immutable;
using System.Net;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Configuration;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Service;

sealed partial class TrustService
{
    static readonly TimeSpan DefaultTokenLife = TimeSpan.FromHours(1), MaxTokenLife = TimeSpan.FromDays(7);

    // LIMIT: a token that admits more machines than this is a standing secret; make another.
    const uint MaxTokenUses = 1000;

    // LIMIT: patterns and networks of one token.
    const int MaxTokenScopes = 64;

    public override async Task<TokenCreateResponse> TokenCreate(TokenCreateRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        Admit(call);
        var life = Wanted(request.Lifetime) ?? DefaultTokenLife;
        if (life < TimeSpan.FromSeconds(30) || life > MaxTokenLife)
            throw Invalid($"a token lives for 30 seconds to {MaxTokenLife.Days} days", "for instance `--ttl 1h`");
        if (request.Uses > MaxTokenUses) throw Invalid($"a token may be used at most {MaxTokenUses} times", "make several tokens");
        if (request.Names.Count == 0) throw Invalid("the token allows no name", "for instance `--names 'worker-*'`");
        if (request.Names.Count + request.Addresses.Count > MaxTokenScopes) throw Invalid($"a token has at most {MaxTokenScopes} names and networks", "make several tokens");
        foreach (var name in request.Names)
            if (name.Length is 0 or > 253 || name.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('-' or '.' or '*')) || name.Count(c => c == '*') > 1)
                throw Invalid($"`{name}` is no host name or pattern", "lower-case letters, digits, hyphens, dots and at most one `*`");
        foreach (var network in request.Addresses)
            if (!IPNetwork.TryParse(network, out _)) throw Invalid($"`{network}` is no network in CIDR form", "for instance `10.0.0.0/8`");

        var now = time.GetUtcNow();
        var secret = TokenSecret.Generate();
        var token = new LedgerToken(
            secret.Id, secret.Verifier(), secret.Discovery(), LedgerTokenUse.Node, "", [], [.. request.Names], [.. request.Addresses],
            now, call.Caller.Identity?.Name ?? "", now + life, (int)Math.Max(request.Uses, 1), null);
        if (!await ledger.AddTokenAsync(token, context.CancellationToken)) throw new RefusalException(RefusalReason.AlreadyExists, "the token's id exists already");
        await RecordToken(call, token.Id, "created");
        return new TokenCreateResponse { Token = secret.Reveal(), Expires = token.Expires.ToTimestamp() };
    }

    public override Task<TokenListResponse> TokenList(TokenListRequest request, ServerCallContext context)
    {
        Admit(ServedCall.Of(context));
        var answer = new TokenListResponse();
        var most = Rows(request.Limit);
        answer.More = Fill(answer.Tokens, ledger.ListTokens(most + 1).Select(Describe), most);
        return Task.FromResult(answer);
    }

    public override async Task<TokenRevokeResponse> TokenRevoke(TokenRevokeRequest request, ServerCallContext context)
    {
        if (!await ledger.RevokeTokenAsync(request.Id, context.CancellationToken))
            throw new RefusalException(RefusalReason.NotFound, $"there is no valid token `{request.Id}`") { Hint = "`osctl token list` shows them" };
        await RecordToken(ServedCall.Of(context), request.Id, "revoked");
        return new TokenRevokeResponse();
    }

    static Token Describe(LedgerToken token) => new()
    {
        Id = token.Id,
        Use = token.Use switch { LedgerTokenUse.Node => TokenUse.Node, LedgerTokenUse.Client => TokenUse.Client, LedgerTokenUse.None => TokenUse.Unspecified },
        Created = token.Created.ToTimestamp(),
        Expires = token.Expires.ToTimestamp(),
        UsesLeft = (uint)token.UsesLeft,
        Names = { token.Use == LedgerTokenUse.Client ? [token.Name] : token.Names },
        Addresses = { token.Addresses },
        Revoked = token.Revoked is not null,
        CreatedBy = token.CreatedBy,
    };

    async Task RecordToken(ServedCall call, string id, string what)
    {
        var entry = new Entry { Kind = EntryKind.Token, Message = $"token {id} {what}" };
        if (call.OpenedIndex is { } opened) entry.Details["call"] = opened.ToString(System.Globalization.CultureInfo.InvariantCulture);
        entry.Details["token"] = id;
        entry.Details["event"] = what;
        await record.AppendAsync(entry, CancellationToken.None);
    }

    static RefusalException Invalid(string sentence, string hint) => new(RefusalReason.InvalidRequest, sentence) { Hint = hint };
}
