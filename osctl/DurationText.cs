using System.Globalization;

namespace Talos.Osctl;

/// <summary>Times as people write them: <c>90s</c>, <c>8h</c>, <c>1d12h</c>.</summary>
static class DurationText
{
    // LIMIT: a hundred years, so that sums never overflow.
    static readonly TimeSpan Longest = TimeSpan.FromDays(36_500);

    public static bool TryParse(string text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        var position = 0;
        while (position < text.Length)
        {
            var start = position;
            while (position < text.Length && char.IsAsciiDigit(text[position])) position++;
            if (!int.TryParse(text.AsSpan(start, position - start), NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return false;
            var unit = position;
            while (position < text.Length && char.IsAsciiLetter(text[position])) position++;
            long seconds = text[unit..position] switch { "s" => 1, "m" => 60, "h" => 3600, "d" => 86400, _ => 0 };
            if (seconds == 0) return false;
            if (value + TimeSpan.FromSeconds(Math.Min((double)count * seconds, Longest.TotalSeconds)) is var sum && sum > Longest) return false;
            value = sum;
        }
        return value > TimeSpan.Zero;
    }

    /// <summary>The two largest units: <c>3d4h</c>, <c>5m2s</c>, <c>0s</c>.</summary>
    public static string Format(TimeSpan value)
    {
        if (value < TimeSpan.Zero) return "-" + Format(-value);
        return value switch
        {
            { TotalDays: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)value.TotalDays}d{value.Hours}h"),
            { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{value.Hours}h{value.Minutes}m"),
            { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{value.Minutes}m{value.Seconds}s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{(int)value.TotalSeconds}s"),
        };
    }
}
