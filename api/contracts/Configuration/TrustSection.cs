using Talos.Api.Machine.V1;

namespace Talos.Api.Configuration;

/// <summary>How a machine gets and gives trust.</summary>
public sealed class TrustSection
{
    /// <summary>For a worker: where trustd answers, in the order they are tried.</summary>
    public IReadOnlyList<Endpoint> Endpoints { get; init; } = [];

    /// <summary>For a worker: what it joins with.</summary>
    public TokenSecret? Token { get; init; }

    /// <summary>For a worker: the cluster's CA, PEM. With it a worker needs no token: it waits until a person lets it in.</summary>
    public string? CaPem { get; init; }

    /// <summary>For a control plane: tokens known from the first start; ids are distinct.</summary>
    public IReadOnlyList<BootstrapToken> Bootstrap { get; init; } = [];

    /// <summary>For a control plane: how people log in; null when they do not.</summary>
    public LoginSection? Login { get; init; }

    /// <summary>For a control plane: where outside verifiers find revocation lists; null when certificates are to name none.</summary>
    public RevocationListSection? RevocationLists { get; init; }

    /// <summary>For a control plane: how much of its trustd each caller may use; null for the defaults.</summary>
    public RateLimitSection? Limits { get; init; }

    // A token that was given but is none has an error of its own.
    bool TokenIsGiven { get; init; }

    internal bool IsGiven => Endpoints.Count > 0 || Token is not null || CaPem is not null || Bootstrap.Count > 0 || Login is not null || RevocationLists is not null
        || Limits is not null;

    internal static TrustSection Read(Section section)
    {
        var trust = new TrustSection
        {
            Endpoints = section.List("endpoints", Formats.Endpoint),
            Token = section.Optional<TokenSecret?>("token", Formats.Token!, null),
            CaPem = section.Optional<string?>("caBundle", Formats.CertificatePem!, null),
            Bootstrap = section.Sections("bootstrap", BootstrapToken.Read),
            Login = section.Subsection("oidc", LoginSection.Read),
            RevocationLists = section.Subsection("revocationLists", RevocationListSection.Read),
            Limits = section.Subsection("limits", RateLimitSection.Read),
            TokenIsGiven = section.Has("token"),
        };
        RequireDistinct(section, trust.Bootstrap);
        return trust;
    }

    internal static void RequireDistinct(Section section, IReadOnlyList<BootstrapToken> tokens)
    {
        foreach (var twice in tokens.Where(t => t.Id is not null).GroupBy(t => t.Id).Where(g => g.Count() > 1))
            section.Fail("bootstrap", $"token `{twice.Key}` is given twice");
    }

    // What a machine would never use is refused, so that nobody relies on it.
    internal void Check(Section document, MachineType type)
    {
        if (type == MachineType.Worker)
        {
            if (Endpoints.Count == 0 || (!TokenIsGiven && CaPem is null))
                document.Fail("trust", "a worker needs `trust.endpoints`, and `trust.token` or `trust.caBundle`", "`osctl token create` makes a token; with the CA alone a person has to let the worker in");
            if (Bootstrap.Count > 0) document.Fail("trust", "`trust.bootstrap` is for control planes");
            if (RevocationLists is not null) document.Fail("trust", "`trust.revocationLists` is for control planes");
            if (Limits is not null) document.Fail("trust", "`trust.limits` is for control planes");
            if (Login is not null) document.Fail("trust", "`trust.oidc` is for control planes");
        }
        else if (type == MachineType.Controlplane && (TokenIsGiven || CaPem is not null || Endpoints.Count > 0))
        {
            document.Fail("trust", "`trust.endpoints`, `trust.token` and `trust.caBundle` are for workers", "a control plane runs its own trustd");
        }
    }

    internal void Write(YamlWriter writer)
    {
        writer.List("endpoints", Endpoints.Select(e => e.ToString()));
        if (Token is not null) writer.Field("token", Token.Reveal());
        if (CaPem is not null) writer.Field("caBundle", CaPem);
        writer.Sections("bootstrap", Bootstrap, (token, w) => token.Write(w));
        if (Login is not null) writer.Section("oidc", Login.Write);
        if (RevocationLists is not null) writer.Section("revocationLists", RevocationLists.Write);
        if (Limits is not null) writer.Section("limits", Limits.Write);
    }
}
