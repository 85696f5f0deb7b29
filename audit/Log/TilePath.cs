using System.Globalization;

namespace Talos.Audit;

// C2SP tlog-tiles: tile/<L>/<N>[.p/<W>] and tile/entries/<N>[.p/<W>], N in groups of three digits, all but the last with an `x`.
static class TilePath
{
    internal const int Width = 256;
    internal const int Height = 8;
    internal const string Checkpoint = "checkpoint";

    internal static string Hashes(int level, ulong index, int width = Width) =>
        $"tile/{level.ToString(CultureInfo.InvariantCulture)}/{Number(index)}{Partial(width)}";

    internal static string Entries(ulong index, int width = Width) => $"tile/entries/{Number(index)}{Partial(width)}";

    // Is this a path that a log has? Decided by making it again: nothing else gets through, `..` least of all.
    internal static bool IsPath(string path)
    {
        string[] parts = path.Split('/');
        if (parts.Length is < 3 or > 10 || parts[0] != "tile") return false;
        int width = Width;
        int last = parts.Length - 1;
        if (parts[last - 1].EndsWith(".p", StringComparison.Ordinal))
        {
            if (!int.TryParse(parts[last], NumberStyles.None, CultureInfo.InvariantCulture, out width) || width is <= 0 or >= Width)
                return false;
            last--;
        }
        ulong index = 0;
        foreach (string part in parts[2..(last + 1)])
        {
            string digits = part.TrimStart('x').Replace(".p", "", StringComparison.Ordinal);
            if (digits.Length != 3 || !ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong group))
                return false;
            index = (index * 1000) + group;
        }
        if (parts[1] == "entries") return path == Entries(index, width);
        return int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int level) && level <= MaxLevel
            && path == Hashes(level, index, width);
    }

    // C2SP tlog-tiles: <L> is at most 63; 2^48 entries need six levels.
    const int MaxLevel = 5;

    static string Partial(int width) => width == Width ? "" : $".p/{width.ToString(CultureInfo.InvariantCulture)}";

    internal static string Number(ulong index)
    {
        string path = (index % 1000).ToString("D3", CultureInfo.InvariantCulture);
        for (index /= 1000; index != 0; index /= 1000)
            path = $"x{(index % 1000).ToString("D3", CultureInfo.InvariantCulture)}/{path}";
        return path;
    }
}
