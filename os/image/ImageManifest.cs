using System.Text.Json;
using System.Text.Json.Serialization;

namespace Talos.Image;

/// <summary>A file of the image and its digest.</summary>
sealed record ImageFile(string Name, long SizeBytes, string Sha256);

/// <summary>What an image is: `manifest.json`. Two builds of one source differ in nothing here.</summary>
sealed record ImageManifest
{
    public required string Version { get; init; }

    /// <summary>The kernel's release, from its configuration.</summary>
    public required string KernelRelease { get; init; }

    /// <summary>The whole command line that the kernel must be started with.</summary>
    public required string CommandLine { get; init; }

    /// <summary>What dm-verity checks every block against.</summary>
    public required string RootHash { get; init; }

    public required IReadOnlyList<ImageFile> Files { get; init; }

    /// <summary>Every path of the root file system. All belong to root.</summary>
    public required IReadOnlyList<RootTreeEntry> Tree { get; init; }

    [JsonIgnore]
    public long TotalBytes => Files.Sum(file => file.SizeBytes);

    internal string ToJson() => JsonSerializer.Serialize(this, ImageManifestContext.Default.ImageManifest) + "\n";

    /// <exception cref="ImageException">The text is not a manifest.</exception>
    internal static ImageManifest Parse(string json, string path)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ImageManifestContext.Default.ImageManifest) ?? throw new ImageException($"`{path}` is empty");
        }
        catch (JsonException exception)
        {
            throw new ImageException($"`{path}` is not a manifest: {exception.Message}");
        }
    }
}

[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ImageManifest))]
sealed partial class ImageManifestContext : JsonSerializerContext;
