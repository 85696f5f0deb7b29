using System.Net;
using Talos.Api.Trust.V1;

namespace Talos.Api.Configuration;

/// <summary>What a control plane knows of a token from its first start on: enough to verify it, not enough to use it.</summary>
public sealed class BootstrapToken
{
    static readonly ScalarFormat<TokenUse> UseFormat = Formats.OneOf(("client", TokenUse.Client), ("node", TokenUse.Node));

    /// <summary>The token's public half.</summary>
    public required string Id { get; init; }

    /// <summary>See <see cref="TokenSecret.Verifier"/>.</summary>
    public required ReadOnlyMemory<byte> Verifier { get; init; }

    /// <summary>See <see cref="TokenSecret.Discovery"/>; a secret.</summary>
    public required ReadOnlyMemory<byte> Discovery { get; init; }

    /// <summary>What the token is good for.</summary>
    public required TokenUse Use { get; init; }

    /// <summary>For a person: the name that the certificate will carry.</summary>
    public string? Name { get; init; }

    /// <summary>For a person: the roles that the certificate will carry.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>For nodes: host names that may be asked for; <c>*</c> stands for any run of letters, digits and hyphens.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>For nodes: addresses that a certificate may name.</summary>
    public IReadOnlyList<IPNetwork> Addresses { get; init; } = [];

    /// <summary>From then on the token is worth nothing.</summary>
    public required DateTimeOffset Expires { get; init; }

    /// <summary>How often it may be used; at least 1.</summary>
    public uint Uses { get; init; } = 1;

    /// <summary>A token for one person's first certificate.</summary>
    public static BootstrapToken ForClient(TokenSecret token, string name, IReadOnlyList<string> roles, DateTimeOffset expires) =>
        new() { Id = token.Id, Verifier = token.Verifier(), Discovery = token.Discovery(), Use = TokenUse.Client, Name = name, Roles = roles, Expires = expires };

    /// <summary>A token that lets nodes join.</summary>
    public static BootstrapToken ForNode(TokenSecret token, IReadOnlyList<string> names, IReadOnlyList<IPNetwork> addresses, DateTimeOffset expires, uint uses = 1) =>
        new() { Id = token.Id, Verifier = token.Verifier(), Discovery = token.Discovery(), Use = TokenUse.Node, Names = names, Addresses = addresses, Expires = expires, Uses = uses };

    /// <summary>The id alone.</summary>
    public override string ToString() => Id;

    internal static BootstrapToken Read(Section section)
    {
        var token = new BootstrapToken
        {
            Id = section.Required("id", Formats.TokenId),
            Verifier = section.Required("verifier", Formats.Key),
            Discovery = section.Required("discovery", Formats.Key),
            Use = section.Required("use", UseFormat),
            Name = section.Optional<string?>("name", Formats.PersonName!, null),
            Roles = section.List("roles", Formats.Role),
            Names = section.List("names", Formats.HostPattern),
            Addresses = section.List("addresses", Formats.Network),
            Expires = section.Required("expires", Formats.Instant),
            Uses = section.Optional("uses", Formats.Count, 1u),
        };
        if (token.Use == TokenUse.Client)
        {
            if (token.Name is null) section.Fail("name", $"a token for a person needs {section.Name("name")}");
            if (token.Roles.Count == 0) section.Fail("roles", $"a token for a person needs {section.Name("roles")}", "for instance `roles: [os:admin]`");
            if (section.Has("names") || section.Has("addresses")) section.Fail("names", "`names` and `addresses` are for tokens of use `node`");
        }
        else if (token.Use == TokenUse.Node)
        {
            if (token.Names.Count == 0) section.Fail("names", $"a token for nodes needs {section.Name("names")}", "for instance `names: [\"worker-*\"]`");
            if (section.Has("name") || section.Has("roles")) section.Fail("name", "`name` and `roles` are for tokens of use `client`");
        }
        return token;
    }

    internal void Write(YamlWriter writer)
    {
        writer.Field("id", Id);
        writer.Field("verifier", Convert.ToBase64String(Verifier.Span));
        writer.Field("discovery", Convert.ToBase64String(Discovery.Span));
        writer.Field("use", Use == TokenUse.Client ? "client" : "node");
        if (Name is not null) writer.Field("name", Name);
        writer.List("roles", Roles);
        writer.List("names", Names);
        writer.List("addresses", Addresses.Select(a => a.ToString()));
        writer.Field("expires", Expires);
        writer.Field("uses", Uses);
    }
}
