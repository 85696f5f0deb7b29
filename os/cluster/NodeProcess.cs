using System.Diagnostics;
using System.Globalization;

namespace Talos.Cluster;

/// <summary>
/// A process that this cluster started, told from another that got its number later by the time at which it started. Only such a process is
/// ever signalled.
/// </summary>
/// <param name="Id">Process id.</param>
/// <param name="StartTicks">Field 22 of proc(5) stat: clock ticks since the machine's start.</param>
/// <param name="BootId">The machine's start; after a restart no process of before is left.</param>
public sealed record NodeProcess(int Id, long StartTicks, string BootId)
{
    /// <summary>The process with this number, or null when there is none.</summary>
    internal static NodeProcess? Find(int id) => ReadStart(id) is { } ticks ? new NodeProcess(id, ticks, ReadBootId()) : null;

    /// <summary>Whether it runs; a process that ended and waits for its parent does not.</summary>
    public bool IsAlive => BootId == ReadBootId() && ReadStart(Id) == StartTicks;

    /// <summary>Asks it to end, and after <paramref name="grace"/> kills it and what it started.</summary>
    public async Task StopAsync(TimeSpan grace, TimeProvider time, CancellationToken cancellation)
    {
        // Taken before, since children of a process that ended belong to another parent.
        var family = Descendants().Prepend(this).ToArray();
        if (IsAlive) Signal("TERM");
        var deadline = time.GetUtcNow() + grace;
        while (family.Any(p => p.IsAlive) && time.GetUtcNow() < deadline) await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellation);
        foreach (var process in family) process.Kill();
    }

    /// <summary>Ends it at once, as a loss of power would.</summary>
    public void Kill()
    {
        if (IsAlive) Signal("KILL");
    }

    /// <summary>It and everything below it, at once.</summary>
    public void KillFamily()
    {
        foreach (var process in Descendants().Prepend(this).ToArray()) process.Kill();
    }

    void Signal(string name)
    {
        using var kill = Process.Start(new ProcessStartInfo("kill", [$"-{name}", Id.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardError = true })
            ?? throw new ClusterException("the program `kill` cannot be started");
        kill.WaitForExit();
    }

    List<NodeProcess> Descendants()
    {
        var children = new Dictionary<int, List<int>>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && ReadStat(id) is [_, var parent, ..] && int.TryParse(parent, out var ppid))
                (children.TryGetValue(ppid, out var list) ? list : children[ppid] = []).Add(id);
        }
        var found = new List<NodeProcess>();
        var open = new Queue<int>([Id]);
        while (open.TryDequeue(out var next))
        {
            foreach (var child in children.GetValueOrDefault(next) ?? [])
            {
                if (Find(child) is { } process) found.Add(process);
                open.Enqueue(child);
            }
        }
        return found;
    }

    static long? ReadStart(int id) =>
        ReadStat(id) is { Length: > 19 } fields && fields[0] is not ("Z" or "X") && long.TryParse(fields[19], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) ? ticks : null;

    // proc(5): the command, in parentheses, may hold blanks and parentheses itself; what follows the last one starts with field 3.
    static string[]? ReadStat(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id.ToString(CultureInfo.InvariantCulture)}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            // It ended meanwhile.
            return null;
        }
    }

    static string ReadBootId() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
}
