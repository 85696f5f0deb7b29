using System.Text;

namespace Talos.Linux.Kernel;

/// <summary>One mounted file system.</summary>
public sealed record MountEntry(string Source, string Target, string FileSystem, string Options);

/// <summary>The mount table of the caller's namespace, from proc(5) mountinfo.</summary>
public static class MountTable
{
    // LIMIT: 4 MiB is some 30 000 mounts, far above fs.mount-max's practical use on a node.
    const int BytesMaximum = 4 << 20;

    public static IReadOnlyList<MountEntry> Read(string path = "/proc/self/mountinfo") => Parse(ProcFile.ReadText(path, BytesMaximum));

    /// <summary>Lines that are not mountinfo are left out: a kernel may add kinds this reader does not know.</summary>
    internal static IReadOnlyList<MountEntry> Parse(string text)
    {
        var entries = new List<MountEntry>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // proc(5): ID PARENT MAJOR:MINOR ROOT TARGET OPTIONS [TAG…] - TYPE SOURCE SUPEROPTIONS
            var halves = line.Split(" - ", 2);
            if (halves.Length != 2)
                continue;
            var left = halves[0].Split(' ');
            var right = halves[1].Split(' ');
            if (left.Length < 6 || right.Length < 2)
                continue;
            entries.Add(new MountEntry(Unescape(right[1]), Unescape(left[4]), right[0], Merge(left[5], right.Length > 2 ? right[2] : "")));
        }
        return entries;
    }

    static string Merge(string mount, string super)
    {
        var options = mount.Split(',').ToList();
        foreach (var option in super.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            // The mount's own ro or rw stands: it is what a caller of open(2) meets first.
            if (option is not ("ro" or "rw") && !options.Contains(option))
                options.Add(option);
        }
        return string.Join(',', options);
    }

    /// <summary>proc(5): blank, tab, newline and backslash are written as three octal digits.</summary>
    static string Unescape(string text)
    {
        if (!text.Contains('\\'))
            return text;
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && IsOctal(text.AsSpan(i + 1, 3)))
            {
                plain.Append((char)((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
                i += 3;
            }
            else
                plain.Append(text[i]);
        }
        return plain.ToString();
    }

    static bool IsOctal(ReadOnlySpan<char> digits) => digits.IndexOfAnyExceptInRange('0', '7') < 0;
}
