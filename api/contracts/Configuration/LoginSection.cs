namespace Talos.Api.Configuration;

/// <summary>The OpenID Connect provider by which people log in.</summary>
public sealed class LoginSection
{
    static readonly IReadOnlyList<string> StandardScopes = ["openid", "profile", "groups"];

    /// <summary>The issuer exactly as the provider's ID tokens spell it; `https`.</summary>
    public required string Issuer { get; init; }

    /// <summary>The public client that the provider knows osctl as; the audience of ID tokens.</summary>
    public required string ClientId { get; init; }

    /// <summary>What osctl asks the provider for.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = StandardScopes;

    /// <summary>Certificates to trust for the provider, PEM; a node trusts no public ones.</summary>
    public required string CaPem { get; init; }

    /// <summary>What the provider's groups may do here.</summary>
    public IReadOnlyList<GroupRoles> Roles { get; init; } = [];

    internal static LoginSection Read(Section section)
    {
        var login = new LoginSection
        {
            Issuer = section.Required("issuer", Formats.Issuer),
            ClientId = section.Required("clientId", Formats.AnyText),
            Scopes = section.List("scopes", Formats.AnyText) is { Count: > 0 } given ? given : StandardScopes,
            CaPem = section.Required("caBundle", Formats.CertificatePem),
            Roles = section.Sections("roles", GroupRoles.Read),
        };
        if (!login.Scopes.Contains("openid")) section.Fail("scopes", $"{section.Name("scopes")} lacks `openid`", "without it a provider gives no ID token");
        return login;
    }

    internal void Write(YamlWriter writer)
    {
        writer.Field("issuer", Issuer);
        writer.Field("clientId", ClientId);
        writer.List("scopes", Scopes);
        writer.Field("caBundle", CaPem);
        writer.Sections("roles", Roles, (roles, w) => roles.Write(w));
    }
}

/// <summary>The roles of everyone in one group of the provider.</summary>
public sealed record GroupRoles(string Group, IReadOnlyList<string> Roles)
{
    internal static GroupRoles Read(Section section) => new(section.Required("group", Formats.AnyText), section.List("roles", Formats.Role));

    internal void Write(YamlWriter writer)
    {
        writer.Field("group", Group);
        writer.List("roles", Roles);
    }
}
