namespace Talos.Linux.Kernel;

/// <summary>One kernel setting, <c>net.ipv4.ip_forward</c> = <c>1</c>.</summary>
public sealed record SysctlSetting(string Name, string Value, int Line);

/// <summary>Reads sysctl.conf(5) and writes settings under /proc/sys.</summary>
public static class Sysctl
{
    // LIMIT: a settings file of 64 KiB holds over a thousand lines; ours have some forty.
    const int FileBytesMaximum = 64 << 10;
    // LIMIT: the kernel's own handlers take at most one page.
    const int ValueCharactersMaximum = 1024;

    public static IReadOnlyList<SysctlSetting> ReadFile(string path) => Parse(ProcFile.ReadText(path, FileBytesMaximum), path);

    /// <exception cref="FormatException">With file and line.</exception>
    public static IReadOnlyList<SysctlSetting> Parse(string text, string fileName)
    {
        var settings = new List<SysctlSetting>();
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.Trim();
            if (line.Length == 0 || line[0] is '#' or ';')
                continue;
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? "" : line[..equals].Trim();
            if (!IsName(name))
                throw new FormatException($"{fileName}:{number}: expected `name = value`, found `{line}`");
            settings.Add(new SysctlSetting(name, line[(equals + 1)..].Trim(), number));
        }
        return settings;
    }

    /// <summary>True for dotted names that cannot leave /proc/sys.</summary>
    public static bool IsName(string name)
    {
        if (name.Length is 0 or > 200)
            return false;
        foreach (var part in name.Split('.'))
        {
            if (part.Length == 0)
                return false;
            foreach (var c in part)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'))
                    return false;
            }
        }
        return true;
    }

    /// <summary>Writes one setting.</summary>
    /// <returns>Null, or one sentence that says why the kernel does not have it now.</returns>
    public static string? TryWrite(string name, string value)
    {
        if (!IsName(name))
            return $"`{name}` is no sysctl name";
        if (value.Length > ValueCharactersMaximum || value.Contains('\n'))
            return $"the value of `{name}` is longer than {ValueCharactersMaximum} characters or has several lines";
        var paths = PathsOf(name, "/proc/sys");
        if (!File.Exists(paths[0]))
            return $"this kernel has no setting `{name}`";
        foreach (var path in paths)
        {
            try
            {
                using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                file.Write(System.Text.Encoding.ASCII.GetBytes(value + "\n"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return $"the kernel refuses `{value}` for `{path}`";
            }
        }
        return null;
    }

    /// <summary>
    /// The file of a setting, and for a default of network links those of the links that are there: IPv6 takes a default for links to come alone, and obeys
    /// neither it nor `all` on a link that was there before (Documentation/networking/ip-sysctl.rst, `conf/default`).
    /// </summary>
    internal static IReadOnlyList<string> PathsOf(string name, string root)
    {
        var path = Path.Combine(root, name.Replace('.', '/'));
        const string Default = "/conf/default/";
        var at = path.IndexOf(Default, StringComparison.Ordinal);
        if (at < 0 || !name.StartsWith("net.", StringComparison.Ordinal))
            return [path];
        var links = path[..(at + "/conf".Length)];
        if (!Directory.Exists(links))
            return [path];
        var own = Directory.EnumerateDirectories(links).Where(link => Path.GetFileName(link) is not ("all" or "default"));
        return [path, .. own.Select(link => Path.Combine(link, path[(at + Default.Length)..])).Where(File.Exists).Order(StringComparer.Ordinal)];
    }
}
