namespace Talos.Checks.Kernel;

/// <summary>Sysctls from the listing that `sysctl -a` prints, or from files in the form of sysctl.conf. The last value of a name holds.</summary>
sealed class SysctlListing
{
    // LIMIT: `sysctl -a` prints 60 kB on a server; one with ten thousand interfaces 30 times that.
    public const int MaxLength = 4 << 20;

    readonly Dictionary<string, KconfigValue> _values = new(1_200, StringComparer.Ordinal);

    public bool TryGet(string name, out KconfigValue value) => _values.TryGetValue(name, out value);

    /// <summary>From kernel.arch; null when the listing does not have it or it is none of the known ones.</summary>
    public string? Architecture { get; private set; }

    public static Parsed<SysctlListing> Parse(string text, string file)
    {
        if (text.Length == 0) return new([new SourceError(file, 1, 1, "the sysctl listing is empty")]);
        var listing = new SysctlListing();
        return listing.Read(text, file) is { } error ? new([error]) : new(listing);
    }

    /// <summary>Adds what a file of /etc/sysctl.d says; a later file wins.</summary>
    public SourceError? Read(string text, string file)
    {
        var number = 0;
        foreach (var raw in new LineReader(text))
        {
            number++;
            var line = raw.Trim();
            if (line.IsEmpty || line[0] is '#' or ';') continue;
            // sysctl.d(5): a leading dash means that a failure to set it is no error.
            if (line[0] == '-') line = line[1..];
            var equals = line.IndexOf('=');
            if (equals < 1 || !IsName(line[..equals])) return new(file, number, 1, $"unexpected line `{raw.Trim()}`", "lines are `name = value`");
            var (name, value) = (line[..equals].Trim().ToString(), line[(equals + 1)..].Trim().ToString());
            if (Architecture is null && name == "kernel.arch") Architecture = ArchitectureOf(value);
            _values[name] = new(value, number);
        }
        return null;
    }

    /// <summary>What uname(2) calls the machine, in the words of the kernel configuration.</summary>
    public static string? ArchitectureOf(string machine)
    {
        if (machine.StartsWith("aarch64", StringComparison.Ordinal) || machine.Contains("armv8", StringComparison.Ordinal)) return "ARM64";
        if (machine.Length > 4 && machine.StartsWith("armv", StringComparison.Ordinal) && machine[4] is >= '3' and <= '7') return "ARM";
        if (machine.StartsWith("riscv32", StringComparison.Ordinal) || machine.Contains("riscv64", StringComparison.Ordinal)) return "RISCV";
        if (machine is ['i', >= '3' and <= '6', '8', '6', ..] || machine.StartsWith("i86", StringComparison.Ordinal)) return "X86_32";
        return machine.StartsWith("x86_64", StringComparison.Ordinal) ? "X86_64" : null;
    }

    static bool IsName(ReadOnlySpan<char> name)
    {
        if (name[^1] == ' ') name = name[..^1];
        foreach (var c in name)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('/' or '*' or '.' or '_' or '-')) return false;
        return !name.IsEmpty;
    }
}
