using Talos.Checks.Probes;

namespace Talos.Checks.Kernel;

/// <summary>The release in a configuration's heading (`# Linux/x86 6.12.48 Kernel Configuration`) or in /proc/version.</summary>
static class KernelRelease
{
    public static bool IsReleaseLine(ReadOnlySpan<char> line)
    {
        const string heading = " Kernel Configuration";
        if (line.StartsWith("# Linux/")) return line.EndsWith(heading) && line.Length > "# Linux/".Length + heading.Length;
        return line.StartsWith("Linux version ") && line.Length > "Linux version ".Length;
    }

    /// <summary>The first release line of a text.</summary>
    public static bool TryFind(string text, out KernelVersion version, out string trouble)
    {
        foreach (var line in new LineReader(text))
            if (IsReleaseLine(line)) return TryParse(line, out version, out trouble);
        version = default;
        trouble = "the text names no kernel release";
        return false;
    }

    public static bool TryParse(ReadOnlySpan<char> line, out KernelVersion version, out string trouble)
    {
        var words = line.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var release = words.Length > 2 ? words[2] : "";
        trouble = KernelVersion.TryParse(release, out version) ? "" : $"the release `{release}` has no three numbers";
        return trouble.Length == 0;
    }
}
