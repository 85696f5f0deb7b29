namespace Talos.Api.Configuration;

/// <summary>All that trustd knows of the machine it runs on. Written by machined, or by hand to run trustd alone.</summary>
public sealed class TrustdConfiguration
{
    /// <summary>The cluster's name and SPIFFE trust domain.</summary>
    public required string Cluster { get; init; }

    /// <summary>The node's host name.</summary>
    public required string Node { get; init; }

    /// <summary>Where trustd listens.</summary>
    public required Endpoint Listen { get; init; }

    /// <summary>Folder of the CA key, the ledger and the audit log; absolute.</summary>
    public required string State { get; init; }

    /// <summary>Folder of the policy bundle; absolute.</summary>
    public required string Policy { get; init; }

    /// <summary>Who else has a say in the policy.</summary>
    public PolicySection PolicyRules { get; init; } = new();

    /// <summary>The machine's labels, for rules to look at.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new SortedDictionary<string, string>();

    /// <summary>Names and addresses for trustd's own certificate.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Tokens to know from the start; ids are distinct.</summary>
    public IReadOnlyList<BootstrapToken> Bootstrap { get; init; } = [];

    /// <summary>What becomes of the record; it has no witnesses of its own.</summary>
    public AuditSection Audit { get; init; } = new();

    /// <summary>How people log in; null when they do not.</summary>
    public LoginSection? Login { get; init; }

    /// <summary>Where outside verifiers find revocation lists; null when certificates are to name none.</summary>
    public RevocationListSection? RevocationLists { get; init; }

    /// <summary>How much each caller may use.</summary>
    public RateLimitSection Limits { get; init; } = new();

    /// <summary>Reads a document.</summary>
    public static ConfigurationResult<TrustdConfiguration> Parse(string text, string fileName) => Section.ReadDocument(text, fileName, Read);

    /// <summary>The document; reading it gives the same configuration.</summary>
    public string ToYaml()
    {
        var writer = new YamlWriter();
        writer.Field("cluster", Cluster);
        writer.Field("node", Node);
        writer.Field("listen", Listen.ToString());
        writer.Field("state", State);
        writer.Field("policy", Policy);
        if (PolicyRules.IsGiven) writer.Section("policyRules", PolicyRules.Write);
        writer.Map("labels", Labels);
        writer.List("sans", Names);
        if (Audit.IsGiven) writer.Section("audit", Audit.Write);
        writer.Sections("bootstrap", Bootstrap, (token, w) => token.Write(w));
        if (Login is not null) writer.Section("oidc", Login.Write);
        if (RevocationLists is not null) writer.Section("revocationLists", RevocationLists.Write);
        writer.Section("limits", Limits.Write);
        return writer.ToString();
    }

    /// <summary>The node's name; nothing secret.</summary>
    public override string ToString() => $"trustd on {Node} of {Cluster}";

    static TrustdConfiguration Read(Section section)
    {
        var configuration = new TrustdConfiguration
        {
            Cluster = section.Required("cluster", Formats.TrustDomain),
            Node = section.Required("node", Formats.HostName),
            Listen = section.Required("listen", Formats.Endpoint),
            State = section.Required("state", Formats.AbsolutePath),
            Policy = section.Required("policy", Formats.AbsolutePath),
            PolicyRules = section.Subsection("policyRules", PolicySection.Read) ?? new PolicySection(),
            Labels = section.Map("labels", Formats.LabelName, Formats.LabelValue),
            Names = section.List("sans", Formats.HostOrAddress),
            Bootstrap = section.Sections("bootstrap", BootstrapToken.Read),
            Audit = section.Subsection("audit", AuditSection.Read) ?? new AuditSection(),
            Login = section.Subsection("oidc", LoginSection.Read),
            RevocationLists = section.Subsection("revocationLists", RevocationListSection.Read),
            Limits = section.Subsection("limits", RateLimitSection.Read) ?? new RateLimitSection(),
        };
        TrustSection.RequireDistinct(section, configuration.Bootstrap);
        return configuration;
    }
}
