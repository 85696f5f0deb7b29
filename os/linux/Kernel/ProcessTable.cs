using System.Globalization;
using System.Text;

namespace Talos.Linux.Kernel;

/// <summary>One process as proc(5) tells it.</summary>
/// <param name="State">One letter: R, S, D, Z, T, I.</param>
/// <param name="VirtualBytes">Address space.</param>
/// <param name="ResidentBytes">Memory in use.</param>
/// <param name="Command">At most 15 characters.</param>
/// <param name="Arguments">Joined by blanks; empty for kernel threads.</param>
public sealed record ProcessEntry(
    int ProcessId, int ParentId, char State, int Threads, TimeSpan CpuTime, ulong VirtualBytes, ulong ResidentBytes, string Command, string Arguments,
    uint User, bool IsKernelThread);

/// <summary>The processes of the machine.</summary>
public static class ProcessTable
{
    // LIMIT: proc_pid_stat(5) has 52 numbers and a 15-character name; 4 KiB hold it several times over.
    const int StatBytesMaximum = 4 << 10;
    // LIMIT: what a reader of a process list wants to see of a command line.
    const int ArgumentsBytesMaximum = 4 << 10;
    // include/linux/sched.h: PF_KTHREAD
    const uint KernelThreadFlag = 0x00200000;
    // USER_HZ, fixed by the x86-64 ABI.
    const long TicksPerSecond = 100;

    /// <summary>All processes, by number. One that ends meanwhile is left out.</summary>
    public static IReadOnlyList<ProcessEntry> Read()
    {
        var processes = new List<ProcessEntry>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && TryRead(pid) is { } process)
                processes.Add(process);
        }
        processes.Sort((a, b) => a.ProcessId.CompareTo(b.ProcessId));
        return processes;
    }

    /// <summary>One process, or null when it is gone.</summary>
    public static ProcessEntry? TryRead(int pid)
    {
        var directory = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}");
        try
        {
            var status = ProcFile.ReadText(directory + "/status", StatBytesMaximum);
            var arguments = ProcFile.ReadBytes(directory + "/cmdline", ArgumentsBytesMaximum);
            return Parse(ProcFile.ReadText(directory + "/stat", StatBytesMaximum), status, arguments);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Null when <paramref name="stat"/> is not of proc_pid_stat(5)'s form.</summary>
    internal static ProcessEntry? Parse(string stat, string status, ReadOnlySpan<byte> commandLine)
    {
        // `PID (NAME) STATE PPID …`: the name may itself hold blanks and parentheses.
        var open = stat.IndexOf('(', StringComparison.Ordinal);
        var close = stat.LastIndexOf(')');
        if (open < 1 || close < open || !int.TryParse(stat.AsSpan(0, open - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            return null;
        var fields = stat[(close + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // fields[0] is proc_pid_stat(5)'s field 3.
        if (fields.Length < 22
            || !TryNumber(fields[1], out var parent)
            || !TryNumber(fields[6], out var flags)
            || !TryNumber(fields[11], out var userTicks)
            || !TryNumber(fields[12], out var systemTicks)
            || !TryNumber(fields[17], out var threads)
            || !TryNumber(fields[20], out var virtualBytes)
            || !TryNumber(fields[21], out var residentPages))
            return null;
        return new ProcessEntry(
            pid,
            (int)parent,
            fields[0][0],
            (int)threads,
            TimeSpan.FromTicks((long)(userTicks + systemTicks) * (TimeSpan.TicksPerSecond / TicksPerSecond)),
            virtualBytes,
            residentPages * (ulong)Environment.SystemPageSize,
            stat[(open + 1)..close],
            Encoding.UTF8.GetString(commandLine).TrimEnd('\0').Replace('\0', ' '),
            User(status),
            (flags & KernelThreadFlag) != 0);
    }

    static bool TryNumber(string text, out ulong number) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    /// <summary>proc_pid_status(5): <c>Uid: REAL EFFECTIVE SAVED FILESYSTEM</c>; the effective one, nobody's if there is none.</summary>
    static uint User(string status)
    {
        const uint Nobody = 65534;
        foreach (var line in status.Split('\n'))
        {
            if (line.StartsWith("Uid:", StringComparison.Ordinal)
                && line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [_, _, var effective, ..]
                && uint.TryParse(effective, NumberStyles.None, CultureInfo.InvariantCulture, out var user))
                return user;
        }
        return Nobody;
    }
}
