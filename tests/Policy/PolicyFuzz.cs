using System.Text.Json.Nodes;

namespace Talos.Policy.Tests;

/// <summary>
/// Mutates the modules of the conformance cases and of ours beside them, and feeds them to lexer, parser, compiler and evaluator. Whatever comes in,
/// the answer is a result or one of the two exceptions that carry errors. The same seed makes the same run.
/// </summary>
static class PolicyFuzz
{
    static readonly string[] Tokens =
    [
        "{", "}", "[", "]", "(", ")", ":=", "=", "==", "|", "&", "not ", "some ", "every ", "in ", "with ", "as ", "if ", "else ", "default ", "contains ", ",", ";", ":", ".", "_",
        "\"", "`", "$\"", "{x}", "\\u0000", "1e999999", "0", "-", "x", "input", "data", "data.test.p", "true", "null", "set()", "#", "\n", "\t", "é", "\uD800", "count(", "walk(",
        "# METADATA\n", "\n# scope: document\n", "\n# schemas:\n#  - input: ", "\n# authors: [", "{\"$ref\": \"#\"}", "import data.",
    ];

    public static void Run(int seed, int iterations, string folder)
    {
        string[] modules = [.. Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal)
            .SelectMany(f => JsonNode.Parse(File.ReadAllText(f))!["cases"]!.AsArray()).SelectMany(c => c!["modules"]?.AsArray() ?? []).Select(m => (string)m!).Where(m => m.Length < 4000),
            .. Directory.EnumerateFiles(Path.Combine(folder, "..", "language"), "*.txt").Order(StringComparer.Ordinal).SelectMany(Cases)];
        var random = new Random(seed);
        var options = new RegoQueryOptions { Limits = new EvaluationLimits { Steps = 20_000, AllocatedBytes = 50 << 20, ResultValues = 100_000 } };
        for (int i = 0; i < iterations; i++)
        {
            string text = Mutate(random, modules);
            try
            {
                RegoProgram.Compile([("fuzz.rego", text)], """{"a": {"b": [1, 2, {"c": null}]}}""").Query("x = data", """{"x": [1, "a", {"y": {1, 2}}]}""", options);
            }
            catch (PolicyException e) when (e.Errors.Count > 0)
            {
                // Refused with errors: what should happen to most of them.
            }
            catch (RegoException)
            {
                // Compiled, and failed while it ran.
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, iteration {i}:\n{text}", e);
            }
        }
    }

    static IEnumerable<string> Cases(string file) =>
        File.ReadAllText(file).Split("\n=> ").Select(part => "package test\n" + part[(part.IndexOf('\n', StringComparison.Ordinal) + 1)..]);

    static string Mutate(Random random, string[] modules)
    {
        string text = modules[random.Next(modules.Length)];
        for (int n = random.Next(1, 6); n > 0; n--)
        {
            int at = random.Next(text.Length + 1), length = Math.Min(random.Next(1, 20), text.Length - at);
            text = random.Next(4) switch
            {
                0 => text.Insert(at, Tokens[random.Next(Tokens.Length)]),
                1 => text.Remove(at, length),
                2 => text.Insert(at, text.Substring(random.Next(Math.Max(1, text.Length - length)), Math.Min(length, text.Length))),
                _ => text.Remove(at, length).Insert(at, Tokens[random.Next(Tokens.Length)]),
            };
            if (text.Length == 0) text = "package a";
        }
        return text;
    }
}
