using System.Globalization;

namespace Talos.Linux.Kernel;

/// <summary>The machine's memory, in bytes, from proc_meminfo(5).</summary>
public sealed record MemoryFacts(ulong Total, ulong Free, ulong Available, ulong Shared, ulong Buffers, ulong Cached)
{
    // LIMIT: the file has some fifty lines of 28 characters.
    const int BytesMaximum = 16 << 10;

    /// <summary>What is neither free nor could be made free at once.</summary>
    public ulong Used => Total > Available ? Total - Available : 0;

    public static MemoryFacts Read() => Parse(ProcFile.ReadText("/proc/meminfo", BytesMaximum));

    /// <summary>A line that is missing counts as zero.</summary>
    internal static MemoryFacts Parse(string text)
    {
        ulong total = 0, free = 0, available = 0, shared = 0, buffers = 0, cached = 0, reclaimable = 0;
        foreach (var line in text.Split('\n'))
        {
            // `MemTotal:       24603200 kB`
            var words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words is not [var name, var number, "kB"] || !ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var kilobytes))
                continue;
            var bytes = kilobytes << 10;
            switch (name)
            {
                case "MemTotal:": total = bytes; break;
                case "MemFree:": free = bytes; break;
                case "MemAvailable:": available = bytes; break;
                case "Shmem:": shared = bytes; break;
                case "Buffers:": buffers = bytes; break;
                case "Cached:": cached = bytes; break;
                case "SReclaimable:": reclaimable = bytes; break;
            }
        }
        return new MemoryFacts(total, free, available, shared, buffers, cached + reclaimable);
    }
}
