using System.Buffers;
using Talos.Checks.Probes;

namespace Talos.Checks.Kernel;

readonly record struct KconfigValue(string Value, int Line);

/// <summary>
/// A kernel's `.config`: options without their CONFIG_ prefix, with what its text says of architecture, release and compiler.
/// A disabled option has the value `is not set`, which is not the same as an option that the file does not name.
/// </summary>
sealed class KernelConfig
{
    // LIMIT: an allmodconfig of Linux 6.17 has 0.5 MB; eight times that bounds what a crafted archive can unpack to.
    public const int MaxLength = 4 << 20;

    public const string NotSet = "is not set";

    static readonly string[] s_architectures = ["X86_64", "X86_32", "ARM64", "ARM", "RISCV"];

    static readonly SearchValues<char> s_optionCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    readonly Dictionary<string, KconfigValue> _options = new(12_000, StringComparer.Ordinal);

    /// <summary>X86_64, X86_32, ARM64, ARM or RISCV; null with <see cref="ArchitectureTrouble"/> when not exactly one is enabled.</summary>
    public string? Architecture { get; private set; }

    public string ArchitectureTrouble { get; private set; } = "";

    public KernelVersion? Version { get; private set; }

    public string VersionTrouble { get; private set; } = "the configuration names no kernel release";

    /// <summary>`GCC 140200` or `CLANG 190103`; empty when the file does not say.</summary>
    public string Compiler { get; private set; } = "";

    public int Count => _options.Count;

    public bool TryGet(string option, out KconfigValue value) => _options.TryGetValue(option, out value);

    public static Parsed<KernelConfig> Parse(string text, string file)
    {
        var config = new KernelConfig();
        var number = 0;
        foreach (var raw in new LineReader(text))
        {
            number++;
            config.NoteArchitecture(raw);
            config.NoteVersion(raw);
            if (config.ReadLine(raw.Trim(), number) is { } trouble) return new([new SourceError(file, number, 1, trouble)]);
        }
        if (config.Architecture is null && config.ArchitectureTrouble.Length == 0)
            config.ArchitectureTrouble = "the configuration enables none of the known architectures";
        return config.NoteCompiler() is { } wrong ? new([new SourceError(file, number, 1, wrong)]) : new(config);
    }

    string? ReadLine(ReadOnlySpan<char> line, int number)
    {
        if (line.IsEmpty) return null;
        if (line[0] == '#') return ReadDisabled(line, number);
        var equals = line.IndexOf('=');
        if (!line.StartsWith("CONFIG_") || equals < 8 || !IsName(line[7..equals])) return $"unexpected line `{line}`";
        var value = line[(equals + 1)..];
        return value is NotSet ? $"an enabled option cannot have the value of a disabled one: `{line}`" : Add(line[7..equals], value is "y" ? "y" : value is "m" ? "m" : value.ToString(), number);
    }

    string? ReadDisabled(ReadOnlySpan<char> line, int number)
    {
        if (!line.StartsWith("# CONFIG_") || !line.EndsWith(" is not set")) return null;
        // `# CONFIG_X is not set` overlaps with itself when the name is empty.
        if (line.Length <= "# CONFIG_ is not set".Length) return null;
        var name = line["# CONFIG_".Length..^" is not set".Length];
        return IsName(name) ? Add(name, NotSet, number) : null;
    }

    string? Add(ReadOnlySpan<char> name, string value, int number) =>
        _options.TryAdd(name.ToString(), new(value, number)) ? null : $"`CONFIG_{name}` is given twice";

    // The raw line is searched, not the parsed options: the architecture is then known also where the option stands in a comment.
    void NoteArchitecture(ReadOnlySpan<char> line)
    {
        if (!line.EndsWith("=y")) return;
        // The name is the longest that ends here: `# CONFIG_a CONFIG_ARM=y` names ARM.
        var word = line[(line[..^2].LastIndexOfAnyExcept(s_optionCharacters) + 1)..^2];
        var start = word.IndexOf("CONFIG_");
        if (start < 0) return;
        var name = word[(start + 7)..];
        if (ArchitectureNamed(name) is not { } architecture) return;
        if (Architecture is null && ArchitectureTrouble.Length == 0) Architecture = architecture;
        else
        {
            Architecture = null;
            ArchitectureTrouble = "the configuration enables more than one architecture";
        }
    }

    void NoteVersion(ReadOnlySpan<char> line)
    {
        if (Version is not null || VersionTrouble.StartsWith("the release", StringComparison.Ordinal)) return;
        if (!KernelRelease.IsReleaseLine(line)) return;
        if (KernelRelease.TryParse(line, out var version, out var trouble)) Version = version;
        else VersionTrouble = trouble;
    }

    string? NoteCompiler()
    {
        if (!TryGet("GCC_VERSION", out var gcc) || !TryGet("CLANG_VERSION", out var clang)) return null;
        if (gcc.Value == "0" == (clang.Value == "0")) return $"CONFIG_GCC_VERSION `{gcc.Value}` and CONFIG_CLANG_VERSION `{clang.Value}` cannot both hold";
        Compiler = gcc.Value == "0" ? $"CLANG {clang.Value}" : $"GCC {gcc.Value}";
        return null;
    }

    static string? ArchitectureNamed(ReadOnlySpan<char> name)
    {
        foreach (var architecture in s_architectures)
            if (name.SequenceEqual(architecture)) return architecture;
        return null;
    }

    static bool IsName(ReadOnlySpan<char> name)
    {
        foreach (var c in name)
            if (!char.IsAsciiLetterOrDigit(c) && c != '_') return false;
        return !name.IsEmpty;
    }
}
