using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Talos.Policy.Tests;

/// <summary>
/// A case is a module of the package `test`, perhaps a line `input: JSON` or `data: JSON`, and a line `=> ` with the value of `data.test.p` as JSON,
/// `undefined`, the code and words of an error of evaluation, or the code, line and column of an error of compilation. The package clause is line 1. A line that begins with `## ` is ours.
/// </summary>
public sealed class LanguageVectorTests
{
    static readonly string Folder = Path.Combine(Shipped.Root, "tests", "vectors", "policy", "language");

    public static TheoryData<string> Files() => [.. Directory.EnumerateFiles(Folder, "*.txt").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Files))]
    public void Answers_every_case(string file)
    {
        var wrong = new List<string>();
        int number = 0, cases = 0;
        var module = new StringBuilder("package test\n");
        string? input = null, data = null;
        foreach (string line in File.ReadLines(Path.Combine(Folder, file + ".txt")))
        {
            number++;
            if (line.StartsWith("## ", StringComparison.Ordinal)) continue;
            if (line.StartsWith("input: ", StringComparison.Ordinal)) input = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
            else if (!line.StartsWith("=> ", StringComparison.Ordinal))
            {
                // Blank lines between cases are not part of a module, so that its own lines can be counted.
                if (line.Length > 0 || module.Length > "package test\n".Length) module.Append(line).Append('\n');
            }
            else
            {
                cases++;
                if (Judge(module.ToString(), input, data, line[3..]) is { } problem) wrong.Add($"{file}.txt:{number}: {line}\n    {problem}");
                module.Clear().Append("package test\n");
                (input, data) = (null, null);
            }
        }
        Assert.NotEqual(0, cases);
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    static string? Judge(string module, string? input, string? data, string expected)
    {
        string actual = Ask(module, input, data);
        if (expected.StartsWith("rego_", StringComparison.Ordinal) || expected.StartsWith("eval_", StringComparison.Ordinal))
            return actual.StartsWith(expected, StringComparison.Ordinal) ? null : actual;
        if (expected == "undefined" || actual == "undefined") return actual == expected ? null : actual;
        return actual.StartsWith("rego_", StringComparison.Ordinal) || actual.StartsWith("eval_", StringComparison.Ordinal)
            || !string.Equals(actual, (JsonNode.Parse(expected)?.ToJsonString() ?? "null"), StringComparison.Ordinal) ? actual : null;
    }

    static string Ask(string module, string? input, string? data)
    {
        try
        {
            IReadOnlyList<string> results = RegoProgram.Compile([("test.rego", module)], data ?? "{}").Query("x = data.test.p", input);
            return results.Count == 0 ? "undefined" : JsonNode.Parse(Assert.Single(results))!["x"]?.ToJsonString() ?? "null";
        }
        catch (PolicyException e)
        {
            return string.Join("; ", e.Errors.Select(x => $"{x.Code} {x.Line}:{x.Column} {x.Message}"));
        }
        catch (RegoException e)
        {
            return $"{e.Code} {e.Message}";
        }
    }
}
