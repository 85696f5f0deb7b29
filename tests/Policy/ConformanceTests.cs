using Talos.Conformance;
using Xunit;

namespace Talos.Policy.Tests;

public sealed class ConformanceTests
{
    static readonly string Folder = Path.Combine(Shipped.Root, "tests", "vectors", "policy");

    public static TheoryData<string> Files() => [.. Directory.EnumerateFiles(Path.Combine(Folder, "opa-v1"), "*.json").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];

    [Fact]
    public void Accepts_a_folder_with_cases_only() => Assert.True(Files().Count > 100);

    [Theory, MemberData(nameof(Files))]
    public void Accepts_every_case_that_is_not_listed_as_failing(string file)
    {
        HashSet<string> listed = [.. File.ReadLines(Path.Combine(Folder, "opa-v1.failing")).Where(l => l.StartsWith(file + "#", StringComparison.Ordinal)).Select(l => l.Split(' ')[0])];
        var wrong = new List<string>();
        int number = 0;
        foreach (RegoCase test in RegoCase.Load(Path.Combine(Folder, "opa-v1", file + ".json")))
        {
            string id = $"{file}#{++number}";
            string? problem = test.Run();
            bool expected = listed.Remove(id);
            if (problem is null && expected) wrong.Add($"{id} passes now: take it off the list");
            else if (problem is not null && !expected) wrong.Add($"{id} {test.Note}: {problem}");
        }
        Assert.NotEqual(0, number);
        wrong.AddRange(listed.Select(l => $"{l} is listed but does not exist"));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }
}
