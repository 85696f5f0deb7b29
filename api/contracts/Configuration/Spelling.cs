namespace Talos.Api.Configuration;

/// <summary>Finds the word that someone probably meant.</summary>
public static class Spelling
{
    internal static string? Hint(string text, IEnumerable<string> words) => Nearest(text, words) is { } word ? Question(word) : null;

    internal static string Question(string word) => $"did you mean `{word}`?";

    /// <summary>The nearest of the words, or null when none is near: at most a third of its letters differ.</summary>
    public static string? Nearest(string text, IEnumerable<string> words)
    {
        // LIMIT: longer words are no misspelling of ours, and the comparison is quadratic.
        if (text.Length is 0 or > 40) return null;
        var ranked = words.Select(word => (word, distance: IsShortFor(text, word) ? 1 : Distance(text.ToLowerInvariant(), word.ToLowerInvariant())))
            .OrderBy(c => c.distance).ThenBy(c => c.word, StringComparer.Ordinal).FirstOrDefault();
        return ranked.word is not null && ranked.distance <= Math.Max(1, ranked.word.Length / 3) ? ranked.word : null;
    }

    static bool IsShortFor(string text, string word) => text.Length >= 3 && word.StartsWith(text, StringComparison.OrdinalIgnoreCase);

    // Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours count one each.
    static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        }
        return rows[a.Length, b.Length];
    }
}
