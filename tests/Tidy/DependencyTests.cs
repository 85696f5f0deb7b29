using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Talos.Tidy.Tests;

/// <summary>Holds the projects to the table "Layout and who may use whom" of ARCHITECTURE.md.</summary>
public sealed partial class DependencyTests
{
    static readonly IReadOnlyList<string> ProjectFiles = Repository.Files("*.csproj");

    public static TheoryData<string> Projects()
    {
        var data = new TheoryData<string>();
        foreach (var file in ProjectFiles) data.Add(Repository.Relative(file));
        return data;
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Accepts_only_references_that_the_table_allows(string project)
    {
        if (project.StartsWith("tests/", StringComparison.Ordinal)) return;
        var table = ReadTable();
        var name = Path.GetFileNameWithoutExtension(project);
        Assert.True(table.TryGetValue(name, out var row), $"{name} has no row in ARCHITECTURE.md");
        Assert.Equal(row.Folder, Path.GetDirectoryName(project)!.Replace('\\', '/'));
        foreach (var reference in References(Path.Combine(Repository.Root, project)))
            Assert.True(row.MayUse.Contains(reference), $"{name} uses {reference}, which ARCHITECTURE.md does not allow");
    }

    [Fact]
    public void Accepts_no_row_without_a_project()
    {
        var projects = ProjectFiles.Select(Path.GetFileNameWithoutExtension).ToHashSet();
        Assert.DoesNotContain(ReadTable().Keys, name => !projects.Contains(name));
    }

    [Fact]
    public void Accepts_no_executable_that_others_reference()
    {
        var executables = ProjectFiles.Where(IsExecutable).Select(Path.GetFileNameWithoutExtension).ToHashSet();
        foreach (var file in ProjectFiles.Where(f => !Repository.Relative(f).StartsWith("tests/", StringComparison.Ordinal)))
            Assert.DoesNotContain(References(file), executables.Contains);
    }

    [Fact]
    public void Accepts_no_folder_that_is_a_project_and_holds_projects()
    {
        var folders = ProjectFiles.Select(f => Path.GetDirectoryName(f)! + "/").ToArray();
        foreach (var folder in folders)
            Assert.DoesNotContain(folders, other => other != folder && other.StartsWith(folder, StringComparison.Ordinal));
    }

    [Fact]
    public void Accepts_every_project_in_the_solution_only_once()
    {
        var solution = File.ReadAllText(Path.Combine(Repository.Root, "Talos.sln")).Replace('\\', '/');
        foreach (var file in ProjectFiles)
            Assert.Single(Regex.Matches(solution, $"\"{Regex.Escape(Repository.Relative(file))}\""));
    }

    static bool IsExecutable(string file) => XDocument.Load(file).Descendants("OutputType").Any(e => e.Value == "Exe");

    static IEnumerable<string> References(string file) =>
        XDocument.Load(file).Descendants("ProjectReference").Select(e => Path.GetFileNameWithoutExtension((string)e.Attribute("Include")!.Value.Replace('\\', '/')));

    static Dictionary<string, (string Folder, HashSet<string> MayUse)> ReadTable()
    {
        var rows = new Dictionary<string, (string, HashSet<string>)>();
        foreach (var line in File.ReadLines(Path.Combine(Repository.Root, "ARCHITECTURE.md")))
        {
            var match = Row().Match(line);
            if (!match.Success) continue;
            var mayUse = match.Groups["use"].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(n => n != "–");
            rows.Add(match.Groups["name"].Value, (match.Groups["folder"].Value, [.. mayUse]));
        }
        Assert.NotEmpty(rows);
        return rows;
    }

    [GeneratedRegex(@"^\| (?<folder>[a-z0-9/-]+) \| (?<name>Talos\.[A-Za-z.]+) \| [^|]* \| (?<use>[^|]*) \|$")]
    private static partial Regex Row();
}
