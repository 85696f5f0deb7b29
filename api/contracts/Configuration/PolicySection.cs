namespace Talos.Api.Configuration;

/// <summary>What a machine asks of the policies that are pushed to it, and whom it asks instead of deciding itself.</summary>
public sealed class PolicySection
{
    /// <summary>Public key that must have signed a pushed bundle, PEM; null takes unsigned bundles too.</summary>
    public string? Key { get; init; }

    /// <summary>An OPA server that decides every call; null decides in process.</summary>
    public OpaSection? Opa { get; init; }

    internal bool IsGiven => Key is not null || Opa is not null;

    internal static PolicySection Read(Section section) => new()
    {
        Key = section.Optional<string?>("key", Formats.PublicKeyPem!, null),
        Opa = section.Subsection("opa", OpaSection.Read),
    };

    internal void Write(YamlWriter writer)
    {
        if (Key is not null) writer.Field("key", Key);
        if (Opa is not null) writer.Section("opa", Opa.Write);
    }
}

/// <summary>An OPA server. Whatever goes wrong with it is a deny.</summary>
public sealed class OpaSection
{
    /// <summary>Base address; `http` only on the loopback.</summary>
    public required Uri Url { get; init; }

    /// <summary>How long one answer may take.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Certificates to trust for `https`, PEM; a node trusts no public ones.</summary>
    public string? CaBundle { get; init; }

    internal static OpaSection Read(Section section)
    {
        var opa = new OpaSection
        {
            Url = section.Required("url", Formats.ServerUrl),
            Deadline = section.Optional("deadline", Formats.ShortDuration, TimeSpan.FromMilliseconds(500)),
            CaBundle = section.Optional<string?>("caBundle", Formats.CertificatePem!, null),
        };
        if (opa.Url is { Scheme: "https" } && !section.Has("caBundle"))
            section.Fail("caBundle", $"`https` needs {section.Name("caBundle")}", "a node has no list of public authorities");
        return opa;
    }

    internal void Write(YamlWriter writer)
    {
        writer.Field("url", Url.ToString());
        writer.Field("deadline", Formats.Write(Deadline));
        if (CaBundle is not null) writer.Field("caBundle", CaBundle);
    }
}
