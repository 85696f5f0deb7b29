using System.Globalization;
using Talos.Checks.Probes;

namespace Talos.Checks;

/// <summary>
/// The facts that change behind a node's back and cost next to nothing to read: see docs/design/compliance.md. A value that cannot be read is kept as
/// such, so that becoming unreadable is a change.
/// </summary>
static class FactSnapshot
{
    // Pods and containers come and go; their mounts are the runtime's business and carry its options.
    static readonly string[] s_podMounts = ["/var/lib/kubelet/pods/", "/run/containerd/", "/run/netns/", "/var/lib/containerd/", "/run/talos/"];

    // ip-sysctl.rst, ip_local_port_range: from here on the kernel hands ports to clients, which come and go.
    const int FirstClientPort = 32_768;

    public static Dictionary<(DriftKind Kind, string Subject), string> Take(
        ProbeRoot root, WatchedFacts watched, TimeProvider time, Func<DriftKind, string, bool> isExpected)
    {
        var facts = new FactStore(root, time);
        var values = new Dictionary<(DriftKind, string), string>();
        foreach (var name in watched.Sysctls.Keys)
            if (Text(KernelProbes.Sysctl(facts, [name])) is { } value) Add(DriftKind.Sysctl, name, value);
        if (facts.Mounts.Trouble.Length > 0) Add(DriftKind.Mount, MountTable.Path, Unreadable(facts.Mounts.Trouble));
        foreach (var mount in facts.Mounts.Entries.Where(m => !Array.Exists(s_podMounts, p => m.Point.StartsWith(p, StringComparison.Ordinal))))
            Add(DriftKind.Mount, mount.Point, $"{mount.Source} {mount.Type} {string.Join(',', mount.Options)}");
        foreach (var path in watched.Paths.Keys) AddModes(facts, path, Add);
        foreach (var module in SecurityProbes.LoadedModules(facts, []).Facts) Add(DriftKind.Module, module.Value, "loaded");
        if (facts.Sockets.Trouble.Length > 0) Add(DriftKind.Port, "/proc/net", Unreadable(facts.Sockets.Trouble));
        foreach (var socket in facts.Sockets.Sockets.Where(s => s.Protocol == "tcp" || s.Address.Port < FirstClientPort))
            Add(DriftKind.Port, $"{socket.Protocol} {socket.Address}", "open");
        return values;

        void Add(DriftKind kind, string subject, string value)
        {
            if (!isExpected(kind, subject)) values[(kind, subject)] = value;
        }
    }

    static void AddModes(FactStore facts, string pattern, Action<DriftKind, string, string> add)
    {
        if (facts.Files.Expand(pattern, out var paths, out _) != ReadingState.Present) return;
        foreach (var path in paths)
            if (facts.Files.Status(path, true, out var status, out _) == ReadingState.Present)
                add(DriftKind.Mode, path,
                    string.Create(CultureInfo.InvariantCulture, $"0{Convert.ToString(status.Permissions, 8).PadLeft(3, '0')} {status.UserId}:{status.GroupId}"));
    }

    static string? Text(Reading reading) => reading.State switch
    {
        ReadingState.Present => reading.Facts[0].Value,
        ReadingState.Absent => null,
        _ => Unreadable(reading.Reason),
    };

    static string Unreadable(string reason) => $"(not readable: {reason})";
}

/// <summary>The sysctls and paths that catalogues ask for, with the checks that do.</summary>
sealed class WatchedFacts
{
    public Dictionary<string, List<string>> Sysctls { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, List<string>> Paths { get; } = new(StringComparer.Ordinal);

    public static WatchedFacts Of(IEnumerable<Check> checks)
    {
        var watched = new WatchedFacts();
        foreach (var check in checks)
            foreach (var fact in check.Rule?.FactRules() ?? [])
            {
                var table = fact.Probe.Name switch
                {
                    "sysctl" => watched.Sysctls,
                    "mode" or "owner" when fact.Arguments[0].StartsWith('/') => watched.Paths,
                    _ => null,
                };
                if (table is null) continue;
                if (!table.TryGetValue(fact.Arguments[0], out var ids)) table.Add(fact.Arguments[0], ids = []);
                if (!ids.Contains(check.Id)) ids.Add(check.Id);
            }
        return watched;
    }

    public IReadOnlyList<string> ChecksOf(DriftKind kind, string subject) => kind switch
    {
        DriftKind.Sysctl => Sysctls.GetValueOrDefault(subject, []),
        DriftKind.Mode => [.. Paths.Where(p => Rules.Glob.Matches(p.Key, subject)).SelectMany(p => p.Value).Distinct()],
        _ => [],
    };
}
