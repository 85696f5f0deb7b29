using System.Globalization;
using System.Text;

namespace Talos.Policy;

/// <summary>A set of Unicode code points, built from ranges and then asked.</summary>
sealed class RuneSet
{
    public const int Max = 0x10FFFF;

    readonly List<(int Low, int High)> _ranges = [];
    (int Low, int High)[]? _sorted;
    UInt128 _ascii;

    public static RuneSet Of(params ReadOnlySpan<(int Low, int High)> ranges)
    {
        var set = new RuneSet();
        foreach (var (low, high) in ranges) set.Add(low, high);
        return set;
    }

    public void Add(int low, int high)
    {
        _ranges.Add((low, high));
        _sorted = null;
    }

    public void Add(RuneSet other)
    {
        foreach (var (low, high) in other.Sorted()) Add(low, high);
    }

    public RuneSet Negated()
    {
        var set = new RuneSet();
        int next = 0;
        foreach (var (low, high) in Sorted())
        {
            if (low > next) set.Add(next, low - 1);
            next = high + 1;
        }
        if (next <= Max) set.Add(next, Max);
        return set;
    }

    /// <summary>With every character that differs from one of the set in its case only.</summary>
    public RuneSet Folded()
    {
        var set = new RuneSet();
        foreach (var (low, high) in Sorted())
        {
            set.Add(low, high);
            // Everything beyond is without case.
            for (int rune = low; rune <= Math.Min(high, CaseFolding.Last); rune++)
                foreach (int other in CaseFolding.Others(rune)) set.Add(other, other);
        }
        return set;
    }

    public bool Contains(int rune)
    {
        if (_sorted is null) Sorted();
        if (rune < 128) return (_ascii >> rune & 1) != 0;
        (int Low, int High)[] ranges = _sorted!;
        int from = 0, to = ranges.Length - 1;
        while (from <= to)
        {
            int middle = (from + to) >>> 1;
            if (rune < ranges[middle].Low) to = middle - 1;
            else if (rune > ranges[middle].High) from = middle + 1;
            else return true;
        }
        return false;
    }

    (int Low, int High)[] Sorted()
    {
        if (_sorted is { } known) return known;
        _ranges.Sort();
        var merged = new List<(int Low, int High)>();
        foreach (var (low, high) in _ranges)
        {
            if (merged.Count > 0 && low <= merged[^1].High + 1) merged[^1] = (merged[^1].Low, Math.Max(merged[^1].High, high));
            else merged.Add((low, high));
        }
        UInt128 ascii = 0;
        foreach (var (low, high) in merged)
            for (int rune = low; rune <= Math.Min(high, 127); rune++) ascii |= UInt128.One << rune;
        _ascii = ascii;
        return _sorted = [.. merged];
    }
}

/// <summary>Characters that differ in their case only, by Unicode's simple mappings.</summary>
static class CaseFolding
{
    /// <summary>No character beyond has another case.</summary>
    public const int Last = 0x1E943;

    static readonly Lazy<Dictionary<int, int[]>> Orbits = new(Build);

    public static ReadOnlySpan<int> Others(int rune) => Orbits.Value.TryGetValue(rune, out int[]? others) ? others : [];

    static Dictionary<int, int[]> Build()
    {
        var groups = new Dictionary<int, List<int>>();
        for (int value = 0; value <= Last; value++)
        {
            if (!Rune.IsValid(value)) continue;
            int key = Key(value);
            if (!groups.TryGetValue(key, out List<int>? group)) groups[key] = group = [];
            group.Add(value);
        }
        var orbits = new Dictionary<int, int[]>();
        foreach (List<int> group in groups.Values.Where(g => g.Count > 1))
            foreach (int rune in group) orbits[rune] = [.. group.Where(other => other != rune)];
        return orbits;
    }

    static int Key(int value) => value switch
    {
        // NOTE: .NET's invariant mapping leaves out the long s.
        0x17F => 's',
        // The dotted and the dotless i fold to nothing else, as in Go.
        0x130 or 0x131 => value,
        _ => Rune.ToLowerInvariant(Rune.ToUpperInvariant(new Rune(value))).Value,
    };
}

/// <summary>Unicode's classes by the names that RE2 knows: general categories, and the scripts people write rules for.</summary>
static class UnicodeClasses
{
    static readonly System.Collections.Concurrent.ConcurrentDictionary<string, RuneSet> Known = new(StringComparer.Ordinal);

    // Unicode 15, Scripts.txt: first and last of each run, hexadecimal.
    static readonly Dictionary<string, string> Scripts = new(StringComparer.Ordinal)
    {
        ["Latin"] = "41-5A 61-7A AA BA C0-D6 D8-F6 F8-2B8 2E0-2E4 1D00-1D25 1D2C-1D5C 1D62-1D65 1D6B-1D77 1D79-1DBE 1E00-1EFF 2071 207F 2090-209C 212A-212B 2132 214E 2160-2188 2C60-2C7F"
            + " A722-A787 A78B-A7CA A7D0-A7D1 A7D3 A7D5-A7D9 A7F2-A7FF AB30-AB5A AB5C-AB64 AB66-AB69 FB00-FB06 FF21-FF3A FF41-FF5A 10780-10785 10787-107B0 107B2-107BA 1DF00-1DF1E 1DF25-1DF2A",
        ["Greek"] = "370-373 375-377 37A-37D 37F 384 386 388-38A 38C 38E-3A1 3A3-3E1 3F0-3FF 1D26-1D2A 1D5D-1D61 1D66-1D6A 1DBF 1F00-1F15 1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D"
            + " 1F5F-1F7D 1F80-1FB4 1FB6-1FC4 1FC6-1FD3 1FD6-1FDB 1FDD-1FEF 1FF2-1FF4 1FF6-1FFE 2126 AB65 10140-1018E 101A0 1D200-1D245",
        ["Cyrillic"] = "400-484 487-52F 1C80-1C88 1D2B 1D78 2DE0-2DFF A640-A69F FE2E-FE2F 1E030-1E06D 1E08F",
        ["Armenian"] = "531-556 559-58A 58D-58F FB13-FB17",
        ["Hebrew"] = "591-5C7 5D0-5EA 5EF-5F4 FB1D-FB36 FB38-FB3C FB3E FB40-FB41 FB43-FB44 FB46-FB4F",
        ["Arabic"] = "600-604 606-60B 60D-61A 61C-61E 620-63F 641-64A 656-66F 671-6DC 6DE-6FF 750-77F 870-88E 890-891 898-8E1 8E3-8FF FB50-FBC2 FBD3-FD3D FD40-FD8F FD92-FDC7 FDCF FDF0-FDFF FE70-FE74"
            + " FE76-FEFC 10E60-10E7E 10EFD-10EFF 1EE00-1EE03 1EE05-1EE1F 1EE21-1EE22 1EE24 1EE27 1EE29-1EE32 1EE34-1EE37 1EE39 1EE3B",
        ["Devanagari"] = "900-950 955-963 966-97F A8E0-A8FF 11B00-11B09",
        ["Thai"] = "E01-E3A E40-E5B",
        ["Georgian"] = "10A0-10C5 10C7 10CD 10D0-10FA 10FC-10FF 1C90-1CBA 1CBD-1CBF 2D00-2D25 2D27 2D2D",
        ["Hangul"] = "1100-11FF 302E-302F 3131-318E 3200-321E 3260-327E A960-A97C AC00-D7A3 D7B0-D7C6 D7CB-D7FB FFA0-FFBE FFC2-FFC7 FFCA-FFCF FFD2-FFD7 FFDA-FFDC",
        ["Hiragana"] = "3041-3096 309D-309F 1B001-1B11F 1B132 1B150-1B152 1F200",
        ["Katakana"] = "30A1-30FA 30FD-30FF 31F0-31FF 32D0-32FE 3300-3357 FF66-FF6F FF71-FF9D 1AFF0-1AFF3 1AFF5-1AFFB 1AFFD-1AFFE 1B000 1B120-1B122 1B155 1B164-1B167",
        ["Han"] = "2E80-2E99 2E9B-2EF3 2F00-2FD5 3005 3007 3021-3029 3038-303B 3400-4DBF 4E00-9FFF F900-FA6D FA70-FAD9 16FE2-16FE3 16FF0-16FF1 20000-2A6DF 2A700-2B739 2B740-2B81D 2B820-2CEA1"
            + " 2CEB0-2EBE0 2F800-2FA1D 30000-3134A 31350-323AF",
    };

    /// <summary>Null for a name that is none.</summary>
    public static RuneSet? Find(string name)
    {
        if (Known.TryGetValue(name, out RuneSet? known)) return known;
        RuneSet? set = name == "Any" ? RuneSet.Of((0, RuneSet.Max)) : Scripts.TryGetValue(name, out string? runs) ? Script(runs) : Category(name);
        return set is null ? null : Known.GetOrAdd(name, set);
    }

    static RuneSet Script(string runs)
    {
        var set = new RuneSet();
        foreach (string run in runs.Split(' '))
        {
            string[] ends = run.Split('-');
            set.Add(Convert.ToInt32(ends[0], 16), Convert.ToInt32(ends[^1], 16));
        }
        return set;
    }

    static RuneSet? Category(string name)
    {
        if (name.Length is not (1 or 2)) return null;
        UnicodeCategory[] wanted = [.. Enum.GetValues<UnicodeCategory>().Where(c => Short(c).StartsWith(name, StringComparison.Ordinal))];
        if (wanted.Length == 0) return null;
        var set = new RuneSet();
        int from = -1;
        for (int value = 0; value <= RuneSet.Max + 1; value++)
        {
            bool inside = value <= RuneSet.Max && Array.IndexOf(wanted, CharUnicodeInfo.GetUnicodeCategory(value)) >= 0;
            if (inside && from < 0) from = value;
            if (inside || from < 0) continue;
            set.Add(from, value - 1);
            from = -1;
        }
        return set;
    }

    static string Short(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => "Lu",
        UnicodeCategory.LowercaseLetter => "Ll",
        UnicodeCategory.TitlecaseLetter => "Lt",
        UnicodeCategory.ModifierLetter => "Lm",
        UnicodeCategory.OtherLetter => "Lo",
        UnicodeCategory.NonSpacingMark => "Mn",
        UnicodeCategory.SpacingCombiningMark => "Mc",
        UnicodeCategory.EnclosingMark => "Me",
        UnicodeCategory.DecimalDigitNumber => "Nd",
        UnicodeCategory.LetterNumber => "Nl",
        UnicodeCategory.OtherNumber => "No",
        UnicodeCategory.SpaceSeparator => "Zs",
        UnicodeCategory.LineSeparator => "Zl",
        UnicodeCategory.ParagraphSeparator => "Zp",
        UnicodeCategory.Control => "Cc",
        UnicodeCategory.Format => "Cf",
        UnicodeCategory.Surrogate => "Cs",
        UnicodeCategory.PrivateUse => "Co",
        UnicodeCategory.ConnectorPunctuation => "Pc",
        UnicodeCategory.DashPunctuation => "Pd",
        UnicodeCategory.OpenPunctuation => "Ps",
        UnicodeCategory.ClosePunctuation => "Pe",
        UnicodeCategory.InitialQuotePunctuation => "Pi",
        UnicodeCategory.FinalQuotePunctuation => "Pf",
        UnicodeCategory.OtherPunctuation => "Po",
        UnicodeCategory.MathSymbol => "Sm",
        UnicodeCategory.CurrencySymbol => "Sc",
        UnicodeCategory.ModifierSymbol => "Sk",
        UnicodeCategory.OtherSymbol => "So",
        // Go has no class for what is not assigned.
        UnicodeCategory.OtherNotAssigned => "",
        _ => throw new ArgumentOutOfRangeException(nameof(category), category, null),
    };
}
