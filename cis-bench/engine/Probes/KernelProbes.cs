using System.Globalization;

namespace Talos.Checks.Probes;

static class KernelProbes
{
    public static Reading Kconfig(FactStore facts, IReadOnlyList<string> arguments)
    {
        var file = facts.Kconfig;
        if (file.Value is null) return Reading.Unreadable(file.Source, file.Reason);
        return file.Value.TryGet(arguments[0], out var option)
            ? Reading.Of(option.Value, At(file.Source, option.Line))
            : Reading.Absent(file.Source);
    }

    public static Reading CommandLine(FactStore facts, IReadOnlyList<string> arguments)
    {
        var file = facts.CommandLine;
        if (file.Value is null) return Reading.Unreadable(file.Source, file.Reason);
        return file.Value.TryGet(arguments[0], out var value) ? Reading.Of(value, file.Source) : Reading.Absent(file.Source);
    }

    public static Reading Sysctl(FactStore facts, IReadOnlyList<string> arguments)
    {
        if (facts.HasLiveSysctls) return LiveSysctl(facts.Files, arguments[0]);
        var file = facts.Sysctls;
        if (file.Value is null) return Reading.Unreadable(file.Source, file.Reason);
        return file.Value.TryGet(arguments[0], out var value) ? Reading.Of(value.Value, At(file.Source, value.Line)) : Reading.Absent(file.Source);
    }

    public static Reading Kernel(FactStore facts, IReadOnlyList<string> arguments)
    {
        if (arguments[0] == "arch")
            return facts.Architecture(out var source, out var trouble) is { } architecture
                ? Reading.Of(architecture, source)
                : Reading.Unreadable(source, trouble);
        var file = facts.Kconfig;
        if (file.Value is null) return Reading.Unreadable(file.Source, file.Reason);
        return file.Value.Compiler.Length > 0 ? Reading.Of(file.Value.Compiler, file.Source) : Reading.Absent(file.Source);
    }

    public static Reading Version(FactStore facts, IReadOnlyList<string> arguments) =>
        facts.Version(out var source, out var reason) is { } version
            ? Reading.Of(version.ToString(), source)
            : Reading.Unreadable(source, reason);

    public static string SysctlPath(string name)
    {
        // sysctl(8): dots and slashes swap, so that `net/ipv4/conf/eth0.100/rp_filter` can name an interface with a dot.
        var slash = name.IndexOf('/');
        var dot = name.IndexOf('.');
        return slash >= 0 && (dot < 0 || slash < dot) ? $"/proc/sys/{name}" : $"/proc/sys/{name.Replace('/', '\0').Replace('.', '/').Replace('\0', '.')}";
    }

    static Reading LiveSysctl(RootFiles files, string name)
    {
        var path = SysctlPath(name);
        // LIMIT: the longest sysctl, a CPU bitmap, has a few kB.
        var read = files.ReadText(path, 64 << 10);
        return read.State switch
        {
            ReadingState.Present => Reading.Of(read.Text.Trim(), path),
            ReadingState.Absent => Reading.Absent(path),
            _ => Reading.Unreadable(path, read.Reason),
        };
    }

    static string At(string source, int line) => $"{source}:{line.ToString(CultureInfo.InvariantCulture)}";
}
