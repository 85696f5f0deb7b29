using System.Reflection;
using System.Runtime.InteropServices;

namespace Talos.Osctl;

/// <summary>Which osctl this is.</summary>
static class Release
{
    public static string Tag { get; } = "v" + Informational.Split('+')[0];

    /// <summary>Source revision; `unknown` outside a repository.</summary>
    public static string Sha { get; } = Informational.Split('+') is [_, var sha] ? sha : "unknown";

    public static string Platform { get; } = $"linux/{RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.Arm64 => "arm64",
        var other => other.ToString().ToLowerInvariant(),
    }}";

    static string Informational =>
        typeof(Release).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
}
