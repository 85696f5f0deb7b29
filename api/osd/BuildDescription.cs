using System.Reflection;
using System.Runtime.InteropServices;
using Talos.Api.Machine.V1;

namespace Talos.Osd;

/// <summary>What this executable was built from. Everything about the machine comes from machined.</summary>
sealed class BuildDescription
{
    /// <summary>The release as `v0.1.0`, and the revision behind the plus sign of the informational version.</summary>
    public static BuildDescription Own { get; } = Parse(
        typeof(BuildDescription).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "");

    BuildDescription(string tag, string sha)
    {
        Tag = tag;
        Sha = sha;
    }

    public string Tag { get; }

    public string Sha { get; }

    public static BuildDescription Parse(string informationalVersion)
    {
        var plus = informationalVersion.IndexOf('+', StringComparison.Ordinal);
        return plus < 0
            ? new BuildDescription($"v{informationalVersion}", "")
            : new BuildDescription($"v{informationalVersion[..plus]}", informationalVersion[(plus + 1)..]);
    }

    public void Describe(VersionResponse response)
    {
        response.Tag = Tag;
        response.Sha = Sha;
        response.Platform = $"linux/{(RuntimeInformation.ProcessArchitecture == Architecture.X64 ? "amd64" : "arm64")}";
        response.Runtime = RuntimeInformation.FrameworkDescription;
    }
}
