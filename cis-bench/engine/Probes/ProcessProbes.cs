using System.Globalization;

namespace Talos.Checks.Probes;

sealed record ProcessEntry(int Id, IReadOnlyList<string> Command, IReadOnlyDictionary<string, string> Status)
{
    public string Name => Path.GetFileName(Command[0]);
}

/// <summary>The programs that run: /proc/PID/cmdline and /proc/PID/status. Kernel threads have no command and are left out.</summary>
sealed class ProcessTable
{
    // LIMIT: ARG_MAX is 2 MB in practice.
    const int MaxCommand = 4 << 20;

    public IReadOnlyList<ProcessEntry> Entries { get; private init; } = [];

    public string Trouble { get; private init; } = "";

    public static ProcessTable Read(RootFiles files)
    {
        var state = files.List("/proc", out var names, out var reason);
        if (state != ReadingState.Present) return new() { Trouble = state == ReadingState.Absent ? "/proc is not there" : reason };
        // With hidepid others' processes are not shown; PID 1 is then missing, and nothing that is not seen is known to be absent.
        if (!names.Contains("1")) return new() { Trouble = "/proc does not show every process" };
        var entries = new List<ProcessEntry>();
        foreach (var name in names)
        {
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id)) continue;
            var command = files.ReadText($"/proc/{name}/cmdline", MaxCommand);
            // A process may end while the table is read.
            if (command.State != ReadingState.Present || command.Text.Length == 0) continue;
            var status = files.ReadText($"/proc/{name}/status", 64 << 10);
            entries.Add(new(id, command.Text.TrimEnd('\0').Split('\0'), Fields(status.Text)));
        }
        return new() { Entries = entries };
    }

    static Dictionary<string, string> Fields(string status)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in status.Split('\n'))
            if (line.IndexOf(':') is > 0 and var colon) fields[line[..colon]] = line[(colon + 1)..].Trim().Replace('\t', ' ');
        return fields;
    }
}

static class ProcessProbes
{
    static readonly Dictionary<string, string[]> s_configurations = new(StringComparer.Ordinal)
    {
        ["kubelet"] = ["/var/lib/kubelet/config.yaml", "/etc/kubernetes/kubelet.yaml", "/etc/kubernetes/kubelet-config.yaml"],
        ["kube-proxy"] = ["/var/lib/kube-proxy/config.conf", "/etc/kubernetes/kube-proxy-config.yaml"],
        ["containerd"] = [],
    };

    /// <summary>Whether a program runs.</summary>
    public static Reading Running(FactStore facts, IReadOnlyList<string> arguments)
    {
        var table = facts.Processes;
        if (table.Trouble.Length > 0) return Reading.Unreadable("/proc", table.Trouble);
        var found = table.Entries.Where(e => e.Name == arguments[0]).Select(e => new Fact(e.Id.ToString(CultureInfo.InvariantCulture), Source(e))).ToArray();
        return found.Length > 0 ? Reading.Of(found, "/proc") : Reading.Absent("/proc");
    }

    /// <summary>A field of /proc/PID/status, of every process of a program.</summary>
    public static Reading Status(FactStore facts, IReadOnlyList<string> arguments)
    {
        var table = facts.Processes;
        if (table.Trouble.Length > 0) return Reading.Unreadable("/proc", table.Trouble);
        var found = new List<Fact>();
        foreach (var entry in table.Entries.Where(e => e.Name == arguments[0]))
        {
            if (!entry.Status.TryGetValue(arguments[1], out var value)) return Reading.Unreadable(Source(entry), $"its status has no field `{arguments[1]}`");
            found.Add(new(value, $"/proc/{entry.Id.ToString(CultureInfo.InvariantCulture)}/status"));
        }
        return found.Count > 0 ? Reading.Of(found, "/proc") : Reading.Absent("/proc");
    }

    /// <summary>A command-line flag of a running program or, where it does not run, of its static pod.</summary>
    public static Reading Flag(FactStore facts, IReadOnlyList<string> arguments)
    {
        if (Command(facts, arguments[0], out var source, out var trouble) is not { } command) return Reading.Unreadable(source, trouble);
        return FlagOf(command, arguments[1]) is { } value ? Reading.Of(value, source) : Reading.Absent(source);
    }

    /// <summary>A setting of a program that takes it from a flag or else from its configuration file: `config kubelet FLAG KEY`.</summary>
    public static Reading Config(FactStore facts, IReadOnlyList<string> arguments)
    {
        var (program, flag, key) = (arguments[0], arguments[1], arguments[2]);
        var command = Command(facts, program, out var source, out var trouble);
        if (command is not null && FlagOf(command, flag) is { } value) return Reading.Of(value, source);
        var named = command is null ? null : FlagOf(command, "--config");
        IEnumerable<string> candidates = named is not null ? [named] : s_configurations.GetValueOrDefault(program, []);
        foreach (var path in candidates)
        {
            var file = facts.Yaml(path);
            if (file.State == ReadingState.Absent && named is null) continue;
            if (file.State != ReadingState.Present) return Reading.Unreadable(path, file.State == ReadingState.Absent ? "it is not there" : file.Reason);
            return file.Find(key) is { } found ? Reading.Of(found, $"{path} ({key})") : Reading.Absent(path);
        }
        return command is not null ? Reading.Absent(source) : Reading.Unreadable(source, trouble);
    }

    static IReadOnlyList<string>? Command(FactStore facts, string program, out string source, out string trouble)
    {
        (source, trouble) = (program, "");
        if (facts.IsNode && facts.Processes.Trouble.Length == 0 && facts.Processes.Entries.FirstOrDefault(e => e.Name == program) is { } running)
        {
            source = Source(running);
            return running.Command;
        }
        if (facts.Manifests.Trouble.Length > 0)
        {
            (source, trouble) = (ManifestTable.Folder, facts.Manifests.Trouble);
            return null;
        }
        foreach (var (manifest, command) in facts.Manifests.Containers)
        {
            if (command.Count == 0 || Path.GetFileName(command[0]) != program) continue;
            source = manifest;
            return command;
        }
        trouble = $"`{program}` neither runs nor has a static pod";
        return null;
    }

    // `--flag=value`, `--flag value`, or `--flag` alone, which means true. A flag that is repeated holds its last value.
    static string? FlagOf(IReadOnlyList<string> command, string flag)
    {
        string? value = null;
        var name = flag.TrimStart('-');
        for (var i = 1; i < command.Count; i++)
        {
            if (!command[i].StartsWith('-')) continue;
            var word = command[i].TrimStart('-');
            if (word == name) value = i + 1 < command.Count && !command[i + 1].StartsWith('-') ? command[i + 1] : "true";
            else if (word.Length > name.Length && word[name.Length] == '=' && word.StartsWith(name, StringComparison.Ordinal)) value = word[(name.Length + 1)..];
        }
        return value;
    }

    static string Source(ProcessEntry entry) => $"/proc/{entry.Id.ToString(CultureInfo.InvariantCulture)}/cmdline";
}
