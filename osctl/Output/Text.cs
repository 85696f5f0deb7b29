using System.Globalization;
using Google.Protobuf.WellKnownTypes;

namespace Talos.Osctl.Output;

/// <summary>Values as tables and trees show them.</summary>
static class Text
{
    public static string Instant(Timestamp? value) =>
        value is null ? "" : value.ToDateTimeOffset().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    public static string Second(Timestamp? value) =>
        value is null ? "" : value.ToDateTimeOffset().UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    public static string Second(DateTimeOffset? value) => value?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "";

    public static string Seconds(Duration value) => value.ToTimeSpan().TotalSeconds.ToString("0.#########", CultureInfo.InvariantCulture) + "s";

    /// <summary>Processor time as ps(1) gives it, with hundredths: `1:02:03.45`.</summary>
    public static string ProcessorTime(Duration? value)
    {
        var time = value?.ToTimeSpan() ?? TimeSpan.Zero;
        var hours = time.TotalHours >= 1 ? ((int)time.TotalHours).ToString(CultureInfo.InvariantCulture) + ":" : "";
        return hours + time.ToString(@"mm\:ss\.ff", CultureInfo.InvariantCulture);
    }

    public static string Ago(Timestamp? value, DateTimeOffset now) =>
        value is null ? "" : DurationText.Format(now - value.ToDateTimeOffset() is var age && age > TimeSpan.Zero ? age : TimeSpan.Zero) + " ago";

    public static string Number(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Megabytes(ulong bytes) => (bytes / 1e6).ToString("0.00", CultureInfo.InvariantCulture);

    public static string Gigabytes(ulong bytes) => (bytes / 1e9).ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>With the unit that leaves at most four digits: `12 MB`.</summary>
    public static string Size(ulong bytes)
    {
        ReadOnlySpan<string> units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
        var value = (double)bytes;
        var unit = 0;
        while (value >= 1000 && unit < units.Length - 1) { value /= 1000; unit++; }
        return value.ToString(unit == 0 || value >= 100 ? "0" : "0.#", CultureInfo.InvariantCulture) + " " + units[unit];
    }

    public static string Percent(ulong part, ulong whole) => whole == 0 ? "-" : (100.0 * part / whole).ToString("0.00", CultureInfo.InvariantCulture) + "%";

    /// <summary>An enum's word without its type: `Running` for SERVICE_STATE_RUNNING.</summary>
    public static string Word<T>(T value) where T : struct, System.Enum => value.ToString();

    /// <summary>st_mode as ls(1) writes it.</summary>
    public static string Mode(uint mode)
    {
        var kind = (mode & 0xF000) switch { 0x4000 => 'd', 0xA000 => 'l', 0x2000 => 'c', 0x6000 => 'b', 0x1000 => 'p', 0xC000 => 's', _ => '-' };
        Span<char> text = stackalloc char[10];
        text[0] = kind;
        for (var i = 0; i < 9; i++) text[i + 1] = (mode & (1u << (8 - i))) != 0 ? "rwx"[i % 3] : '-';
        if ((mode & 0x800) != 0) text[3] = text[3] == 'x' ? 's' : 'S';
        if ((mode & 0x400) != 0) text[6] = text[6] == 'x' ? 's' : 'S';
        if ((mode & 0x200) != 0) text[9] = text[9] == 'x' ? 't' : 'T';
        return text.ToString();
    }
}
