namespace Talos.Api.Configuration;

/// <summary>Revocation lists for verifiers outside the cluster. trustd writes them into its state folder, to be copied to a web server, or serves them itself.</summary>
public sealed class RevocationListSection
{
    // LIMIT: what the certificate library allows.
    const uint MostShards = 4096;

    /// <summary>The `http` address that certificates name; below it lies a folder for each authority.</summary>
    public required string Url { get; init; }

    /// <summary>Into how many lists an authority's revocations are split, 1 to 4096.</summary>
    public uint Shards { get; init; } = 1;

    /// <summary>Where trustd itself serves the lists, over plain HTTP under the path of <see cref="Url"/>; null when it does not.</summary>
    public Endpoint? Listen { get; init; }

    internal static RevocationListSection Read(Section section)
    {
        var lists = new RevocationListSection
        {
            Url = section.Required("url", Formats.ListUrl),
            Shards = section.Optional("shards", Formats.Count, 1u),
            Listen = section.Optional("listen", Formats.Endpoint, null!),
        };
        if (lists.Shards > MostShards) section.Fail("shards", $"{section.Name("shards")} is at most {MostShards}");
        return lists;
    }

    internal void Write(YamlWriter writer)
    {
        writer.Field("url", Url);
        writer.Field("shards", Shards);
        if (Listen is not null) writer.Field("listen", Listen.ToString());
    }
}
