using System.Diagnostics;
using Xunit;

namespace Talos.Tidy.Tests;

/// <summary>The files that git knows of, so that build output never counts.</summary>
static class Repository
{
    static readonly Lazy<IReadOnlyList<string>> Tracked = new(ListTracked);

    public static string Root { get; } = FindRoot();

    public static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    public static IReadOnlyList<string> Files(string pattern)
    {
        var suffix = pattern.TrimStart('*');
        return [.. Tracked.Value.Where(f => f.EndsWith(suffix, StringComparison.Ordinal)).Select(f => Path.Combine(Root, f)).Where(File.Exists)];
    }

    static IReadOnlyList<string> ListTracked()
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
        })!;
        var output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
        return output.Split('\0', StringSplitOptions.RemoveEmptyEntries);
    }

    static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Talos.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Talos.sln is in no folder above the tests");
    }
}
