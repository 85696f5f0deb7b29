namespace Talos.Api.Configuration;

/// <summary>Revocation lists for verifiers outside the cluster. trustd writes them into its state folder; whoever wants them served copies them from there.</summary>
public sealed class RevocationListSection
{
    // LIMIT: what the certificate library allows.
    const uint MostShards = 4096;

    /// <summary>The `http` address that certificates name; below it lies a folder for each authority.</summary>
    public required string Url { get; init; }

    /// <summary>Into how many lists an authority's revocations are split, 1 to 4096.</summary>
    public uint Shards { get; init; } = 1;

    internal static RevocationListSection Read(Section section)
    {
        var lists = new RevocationListSection { Url = section.Required("url", Formats.ListUrl), Shards = section.Optional("shards", Formats.Count, 1u) };
        if (lists.Shards > MostShards) section.Fail("shards", $"{section.Name("shards")} is at most {MostShards}");
        return lists;
    }

    internal void Write(YamlWriter writer)
    {
        writer.Field("url", Url);
        writer.Field("shards", Shards);
    }
}
