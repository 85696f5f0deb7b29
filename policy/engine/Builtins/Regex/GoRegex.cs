using System.Collections.Concurrent;

namespace Talos.Policy;

/// <summary>A compiled regular expression with Go's meaning: characters are code points, words are ASCII, time is linear. Thread-safe.</summary>
sealed class GoRegex
{
    // LIMIT: patterns kept compiled.
    const int MaxCached = 500;

    static readonly ConcurrentDictionary<string, GoRegex> Cache = new(StringComparer.Ordinal);

    readonly RegexCode _code;
    readonly IReadOnlyDictionary<string, int> _names;
    RegexMachine? _idle;

    GoRegex(string pattern)
    {
        Pattern = pattern;
        (RegexNode root, int groups, _names) = RegexParser.Parse(pattern);
        _code = RegexCode.Compile(root, groups);
    }

    public string Pattern { get; }

    /// <summary>The number of a named group; null when no group has the name.</summary>
    public int? Group(string name) => _names.TryGetValue(name, out int number) ? number : null;

    /// <exception cref="BuiltinException">It is no regular expression.</exception>
    public static GoRegex Parse(string pattern)
    {
        if (Cache.TryGetValue(pattern, out GoRegex? known)) return known;
        var compiled = new GoRegex(pattern);
        if (Cache.Count >= MaxCached) Cache.Clear();
        Cache[pattern] = compiled;
        return compiled;
    }

    public bool IsMatch(string text) => Run(text, 0, onlyWhether: true) is not null;

    /// <summary>The first match at or behind a position: start and end of each group, -1 where it took no part.</summary>
    public int[]? Find(string text, int from) => Run(text, from, onlyWhether: false);

    /// <summary>Matches that do not overlap; an empty one right behind another is none.</summary>
    /// <param name="text">Where to look.</param>
    /// <param name="count">At most so many; negative for all.</param>
    public IEnumerable<int[]> FindAll(string text, int count)
    {
        int at = 0, end = -1, found = 0;
        while (at <= text.Length && (count < 0 || found < count) && Find(text, at) is { } match)
        {
            bool isEmptyHere = match[1] == at;
            bool accept = !isEmptyHere || match[0] != end;
            at = !isEmptyHere ? match[1] : at < text.Length ? at + Width(text, at) : at + 1;
            end = match[1];
            if (!accept) continue;
            found++;
            yield return match;
        }
    }

    public static int Width(string text, int at)
    {
        RegexMachine.RuneAt(text, at, out int width);
        return width;
    }

    int[]? Run(string text, int from, bool onlyWhether)
    {
        RegexMachine machine = Interlocked.Exchange(ref _idle, null) ?? new RegexMachine(_code);
        int[]? match = machine.Find(text, from, onlyWhether);
        _idle = machine;
        return match;
    }
}
