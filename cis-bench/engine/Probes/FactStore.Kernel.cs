using Talos.Checks.Kernel;

namespace Talos.Checks.Probes;

/// <summary>A file that the kernel probes read, parsed; or why it could not be. Absent when nobody has such a file.</summary>
sealed record Parsable<T>(T? Value, string Source, string Reason, SourceError? Error = null) where T : class;

sealed partial class FactStore
{
    Parsable<KernelConfig>? _kconfig;
    Parsable<KernelCommandLine>? _commandLine;
    Parsable<SysctlListing>? _sysctl;

    public Parsable<KernelConfig> Kconfig => _kconfig ??= ReadKconfig();

    public Parsable<KernelCommandLine> CommandLine => _commandLine ??= ReadCommandLine();

    /// <summary>The listing, where one was given or the target is a tree; on a running machine /proc/sys is read instead.</summary>
    public Parsable<SysctlListing> Sysctls => _sysctl ??= ReadSysctls();

    public bool HasLiveSysctls => IsNode && root.Kernel.Sysctl is null;

    /// <summary>X86_64, X86_32, ARM64, ARM, RISCV; null when nothing says which.</summary>
    public string? Architecture(out string source, out string reason)
    {
        (source, reason) = (Kconfig.Source, "");
        if (Kconfig.Value is { } config)
        {
            reason = config.ArchitectureTrouble;
            return config.Architecture;
        }
        if (HasLiveSysctls)
        {
            source = "/proc/sys/kernel/arch";
            var read = Files.ReadText(source, 256);
            if (read.State == ReadingState.Present && SysctlListing.ArchitectureOf(read.Text.Trim()) is { } running) return running;
        }
        else if (Sysctls.Value?.Architecture is { } listed)
        {
            source = Sysctls.Source;
            return listed;
        }
        if (reason.Length == 0) reason = "nothing that was read names the architecture";
        return null;
    }

    public KernelVersion? Version(out string source, out string reason)
    {
        var text = root.Kernel.Version is { } file ? RootFiles.ReadHostText(file, 4_096) : IsNode ? Files.ReadText("/proc/version", 4_096) : TextRead.Absent;
        source = root.Kernel.Version ?? "/proc/version";
        if (text.State == ReadingState.Present)
            return KernelRelease.TryFind(text.Text, out var running, out reason) ? running : null;
        source = Kconfig.Source;
        reason = Kconfig.Value?.VersionTrouble ?? Kconfig.Reason;
        return Kconfig.Value?.Version;
    }

    public KernelSummary Summary()
    {
        var errors = new List<SourceError>();
        Note(Kconfig, root.Kernel.Kconfig);
        Note(CommandLine, root.Kernel.CommandLine);
        if (!HasLiveSysctls) Note(Sysctls, root.Kernel.Sysctl);
        var architecture = Architecture(out _, out var architectureTrouble);
        var version = Version(out _, out var versionTrouble);
        return new(architecture, architectureTrouble, version?.ToString(), versionTrouble, Kconfig.Value?.Compiler ?? "", errors);

        // A file that the caller named must be usable; one that was only looked for may be missing.
        void Note<T>(Parsable<T> file, string? given) where T : class
        {
            if (file.Value is not null) return;
            if (file.Error is not null) errors.Add(file.Error);
            else if (given is not null) errors.Add(new(given, 1, 1, file.Reason));
        }
    }

    Parsable<KernelConfig> ReadKconfig()
    {
        if (root.Kernel.Kconfig is { } given) return Parse(given, RootFiles.ReadHostText(given, KernelConfig.MaxLength), KernelConfig.Parse);
        if (!IsNode) return new(null, "kernel configuration", "no kernel configuration was given");
        const string packed = "/proc/config.gz";
        var read = Files.ReadText(packed, KernelConfig.MaxLength);
        if (read.State != ReadingState.Absent) return Parse(packed, read, KernelConfig.Parse);
        var release = Files.ReadText("/proc/sys/kernel/osrelease", 256);
        if (release.State != ReadingState.Present) return new(null, packed, "the kernel does not show its configuration");
        var installed = $"/boot/config-{release.Text.Trim()}";
        read = Files.ReadText(installed, KernelConfig.MaxLength);
        return read.State == ReadingState.Absent
            ? new(null, packed, $"neither {packed} nor {installed} is there")
            : Parse(installed, read, KernelConfig.Parse);
    }

    Parsable<KernelCommandLine> ReadCommandLine()
    {
        if (root.Kernel.CommandLine is { } given)
            return Parse(given, RootFiles.ReadHostText(given, KernelCommandLine.MaxLength), KernelCommandLine.Parse);
        const string path = "/proc/cmdline";
        return IsNode
            ? Parse(path, Files.ReadText(path, KernelCommandLine.MaxLength), KernelCommandLine.Parse)
            : new(null, "kernel command line", "no kernel command line was given");
    }

    Parsable<SysctlListing> ReadSysctls()
    {
        if (root.Kernel.Sysctl is { } given) return Parse(given, RootFiles.ReadHostText(given, SysctlListing.MaxLength), SysctlListing.Parse);
        if (root.Target != ScanTargets.Image) return new(null, "sysctl listing", "no sysctl listing was given");
        return ReadSysctlTree();
    }

    // sysctl.d(5): a file in /etc hides one of the same name in /usr/lib; files are applied in the order of their names; sysctl.conf comes last.
    Parsable<SysctlListing> ReadSysctlTree()
    {
        var listing = new SysctlListing();
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var directory in (string[])["/usr/lib/sysctl.d", "/lib/sysctl.d", "/etc/sysctl.d"])
        {
            var state = Files.List(directory, out var names, out var reason);
            if (state == ReadingState.Unreadable) return new(null, directory, reason);
            foreach (var name in names.Where(n => n.EndsWith(".conf", StringComparison.Ordinal))) files[name] = $"{directory}/{name}";
        }
        foreach (var path in files.Values.Append("/etc/sysctl.conf"))
        {
            var read = Files.ReadText(path, SysctlListing.MaxLength);
            if (read.State == ReadingState.Absent) continue;
            if (read.State == ReadingState.Unreadable) return new(null, path, read.Reason);
            if (listing.Read(read.Text, path) is { } error) return new(null, path, error.Message);
        }
        return new(listing, "/etc/sysctl.d", "");
    }

    static Parsable<T> Parse<T>(string source, TextRead read, Func<string, string, Parsed<T>> parse) where T : class
    {
        if (read.State == ReadingState.Absent) return new(null, source, "it is not there");
        if (read.State == ReadingState.Unreadable) return new(null, source, read.Reason);
        var parsed = parse(read.Text, source);
        return parsed.Value is not null
            ? new(parsed.Value, source, "")
            : new(null, source, $"line {parsed.Errors[0].Line}: {parsed.Errors[0].Message}", parsed.Errors[0]);
    }
}
