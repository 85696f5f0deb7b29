using System.Text;

namespace Talos.Checks.Rules;

readonly record struct Token(string Text, int Column);

/// <summary>The words of a rule on one line: separated by blanks, in double quotes where they hold blanks themselves.</summary>
static class RuleText
{
    public static string Quote(string word) =>
        word.Length > 0 && !word.AsSpan().ContainsAny(" \t\"\\") ? word : $"\"{word.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"";

    /// <summary>Null with the column of the open quote when one is not closed.</summary>
    public static IReadOnlyList<Token>? Split(string text, out int errorColumn)
    {
        errorColumn = 0;
        var tokens = new List<Token>();
        var i = 0;
        while (i < text.Length)
        {
            if (text[i] is ' ' or '\t')
            {
                i++;
                continue;
            }
            var start = i;
            if (text[i] != '"')
            {
                while (i < text.Length && text[i] is not (' ' or '\t')) i++;
                tokens.Add(new(text[start..i], start));
                continue;
            }
            var word = new StringBuilder();
            for (i++; i < text.Length && text[i] != '"'; i++)
            {
                if (text[i] == '\\' && i + 1 < text.Length && text[i + 1] is '"' or '\\') i++;
                word.Append(text[i]);
            }
            if (i == text.Length)
            {
                errorColumn = start;
                return null;
            }
            i++;
            tokens.Add(new(word.ToString(), start));
        }
        return tokens;
    }
}
