using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Talos.Api.Trust.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static class TokenCommands
{
    static readonly Option<string[]> Names = new("--name") { Description = "Host names it is good for; `*` stands for letters, digits and dashes", HelpName = "PATTERN,…", Required = true };

    static readonly Option<string[]> Addresses = new("--address") { Description = "Networks whose addresses a certificate may name; otherwise only the caller's own", HelpName = "CIDR,…" };

    static readonly DurationOption Lifetime = new("--ttl", "How long it is good", "1h");

    static readonly Option<uint> Uses = new("--uses") { Description = "How often it may be used", HelpName = "N", DefaultValueFactory = _ => 1 };

    static readonly Option<uint> Limit = new("--limit") { Description = "At most so many, newest first", HelpName = "N", DefaultValueFactory = _ => 100 };

    static readonly Argument<string> Id = new("ID") { Description = "The token's public half" };

    public static Verb Build() => new("token", "Make, list and revoke tokens that let nodes join")
    {
        Subcommands = { Create(), List(), Revoke() },
    };

    static Verb Create() => new("create", "Make a token and print it; it is shown this once", "osctl token create --name worker-2", "osctl token create --name 'worker-*' --uses 10 --ttl 24h --address 10.0.0.0/8")
    {
        Options = { Names, Addresses, Lifetime, Uses },
        Run = async invocation =>
        {
            var request = new TokenCreateRequest { Lifetime = Duration.FromTimeSpan(invocation.Get(Lifetime)), Uses = invocation.Get(Uses) };
            request.Names.AddRange(invocation.Words(Names));
            request.Addresses.AddRange(invocation.Words(Addresses));
            var answer = await invocation.AskTrustdAsync((trust, options) => trust.TokenCreateAsync(request, options));
            if (invocation.IsTree) TreeWriter.Write(invocation.Output, MessageTree.From(answer), invocation.Format);
            else invocation.Output.WriteLine(answer.Token);
            return ExitCode.Done;
        },
    };

    static Verb List() => new("list", "List the tokens that are known, without their secrets", "osctl token list", "osctl token list --limit 500 -o json")
    {
        OtherNames = ["ls"],
        Options = { Limit },
        Run = async invocation =>
        {
            var answer = await invocation.AskTrustdAsync((trust, options) => trust.TokenListAsync(new TokenListRequest { Limit = invocation.Get(Limit) }, options));
            if (invocation.IsTree) { TreeWriter.Write(invocation.Output, MessageTree.From(answer), invocation.Format); return ExitCode.Done; }
            var now = invocation.Terminal.Time.GetUtcNow();
            var table = invocation.Table("ID", "USE", "STATE", "USES LEFT", "EXPIRES", "NAMES", "ADDRESSES", "+CREATED", "+CREATED BY");
            foreach (var t in answer.Tokens)
            {
                var state = t.Revoked ? "revoked" : t.Expires.ToDateTimeOffset() <= now ? "expired" : t.UsesLeft == 0 ? "used up" : "good";
                table.Add(t.Id, Text.Word(t.Use).ToLowerInvariant(), state, Text.Number(t.UsesLeft), Text.Second(t.Expires), string.Join(' ', t.Names), string.Join(' ', t.Addresses), Text.Second(t.Created), t.CreatedBy);
            }
            table.Write(invocation.Output);
            invocation.TellOfMore(answer.More);
            return ExitCode.Done;
        },
    };

    static Verb Revoke() => new("revoke", "Make a token useless from now on", "osctl token revoke abcdefgh")
    {
        Arguments = { Id },
        Run = async invocation =>
        {
            // The whole token is what people have at hand; its secret half goes nowhere.
            var id = invocation.Get(Id).Split('.')[0];
            await invocation.AskTrustdAsync((trust, options) => trust.TokenRevokeAsync(new TokenRevokeRequest { Id = id }, options));
            invocation.Output.WriteLine($"token {id} is revoked");
            return ExitCode.Done;
        },
    };
}
