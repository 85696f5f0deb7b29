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

    static string Partial(int width) => width == Width ? "" : $".p/{width.ToString(CultureInfo.InvariantCulture)}";

    internal static string Number(ulong index)
    {
        string path = (index % 1000).ToString("D3", CultureInfo.InvariantCulture);
        for (index /= 1000; index != 0; index /= 1000)
            path = $"x{(index % 1000).ToString("D3", CultureInfo.InvariantCulture)}/{path}";
        return path;
    }
}
