namespace Talos.Checks.Kernel;

/// <summary>
/// Kernel parameters by name; a later one overrides an earlier one. On and off are written 1 and 0 where the kernel itself reads the parameter
/// as a truth value; parameters that it compares as text keep theirs.
/// </summary>
sealed class KernelCommandLine
{
    // LIMIT: COMMAND_LINE_SIZE is 2048 on x86 and 4096 at most elsewhere.
    public const int MaxLength = 16 << 10;

    // Parameters whose handler compares text instead of calling kstrtobool().
    static readonly HashSet<string> s_textual = new(StringComparer.Ordinal)
    {
        "cfi", "debugfs", "efi", "gather_data_sampling", "hash_pointers", "indirect_target_selection", "intel_iommu", "iommu", "l1tf", "lockdown",
        "mds", "mitigations", "mmio_stale_data", "proc_mem.force_override", "pti", "reg_file_data_sampling", "retbleed", "rodata", "slub_debug",
        "spec_rstack_overflow", "spec_store_bypass_disable", "spectre_bhi", "spectre_v2", "spectre_v2_user", "srbds", "ssbd", "tsa", "tsx",
        "tsx_async_abort", "vdso", "vdso32", "vmscape", "vsyscall",
    };

    readonly Dictionary<string, string> _parameters = new(StringComparer.Ordinal);

    public bool TryGet(string name, out string value)
    {
        var found = _parameters.TryGetValue(name, out var text);
        value = text ?? "";
        return found;
    }

    public static Parsed<KernelCommandLine> Parse(string text, string file)
    {
        var first = text.AsSpan().IndexOfAny('\n', '\r');
        var line = first < 0 ? text : text[..first];
        var rest = first < 0 ? 0 : text.Length - first - (text.AsSpan(first).StartsWith("\r\n") ? 2 : 1);
        if (text.Length == 0) return new([new SourceError(file, 1, 1, "the command line is empty")]);
        if (rest > 0) return new([new SourceError(file, 2, 1, "a command line is one line")]);
        var result = new KernelCommandLine();
        foreach (var word in Words(line))
        {
            var equals = word.IndexOf('=');
            var name = equals < 0 ? word : word[..equals];
            result._parameters[name] = Normal(name, equals < 0 ? "" : word[(equals + 1)..]);
        }
        return new(result);
    }

    // lib/cmdline.c, next_arg(): blanks between double quotes do not separate. The quotes stay in the value.
    static IEnumerable<string> Words(string line)
    {
        var start = -1;
        var quoted = false;
        for (var i = 0; i <= line.Length; i++)
        {
            if (i < line.Length && (quoted || !char.IsWhiteSpace(line[i])))
            {
                if (line[i] == '"') quoted = !quoted;
                if (start < 0) start = i;
                continue;
            }
            if (start >= 0) yield return line[start..i];
            start = -1;
        }
    }

    static string Normal(string name, string value)
    {
        if (s_textual.Contains(name)) return value;
        return value.ToLowerInvariant() switch
        {
            "1" or "on" or "y" or "yes" or "t" or "true" => "1",
            "0" or "off" or "n" or "no" or "f" or "false" => "0",
            _ => value,
        };
    }
}
