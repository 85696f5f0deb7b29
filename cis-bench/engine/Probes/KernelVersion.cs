namespace Talos.Checks.Probes;

/// <summary>The three numbers of a kernel release: `6.12.48-hardened+` is 6.12.48.</summary>
readonly record struct KernelVersion(int Major, int Minor, int Patch) : IComparable<KernelVersion>
{
    public static bool TryParse(string text, out KernelVersion version)
    {
        version = default;
        var numbers = text.Replace('+', '-').Split('-')[0].Split('.');
        if (numbers.Length < 3) return false;
        Span<int> values = stackalloc int[3];
        for (var i = 0; i < numbers.Length; i++)
        {
            if (!TryDecimal(numbers[i], out var value)) return false;
            if (i < 3) values[i] = value;
        }
        version = new(values[0], values[1], values[2]);
        return true;
    }

    public int CompareTo(KernelVersion other) => (Major, Minor, Patch).CompareTo((other.Major, other.Minor, other.Patch));

    public static bool operator >=(KernelVersion a, KernelVersion b) => a.CompareTo(b) >= 0;

    public static bool operator <=(KernelVersion a, KernelVersion b) => a.CompareTo(b) <= 0;

    public static bool operator >(KernelVersion a, KernelVersion b) => a.CompareTo(b) > 0;

    public static bool operator <(KernelVersion a, KernelVersion b) => a.CompareTo(b) < 0;

    public override string ToString() => $"{Major}.{Minor}.{Patch}";

    static bool TryDecimal(string text, out int value)
    {
        value = 0;
        return text.Length is > 0 and <= 9 && text.All(char.IsAsciiDigit) && int.TryParse(text, out value);
    }
}
