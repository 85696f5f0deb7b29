using System.Text.Json.Nodes;
using Xunit;

namespace Talos.Policy.Tests;

/// <summary>
/// One line is one case: an expression, ` => `, and its value as JSON, or `undefined`, or `error` with words of the message. An error is one only where
/// the host asks for strict errors; otherwise it is undefined too. A line `NAME := term` gives a name for the lines below it.
/// </summary>
public sealed class BuiltinVectorTests
{
    static readonly string Folder = Path.Combine(Shipped.Root, "tests", "vectors", "policy", "builtins");

    public static TheoryData<string> Files() => [.. Directory.EnumerateFiles(Folder, "*.txt").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Files))]
    public void Answers_every_case(string file)
    {
        var wrong = new List<string>();
        int number = 0, cases = 0;
        string names = "";
        foreach (string line in File.ReadLines(Path.Combine(Folder, file + ".txt")))
        {
            number++;
            if (line.Length == 0 || line.StartsWith('#')) continue;
            if (char.IsAsciiLetterUpper(line[0]) && line.Contains(" := ", StringComparison.Ordinal))
            {
                names += line + "; ";
                continue;
            }
            cases++;
            int arrow = line.LastIndexOf(" => ", StringComparison.Ordinal);
            string expected = arrow < 0 ? "" : line[(arrow + 4)..];
            string? problem = arrow < 0 ? "a line without ` => `" : Judge(names, line[..arrow], expected);
            if (problem is not null) wrong.Add($"{file}.txt:{number}: {line}\n    {problem}");
        }
        Assert.NotEqual(0, cases);
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    static string? Judge(string names, string expression, string expected)
    {
        string strict = Ask(names, expression, true), loose = Ask(names, expression, false);
        if (expected.StartsWith("error", StringComparison.Ordinal))
        {
            if (loose != "undefined") return $"without strict errors: {loose}";
            return strict.StartsWith("error", StringComparison.Ordinal) && strict.Contains(expected[5..].Trim(), StringComparison.Ordinal) ? null : strict;
        }
        if (strict != loose) return $"strictly {strict}, otherwise {loose}";
        if (expected == "undefined") return strict == expected ? null : strict;
        return strict != "undefined" && JsonNode.DeepEquals(JsonNode.Parse(strict), JsonNode.Parse(expected)) ? null : strict;
    }

    static string Ask(string names, string expression, bool strict)
    {
        try
        {
            IReadOnlyList<string> results = RegoProgram.Compile([]).Query($"{names}x = {expression}", null, new RegoQueryOptions { StrictBuiltinErrors = strict });
            return results.Count == 0 ? "undefined" : JsonNode.Parse(Assert.Single(results))!["x"]?.ToJsonString() ?? "null";
        }
        catch (Exception e) when (e is RegoException or PolicyException)
        {
            return "error " + e.Message;
        }
    }
}
