namespace Talos.Policy;

/// <summary>What somebody may have meant who wrote a name that is not there.</summary>
static class GraphQLSuggestion
{
    // LIMIT: names that are compared, and their length; the comparison is quadratic.
    const int MaxNames = 1000, MaxLength = 200;

    public static string Quoted(string prefix, string typed, IEnumerable<string> names) => Text(prefix, [.. Similar(typed, names).Select(n => $"\"{n}\"")]);

    public static string Plain(string prefix, string typed, IEnumerable<string> names) => Text(prefix, Similar(typed, names));

    public static string Text(string prefix, string[] names) => names.Length == 0 ? "" : $" {prefix} {OneOf(names)}?";

    static string OneOf(string[] names)
    {
        if (names.Length > 5) names = names[..5];
        return names.Length switch
        {
            1 => names[0],
            2 => $"{names[0]} or {names[1]}",
            _ => $"{string.Join(", ", names[..^1])}, or {names[^1]}",
        };
    }

    static string[] Similar(string typed, IEnumerable<string> names) => typed.Length > MaxLength ? [] :
    [
        .. names.Where(n => n.Length <= MaxLength).Take(MaxNames).Select(n => (Name: n, Distance: Distance(typed, n)))
            .Where(n => n.Distance <= Math.Max(1, Math.Max(typed.Length, n.Name.Length) / 2)).OrderBy(n => n.Distance).Select(n => n.Name),
    ];

    // Levenshtein's; letters of another case make one edit together.
    static int Distance(string a, string b)
    {
        if (a == b) return 0;
        (a, b) = (a.ToLowerInvariant(), b.ToLowerInvariant());
        if (a == b) return 1;
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++) (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[^1];
    }
}
