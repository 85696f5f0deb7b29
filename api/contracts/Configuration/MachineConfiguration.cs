using Talos.Api.Machine.V1;

namespace Talos.Api.Configuration;

/// <summary>
/// What a machine is told to be. A YAML document, read strictly: a field nobody knows, a wrong type or a missing value is an error with
/// its place, and every error of the document is reported.
/// </summary>
public sealed class MachineConfiguration
{
    /// <summary>The cluster's name and SPIFFE trust domain.</summary>
    public required string Cluster { get; init; }

    /// <summary>What the machine is for, what it is called and how it reaches the network.</summary>
    public required MachineSection Machine { get; init; }

    /// <summary>How the machine gets and gives trust.</summary>
    public required TrustSection Trust { get; init; }

    /// <summary>What is asked of pushed policies, and whether another server decides.</summary>
    public PolicySection Policy { get; init; } = new();

    /// <summary>What becomes of the machine's records.</summary>
    public AuditSection Audit { get; init; } = new();

    /// <summary>Reads a document.</summary>
    /// <param name="text">At most 262 144 characters.</param>
    /// <param name="fileName">What errors call the document.</param>
    public static ConfigurationResult<MachineConfiguration> Parse(string text, string fileName) => Section.ReadDocument(text, fileName, Read);

    /// <summary>The document; reading it gives the same configuration.</summary>
    public string ToYaml()
    {
        var writer = new YamlWriter();
        writer.Field("version", "v1alpha1");
        writer.Field("cluster", Cluster);
        writer.Section("machine", Machine.Write);
        if (Trust.IsGiven) writer.Section("trust", Trust.Write);
        if (Policy.IsGiven) writer.Section("policy", Policy.Write);
        if (Audit.IsGiven) writer.Section("audit", Audit.Write);
        return writer.ToString();
    }

    /// <summary>The node's name and cluster; nothing secret.</summary>
    public override string ToString() => $"{Machine.HostName} of {Cluster}";

    static MachineConfiguration Read(Section section)
    {
        section.Required("version", Formats.Version);
        var configuration = new MachineConfiguration
        {
            Cluster = section.Required("cluster", Formats.TrustDomain),
            Machine = section.RequiredSubsection("machine", MachineSection.Read),
            Trust = section.Subsection("trust", TrustSection.Read) ?? new TrustSection(),
            Policy = section.Subsection("policy", PolicySection.Read) ?? new PolicySection(),
            Audit = section.Subsection("audit", AuditSection.Read) ?? new AuditSection(),
        };
        if (configuration.Machine?.Type is { } type) configuration.Trust.Check(section, type);
        return configuration;
    }
}

/// <summary>The machine itself.</summary>
public sealed class MachineSection
{
    /// <summary>Never unspecified in a document that was read without errors.</summary>
    public required MachineType Type { get; init; }

    /// <summary>RFC 1123, lower case.</summary>
    public required string HostName { get; init; }

    /// <summary>Interfaces and name servers; DHCP on nothing unless said so.</summary>
    public NetworkSection Network { get; init; } = new();

    /// <summary>More names and addresses for this node's certificate.</summary>
    public IReadOnlyList<string> CertificateNames { get; init; } = [];

    /// <summary>Words about the machine that policy may look at, as in `zone: north`.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new SortedDictionary<string, string>();

    /// <summary>Kernel settings, applied after the system's own.</summary>
    public IReadOnlyDictionary<string, string> Sysctls { get; init; } = new SortedDictionary<string, string>();

    internal static MachineSection Read(Section section) => new()
    {
        Type = section.Required("type", Formats.MachineType),
        HostName = section.Required("hostname", Formats.HostName),
        Network = section.Subsection("network", NetworkSection.Read) ?? new NetworkSection(),
        CertificateNames = section.List("certSANs", Formats.HostOrAddress),
        Labels = section.Map("labels", Formats.LabelName, Formats.LabelValue),
        Sysctls = section.Map("sysctls", Formats.Sysctl, Formats.SysctlValue),
    };

    internal void Write(YamlWriter writer)
    {
        writer.Field("type", Type == MachineType.Controlplane ? "controlplane" : "worker");
        writer.Field("hostname", HostName);
        if (Network.IsGiven) writer.Section("network", Network.Write);
        writer.List("certSANs", CertificateNames);
        writer.Map("labels", Labels);
        writer.Map("sysctls", Sysctls);
    }
}
