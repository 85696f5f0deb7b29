using System.Text.RegularExpressions;
using Xunit;

namespace Talos.Tidy.Tests;

/// <summary>Rules of CONTRIBUTING.md that a reader of the code relies on.</summary>
public sealed partial class SourceTests
{
    // LIMIT: generated tables and the like go into data files, so a source file longer than this holds more than one conversation.
    const int MaxLines = 600;

    static readonly IReadOnlyList<string> Sources =
        [.. Repository.Files("*.cs").Where(f => !Repository.Relative(f).StartsWith("tests/", StringComparison.Ordinal))];

    [Fact]
    public void Rejects_unsafe_code_and_native_calls_outside_Talos_Linux()
    {
        foreach (var file in Sources.Where(f => !Repository.Relative(f).StartsWith("os/linux/", StringComparison.Ordinal)))
            AssertNoMatch(file, Native());
    }

    [Fact]
    public void Rejects_catch_blocks_without_a_statement()
    {
        foreach (var file in Sources) AssertNoMatch(file, EmptyCatch());
    }

    [Fact]
    public void Rejects_clocks_other_than_TimeProvider()
    {
        foreach (var file in Sources) AssertNoMatch(file, Clock());
    }

    [Fact]
    public void Rejects_files_that_hold_more_than_one_conversation()
    {
        foreach (var file in Sources)
            Assert.True(File.ReadLines(file).Count() <= MaxLines, $"{Repository.Relative(file)} has more than {MaxLines} lines");
    }

    [Fact]
    public void Rejects_names_that_say_nothing()
    {
        foreach (var file in Sources)
        {
            Assert.DoesNotMatch(@"/(Common|Shared|Core|Utils?|Helpers?)/", "/" + Repository.Relative(file));
            Assert.DoesNotMatch(@"(Manager|Helper|Helpers|Util|Utils|Impl)\.cs$", Path.GetFileName(file));
        }
    }

    [Fact]
    public void Rejects_markers_that_are_not_agreed()
    {
        foreach (var file in Sources) AssertNoMatch(file, Marker());
    }

    [Fact]
    public void Rejects_trailing_white_space_and_missing_final_newlines()
    {
        foreach (var file in Sources.Concat(Repository.Files("*.md")).Concat(Repository.Files("*.sh")).Concat(Repository.Files("*.proto")).Concat(Repository.Files("*.rego")))
        {
            if (Repository.Relative(file).StartsWith("tests/vectors/", StringComparison.Ordinal)) continue;
            var text = File.ReadAllText(file);
            Assert.True(text.EndsWith('\n'), $"{Repository.Relative(file)} does not end with a newline");
            AssertNoMatch(file, TrailingSpace());
        }
    }

    [Fact]
    public void Accepts_vector_folders_only_with_their_origin()
    {
        var vectors = Path.Combine(Repository.Root, "tests/vectors");
        foreach (var module in Directory.Exists(vectors) ? Directory.GetDirectories(vectors) : [])
        {
            var holders = Directory.EnumerateFiles(module, "SOURCE.md", SearchOption.AllDirectories).Select(f => Path.GetDirectoryName(f)! + "/").ToArray();
            foreach (var file in Directory.EnumerateFiles(module, "*", SearchOption.AllDirectories))
                Assert.True(holders.Any(h => file.StartsWith(h, StringComparison.Ordinal)), $"{Repository.Relative(file)} lies under no SOURCE.md");
        }
    }

    static void AssertNoMatch(string file, Regex pattern)
    {
        var number = 0;
        foreach (var line in File.ReadLines(file))
        {
            number++;
            Assert.False(pattern.IsMatch(line), $"{Repository.Relative(file)}:{number}: {line.Trim()}");
        }
    }

    [GeneratedRegex(@"\bunsafe\b(?!-)(?=[^""]*(\{|$|static|void|fixed))(?<!//.*)|\[(DllImport|LibraryImport)\b")]
    private static partial Regex Native();

    [GeneratedRegex(@"catch\s*(\([^)]*\))?\s*(when\s*\(.*\))?\s*\{\s*\}")]
    private static partial Regex EmptyCatch();

    [GeneratedRegex(@"\b(DateTime|DateTimeOffset)\.(Now|UtcNow|Today)\b|\bThread\.Sleep\(")]
    private static partial Regex Clock();

    [GeneratedRegex(@"//\s*(FIXME|XXX|HACK|TODO(?!\(#))\b")]
    private static partial Regex Marker();

    [GeneratedRegex(@"[ \t]+$")]
    private static partial Regex TrailingSpace();
}
