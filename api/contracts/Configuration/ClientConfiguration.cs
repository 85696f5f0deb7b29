namespace Talos.Api.Configuration;

/// <summary>What a person's machine knows: clusters, where their nodes answer, whom to trust and as whom to speak.</summary>
public sealed class ClientConfiguration
{
    /// <summary>The context in use; empty when none is.</summary>
    public string Current { get; init; } = "";

    /// <summary>By name.</summary>
    public IReadOnlyDictionary<string, ClientContext> Contexts { get; init; } = new SortedDictionary<string, ClientContext>(StringComparer.Ordinal);

    /// <summary>Reads a document.</summary>
    public static ConfigurationResult<ClientConfiguration> Parse(string text, string fileName) => Section.ReadDocument(text, fileName, Read);

    /// <summary>The document, private keys included; reading it gives the same configuration.</summary>
    public string ToYaml()
    {
        var writer = new YamlWriter();
        writer.Field("context", Current);
        if (Contexts.Count == 0) return writer.ToString();
        writer.Section("contexts", w =>
        {
            foreach (var (name, context) in Contexts) w.Section(name, context.Write);
        });
        return writer.ToString();
    }

    static ClientConfiguration Read(Section section)
    {
        var configuration = new ClientConfiguration
        {
            Current = section.Optional("context", Formats.AnyText, ""),
            Contexts = section.SectionMap("contexts", Formats.ContextName, ClientContext.Read),
        };
        if (configuration.Current.Length > 0 && !configuration.Contexts.ContainsKey(configuration.Current))
            section.Fail("context", $"context {DocumentErrors.Quote(configuration.Current)} is not among `contexts`", Spelling.Hint(configuration.Current, configuration.Contexts.Keys));
        return configuration;
    }
}

/// <summary>One cluster, as one person sees it.</summary>
public sealed record ClientContext
{
    /// <summary>Where each node's API answers, by the node's name.</summary>
    public IReadOnlyDictionary<string, Endpoint> Endpoints { get; init; } = new SortedDictionary<string, Endpoint>(StringComparer.Ordinal);

    /// <summary>Where trustd answers.</summary>
    public Endpoint? Trustd { get; init; }

    /// <summary>Nodes asked when none is named.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>The node through which the others are reached, by name or address; null when each is reached by itself.</summary>
    public string? Via { get; init; }

    /// <summary>Certificates to trust, PEM.</summary>
    public string? CaPem { get; init; }

    /// <summary>The person's certificate and its intermediates, PEM.</summary>
    public string? CertificatePem { get; init; }

    /// <summary>The person's private key, PEM; a secret.</summary>
    public string? PrivateKeyPem { get; init; }

    /// <summary>The nodes; nothing secret.</summary>
    public override string ToString() => string.Join(", ", Endpoints.Keys);

    internal static ClientContext Read(Section section)
    {
        var context = new ClientContext
        {
            Endpoints = section.Map("endpoints", Formats.HostOrAddress, Formats.Endpoint),
            Trustd = section.Optional<Endpoint?>("trustd", Formats.Endpoint!, null),
            Nodes = section.List("nodes", Formats.HostOrAddress),
            Via = section.Optional<string?>("via", Formats.AnyText!, null),
            CaPem = section.Optional<string?>("ca", Formats.CertificatePem!, null),
            CertificatePem = section.Optional<string?>("crt", Formats.CertificatePem!, null),
            PrivateKeyPem = section.Optional<string?>("key", Formats.PrivateKeyPem!, null),
        };
        if (context.CertificatePem is null != context.PrivateKeyPem is null) section.Fail("crt", "`crt` and `key` go together");
        return context;
    }

    internal void Write(YamlWriter writer)
    {
        if (Endpoints.Count > 0) writer.Section("endpoints", w => { foreach (var (name, endpoint) in Endpoints) w.Field(name, endpoint.ToString()); });
        if (Trustd is not null) writer.Field("trustd", Trustd.ToString());
        writer.List("nodes", Nodes);
        if (Via is not null) writer.Field("via", Via);
        if (CaPem is not null) writer.Field("ca", CaPem);
        if (CertificatePem is not null) writer.Field("crt", CertificatePem);
        if (PrivateKeyPem is not null) writer.Field("key", PrivateKeyPem);
    }
}
