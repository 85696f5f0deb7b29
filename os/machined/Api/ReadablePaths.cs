using System.Globalization;

namespace Talos.Machined.Api;

/// <summary>What List and Read give out. Everything is refused that no row allows; a refusal wins over an allowance.</summary>
static class ReadablePaths
{
    // LIMIT: PATH_MAX.
    const int PathCharactersMaximum = 4096;

    /// <summary>Trees whose files may be read.</summary>
    static readonly string[] Readable = ["/etc", "/proc", "/sys", "/run/log/talos", "/run/resolv.conf"];

    /// <summary>Trees that nobody sees, and why.</summary>
    static readonly (string Path, string Reason)[] Secret =
    [
        ("/state/osd", "it holds the node's key"),
        ("/state/trustd", "it holds the key of the certificate authority"),
        ("/state/machined", "it belongs to machined alone"),
        ("/run/talos", "it holds tokens"),
        ("/sys/firmware/qemu_fw_cfg", "it holds the machine configuration with its tokens"),
        ("/proc/cmdline", "it may hold the machine configuration with its tokens"),
        ("/proc/kcore", "it is the memory of the machine"),
        ("/proc/kmsg", "reading takes messages away from others"),
        ("/proc/keys", "it lists keys"),
        ("/dev", "it is the machine's hardware"),
    ];

    /// <summary>What there is to know of a process without looking into it.</summary>
    static readonly string[] ProcessFiles = ["cgroup", "cmdline", "comm", "limits", "mountinfo", "mounts", "stat", "statm", "status"];

    /// <summary>Null when the path may be listed, or one sentence.</summary>
    internal static string? RefuseToList(string path) => Malformed(path) ?? RefuseSecret(path);

    /// <summary>Null when the file may be read, or one sentence.</summary>
    internal static string? RefuseToRead(string path)
    {
        if ((Malformed(path) ?? RefuseSecret(path)) is { } refusal)
            return refusal;
        return Array.Exists(Readable, root => IsUnder(path, root)) ? null : $"`{path}` is outside of {string.Join(", ", Readable)}";
    }

    static string? Malformed(string path)
    {
        if (path.Length is 0 or > PathCharactersMaximum || path[0] != '/' || path.Contains('\0'))
            return $"`{path}` is no absolute path";
        var parts = path.Split('/');
        return parts.Contains("..") || parts.Contains(".") ? $"`{path}` has `.` or `..`" : null;
    }

    static string? RefuseSecret(string path)
    {
        var plain = Normalise(path);
        foreach (var (secret, reason) in Secret)
        {
            if (IsUnder(plain, secret))
                return $"`{path}` is not given out: {reason}";
        }
        // /proc/PID/FILE, and below it
        var parts = plain.Split('/');
        var isInProcess = parts.Length > 3 && parts[1] == "proc" && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out _);
        return isInProcess && !(parts.Length == 4 && ProcessFiles.Contains(parts[3])) ? $"`{path}` is not given out: it looks into a process" : null;
    }

    /// <summary>The path without doubled and trailing separators.</summary>
    internal static string Normalise(string path) => "/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries));

    static bool IsUnder(string path, string root)
    {
        var plain = Normalise(path);
        return plain == root || plain.StartsWith(root + "/", StringComparison.Ordinal);
    }
}
