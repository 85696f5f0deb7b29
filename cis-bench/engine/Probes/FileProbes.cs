using System.Globalization;
using Talos.Checks.Rules;
using Talos.Linux;

namespace Talos.Checks.Probes;

/// <summary>Existence, mode, owner and lines of files. A path may have `*` within its components; then every match must satisfy the rule.</summary>
static class FileProbes
{
    // LIMIT: configuration files that a check reads line by line.
    const int MaxText = 4 << 20;

    static readonly string[] s_binDirectories = ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/libexec", "/opt/bin"];

    public static Reading Exists(FactStore facts, IReadOnlyList<string> arguments) =>
        Expand(facts, arguments[0], out var paths) ?? Reading.Of([.. paths.Select(p => new Fact(p, p))], arguments[0]);

    public static Reading Mode(FactStore facts, IReadOnlyList<string> arguments) =>
        OfStatus(facts, arguments[0], s => "0" + Convert.ToString(s.Permissions, 8).PadLeft(3, '0'));

    public static Reading Owner(FactStore facts, IReadOnlyList<string> arguments) =>
        OfStatus(facts, arguments[0], s => string.Create(CultureInfo.InvariantCulture, $"{s.UserId}:{s.GroupId}"));

    /// <summary>Owner and group by name, as the target's own files call them; a number without a name stays a number.</summary>
    public static Reading OwnerName(FactStore facts, IReadOnlyList<string> arguments)
    {
        var accounts = facts.Accounts;
        if (facts.OwnersTrouble is { Length: > 0 } trouble) return Reading.Unreadable("/etc/passwd", trouble);
        return OfStatus(facts, arguments[0], s =>
        {
            var (user, group) = (s.UserId.ToString(CultureInfo.InvariantCulture), s.GroupId.ToString(CultureInfo.InvariantCulture));
            return $"{accounts.Users.FirstOrDefault(u => u.UserId == user)?.Name ?? user}:{accounts.Groups.FirstOrDefault(g => g.GroupId == group)?.Name ?? group}";
        });
    }

    /// <summary>Lines that match a pattern: the first group where the pattern has one, else the whole line.</summary>
    public static Reading Line(FactStore facts, IReadOnlyList<string> arguments)
    {
        if (Expand(facts, arguments[0], out var paths) is { } none) return none;
        var pattern = Expectation.Pattern(arguments[1]);
        var found = new List<Fact>();
        foreach (var path in paths)
        {
            var read = facts.Files.ReadText(path, MaxText);
            if (read.State == ReadingState.Unreadable) return Reading.Unreadable(path, read.Reason);
            var number = 0;
            foreach (var line in read.Text.Split('\n'))
            {
                number++;
                if (pattern.Match(line.TrimEnd('\r')) is not { Success: true } match) continue;
                found.Add(new((match.Groups.Count > 1 ? match.Groups[1].Value : match.Value).Trim(), $"{path}:{number.ToString(CultureInfo.InvariantCulture)}"));
            }
        }
        return found.Count > 0 ? Reading.Of(found, arguments[0]) : Reading.Absent(arguments[0]);
    }

    /// <summary>A program by its name, in the directories where programs are.</summary>
    public static Reading Executable(FactStore facts, IReadOnlyList<string> arguments)
    {
        var found = new List<Fact>();
        foreach (var directory in s_binDirectories)
        {
            var path = $"{directory}/{arguments[0]}";
            var state = facts.Files.Status(path, true, out _, out var reason);
            if (state == ReadingState.Unreadable) return Reading.Unreadable(path, reason);
            if (state == ReadingState.Present) found.Add(new(path, path));
        }
        return found.Count > 0 ? Reading.Of(found, arguments[0]) : Reading.Absent(string.Join(", ", s_binDirectories));
    }

    static Reading OfStatus(FactStore facts, string pattern, Func<FileStatus, string> value)
    {
        if (Expand(facts, pattern, out var paths) is { } none) return none;
        var found = new List<Fact>();
        foreach (var path in paths)
        {
            if (facts.Files.Status(path, true, out var status, out var reason) == ReadingState.Unreadable) return Reading.Unreadable(path, reason);
            found.Add(new(value(status), path));
        }
        return Reading.Of(found, pattern);
    }

    static Reading? Expand(FactStore facts, string pattern, out IReadOnlyList<string> paths)
    {
        paths = [];
        if (PathArgument.Resolve(facts, ref pattern) is { } none) return none;
        var state = facts.Files.Expand(pattern, out paths, out var reason);
        return state switch
        {
            ReadingState.Present => null,
            ReadingState.Absent => Reading.Absent(pattern),
            _ => Reading.Unreadable(pattern, reason),
        };
    }
}

/// <summary>A path as a rule writes it: itself, or `@PROGRAM:FLAG[:KEY]` for the file that a program was told to use.</summary>
static class PathArgument
{
    /// <summary>Null when <paramref name="path"/> now is a path.</summary>
    public static Reading? Resolve(FactStore facts, ref string path)
    {
        if (!path.StartsWith('@')) return null;
        var parts = path[1..].Split(':');
        var reading = parts.Length == 2 ? ProcessProbes.Flag(facts, parts) : parts.Length == 3 ? ProcessProbes.Config(facts, parts) : null;
        if (reading is null) return Reading.Unreadable(path, "it is not of the form @PROGRAM:FLAG or @PROGRAM:FLAG:KEY");
        if (reading.State != ReadingState.Present) return reading;
        path = reading.Facts[0].Value;
        return path.StartsWith('/') ? null : Reading.Unreadable(reading.Source, $"`{path}` is no absolute path");
    }
}
