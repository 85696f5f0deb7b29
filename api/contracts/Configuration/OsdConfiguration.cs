using Talos.Api.Machine.V1;

namespace Talos.Api.Configuration;

/// <summary>All that osd knows of the machine it runs on. Written by machined, or by hand to run osd alone.</summary>
public sealed class OsdConfiguration
{
    /// <summary>The cluster's name and SPIFFE trust domain.</summary>
    public required string Cluster { get; init; }

    /// <summary>The node's host name.</summary>
    public required string Node { get; init; }

    /// <summary>What the machine is for.</summary>
    public required MachineType Role { get; init; }

    /// <summary>Where the node API listens.</summary>
    public required Endpoint Listen { get; init; }

    /// <summary>Folder of keys, certificates and audit log; absolute.</summary>
    public required string State { get; init; }

    /// <summary>machined's unix socket; absolute.</summary>
    public required string Machined { get; init; }

    /// <summary>Folder of the policy bundle; absolute.</summary>
    public required string Policy { get; init; }

    /// <summary>Who else has a say in the policy.</summary>
    public PolicySection PolicyRules { get; init; } = new();

    /// <summary>The machine's labels, for rules to look at.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new SortedDictionary<string, string>();

    /// <summary>Where trustd answers, in the order they are tried. Empty in maintenance.</summary>
    public IReadOnlyList<Endpoint> TrustEndpoints { get; init; } = [];

    /// <summary>What the node joins with, if it has no certificate yet.</summary>
    public TokenSecret? Token { get; init; }

    /// <summary>Certificates to trust from the start, PEM; otherwise the token discovers them.</summary>
    public string? CaBundle { get; init; }

    /// <summary>Names and addresses for the node's certificate.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>What becomes of the record.</summary>
    public AuditSection Audit { get; init; } = new();

    /// <summary>Why the node has no usable configuration; empty when it has one.</summary>
    public string Maintenance { get; init; } = "";

    /// <summary>Reads a document.</summary>
    public static ConfigurationResult<OsdConfiguration> Parse(string text, string fileName) => Section.ReadDocument(text, fileName, Read);

    /// <summary>The document; reading it gives the same configuration.</summary>
    public string ToYaml()
    {
        var writer = new YamlWriter();
        writer.Field("cluster", Cluster);
        writer.Field("node", Node);
        // A node in maintenance has not been told what it is for.
        if (Role != MachineType.Unspecified) writer.Field("role", Role == MachineType.Controlplane ? "controlplane" : "worker");
        writer.Field("listen", Listen.ToString());
        writer.Field("state", State);
        writer.Field("machined", Machined);
        writer.Field("policy", Policy);
        if (PolicyRules.IsGiven) writer.Section("policyRules", PolicyRules.Write);
        writer.Map("labels", Labels);
        if (TrustEndpoints.Count > 0 || Token is not null || CaBundle is not null) writer.Section("trust", WriteTrust);
        writer.List("sans", Names);
        if (Audit.IsGiven) writer.Section("audit", Audit.Write);
        if (Maintenance.Length > 0) writer.Field("maintenance", Maintenance.ReplaceLineEndings(" "));
        return writer.ToString();
    }

    /// <summary>The node's name; nothing secret.</summary>
    public override string ToString() => $"{Node} of {Cluster}";

    void WriteTrust(YamlWriter writer)
    {
        writer.List("endpoints", TrustEndpoints.Select(e => e.ToString()));
        if (Token is not null) writer.Field("token", Token.Reveal());
        if (CaBundle is not null) writer.Field("caBundle", CaBundle);
    }

    static OsdConfiguration Read(Section section)
    {
        var trust = section.Subsection("trust", TrustPart.Read) ?? new TrustPart([], null, null);
        var configuration = new OsdConfiguration
        {
            Cluster = section.Required("cluster", Formats.TrustDomain),
            Node = section.Required("node", Formats.HostName),
            Role = section.Optional("role", Formats.MachineType, MachineType.Unspecified),
            Listen = section.Required("listen", Formats.Endpoint),
            State = section.Required("state", Formats.AbsolutePath),
            Machined = section.Required("machined", Formats.AbsolutePath),
            Policy = section.Required("policy", Formats.AbsolutePath),
            PolicyRules = section.Subsection("policyRules", PolicySection.Read) ?? new PolicySection(),
            Labels = section.Map("labels", Formats.LabelName, Formats.LabelValue),
            TrustEndpoints = trust.Endpoints,
            Token = trust.Token,
            CaBundle = trust.CaBundle,
            Names = section.List("sans", Formats.HostOrAddress),
            Audit = section.Subsection("audit", AuditSection.Read) ?? new AuditSection(),
            Maintenance = section.Optional("maintenance", Formats.AnyText, ""),
        };
        if (configuration.Maintenance.Length > 0) return configuration;
        if (configuration.Role == MachineType.Unspecified && !section.Has("role")) section.Fail("role", "missing field `role`", "only a node in maintenance has none");
        if (configuration.TrustEndpoints.Count == 0) section.Fail("trust", "missing field `trust.endpoints`", "only a node in maintenance has none");
        return configuration;
    }

    sealed record TrustPart(IReadOnlyList<Endpoint> Endpoints, TokenSecret? Token, string? CaBundle)
    {
        public static TrustPart Read(Section section) => new(
            section.List("endpoints", Formats.Endpoint),
            section.Optional<TokenSecret?>("token", Formats.Token!, null),
            section.Optional<string?>("caBundle", Formats.CertificatePem!, null));
    }
}
