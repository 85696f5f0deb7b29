using System.Text;

namespace Talos.Checks.Probes;

sealed record MountEntry(string Point, string Type, string Source, IReadOnlyList<string> Options);

/// <summary>
/// /proc/self/mountinfo, proc_pid_mountinfo(5): `id parent major:minor root point options optional… - type source super-options`.
/// </summary>
sealed class MountTable
{
    // LIMIT: a node with a thousand pods has 1 MB.
    const int MaxText = 8 << 20;

    public const string Path = "/proc/self/mountinfo";

    public IReadOnlyList<MountEntry> Entries { get; private set; } = [];

    public string Trouble { get; private set; } = "";

    public static MountTable Read(RootFiles files)
    {
        var read = files.ReadText(Path, MaxText);
        return read.State == ReadingState.Present
            ? Parse(read.Text)
            : new() { Trouble = read.State == ReadingState.Absent ? "it is not there" : read.Reason };
    }

    /// <summary>The mount that is seen at a point: the last one on it.</summary>
    public MountEntry? At(string point) => Entries.LastOrDefault(e => e.Point == point);

    public static MountTable Parse(string text)
    {
        var entries = new List<MountEntry>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = line.Split(' ');
            var dash = Array.IndexOf(fields, "-");
            if (dash < 6 || fields.Length < dash + 4) return new() { Trouble = $"unexpected line `{line}`" };
            entries.Add(new(Unescape(fields[4]), fields[dash + 1], Unescape(fields[dash + 2]), [.. fields[5].Split(','), .. fields[dash + 3].Split(',')]));
        }
        return new() { Entries = entries };
    }

    // Blank, tab, newline and backslash are written as octal escapes.
    static string Unescape(string text)
    {
        if (!text.Contains('\\')) return text;
        var result = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                result.Append((char)Convert.ToInt32(text.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                result.Append(text[i]);
            }
        }
        return result.ToString();
    }
}

static class MountProbes
{
    public static Reading Options(FactStore facts, IReadOnlyList<string> arguments) => Of(facts, arguments[0], m => string.Join(',', m.Options));

    public static Reading Type(FactStore facts, IReadOnlyList<string> arguments) => Of(facts, arguments[0], m => m.Type);

    public static Reading Source(FactStore facts, IReadOnlyList<string> arguments) => Of(facts, arguments[0], m => m.Source);

    /// <summary>Mount points that have a trait.</summary>
    public static Reading Points(FactStore facts, IReadOnlyList<string> arguments)
    {
        var mounts = facts.Mounts;
        if (mounts.Trouble.Length > 0) return Reading.Unreadable(MountTable.Path, mounts.Trouble);
        Func<MountEntry, bool> trait = arguments[0] switch
        {
            // Kernel interfaces are writable by design and hold no files of ours.
            "writable-executable" => m => m.Options.Contains("rw") && !m.Options.Contains("noexec") && !IsKernelView(m.Type),
            "writable-suid" => m => m.Options.Contains("rw") && !m.Options.Contains("nosuid") && !IsKernelView(m.Type),
            "writable-devices" => m => m.Options.Contains("rw") && !m.Options.Contains("nodev") && m.Type is not ("devtmpfs" or "devpts") && !IsKernelView(m.Type),
            "network" => m => m.Type is "nfs" or "nfs4" or "cifs" or "smb3" or "9p" or "fuse.sshfs",
            "removable" => m => m.Type is "vfat" or "iso9660" or "udf" or "exfat" or "ntfs3",
            _ => throw new InvalidOperationException($"no list of mounts `{arguments[0]}`"),
        };
        return Reading.Of([.. mounts.Entries.Where(trait).Select(m => new Fact(m.Point, $"{m.Point} ({m.Type}, {string.Join(',', m.Options)})"))], MountTable.Path);
    }

    static bool IsKernelView(string type) =>
        type is "proc" or "sysfs" or "securityfs" or "cgroup" or "cgroup2" or "pstore" or "efivarfs" or "bpf" or "mqueue" or "hugetlbfs" or "debugfs" or "tracefs" or "configfs" or "nsfs"
            or "binfmt_misc" or "selinuxfs" or "fusectl" or "rpc_pipefs" or "devpts";

    static Reading Of(FactStore facts, string point, Func<MountEntry, string> value)
    {
        var mounts = facts.Mounts;
        if (mounts.Trouble.Length > 0) return Reading.Unreadable(MountTable.Path, mounts.Trouble);
        return mounts.At(point) is { } mount ? Reading.Of(value(mount), $"{MountTable.Path} ({point})") : Reading.Absent(MountTable.Path);
    }
}
