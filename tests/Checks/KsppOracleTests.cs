using System.Text.Json.Nodes;
using Talos.Checks;
using Talos.Kspp;
using Xunit;

namespace Talos.Checks.Tests;

/// <summary>Our rows against those of kernel-hardening-checker, field by field.</summary>
public class KsppOracleTests
{
    public static TheoryData<string> Configurations() =>
        [.. Directory.GetFiles(Vectors.Of("kconfig"), "*.config.gz").Select(f => Path.GetFileName(f)[..^".config.gz".Length]).Order()];

    public static TheoryData<string> Accepted() => Cases("accepted-*");

    public static TheoryData<string> Refused() => Cases("refused-*");

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Accepts_the_same_settings_of_a_published_configuration(string name)
    {
        var files = new KernelFiles(Vectors.Of("kconfig", $"{name}.config.gz"), Vectors.Of("kconfig", "cmdline.txt"), Vectors.Of("kconfig", "sysctl.txt"));
        AssertSame(Vectors.Unpack(Vectors.Of("kconfig", $"{name}.json.gz")), files);
    }

    [Theory]
    [MemberData(nameof(Accepted))]
    public void Accepts_the_same_settings_of_a_random_kernel(string name) =>
        AssertSame(Vectors.Unpack(Vectors.Of("generated", name, "expected.json.gz")), FilesOf(name));

    [Theory]
    [MemberData(nameof(Refused))]
    public void Rejects_what_the_checker_refuses(string name)
    {
        var verdict = KsppScan.Run(FilesOf(name), TimeProvider.System);
        Assert.Null(verdict.Report);
        Assert.NotEmpty(verdict.Errors);
        Assert.All(verdict.Errors, e => Assert.True(e is { Line: > 0, Column: > 0, Message.Length: > 0 }));
    }

    /// <summary>All that distributions, Android, NixOS, KSPP and the kernel itself publish, as the checker's package brings it.</summary>
    [Fact]
    public void Accepts_the_same_settings_as_the_checker_of_every_configuration_that_it_ships()
    {
        var configurations = Directory.GetFiles(Path.Combine(Checker.Require(), "kernel_hardening_checker", "config_files"), "*.config", SearchOption.AllDirectories);
        Assert.True(configurations.Length > 80);
        Checker.AssertSame([.. configurations.Order().Select(f => new KernelFiles(f, Vectors.Of("kconfig", "cmdline.txt"), Vectors.Of("kconfig", "sysctl.txt")))]);
    }

    /// <summary>The same configurations, spoilt: other line ends, releases, compilers, architectures, lines that are no options.</summary>
    [Fact]
    public void Accepts_and_rejects_odd_files_as_the_checker_does()
    {
        Checker.Require();
        using var folder = new TemporaryFolder();
        var random = new Random(6);
        var sources = Directory.GetFiles(Vectors.Of("kconfig"), "*.config.gz").Order().ToArray();
        var cases = new List<KernelFiles>();
        foreach (var (name, spoil) in OddConfigurations.All)
        {
            var text = Vectors.Unpack(sources[random.Next(sources.Length)]);
            var path = Path.Combine(folder.Path, $"{name}.config");
            File.WriteAllText(path, spoil(text, random));
            cases.Add(new(path, random.Next(2) == 0 ? Vectors.Of("kconfig", "cmdline.txt") : null, random.Next(2) == 0 ? Vectors.Of("kconfig", "sysctl.txt") : null));
        }
        Checker.AssertSame(cases);
    }

    [Fact]
    public void Accepts_every_row_of_the_fact_table()
    {
        var known = KsppCatalogue.Load().Checks
            .Where(c => c.Architectures.Count == 0 || c.Architectures.Contains("X86_64"))
            .Select(c => c.Title).ToHashSet();
        var rows = File.ReadAllLines(Vectors.Of("kernel-hardening-x86_64.tsv")).Skip(1).Select(l => l.Split('\t')).ToArray();
        Assert.Equal(363, rows.Length);
        foreach (var row in rows)
        {
            var wanted = row[4] switch
            {
                "is not set" or "is not off" or "is present" => row[4],
                "MAX" => "is the maximum",
                ['*', .. var item, '*'] => $"includes {item}",
                var value => $"is {value}",
            };
            Assert.Contains($"{row[0]} {wanted}", known);
        }
    }

    [Fact]
    public void Rejects_a_command_line_without_a_configuration() =>
        Assert.Null(KsppScan.Run(new KernelFiles(CommandLine: Vectors.Of("kconfig", "cmdline.txt")), TimeProvider.System).Report);

    [Theory]
    [InlineData("a=\"x y\" b", "b present", Verdict.Pass)]
    [InlineData("dm-mod.create=\"root,,,ro,0 8 verity 1 /dev/vda\" panic=-1", "1 absent", Verdict.Pass)]
    [InlineData("dm-mod.create=\"root,,,ro,0 8 verity 1 /dev/vda\" panic=-1", "dm-mod.create matches verity", Verdict.Pass)]
    [InlineData("nosmt x=on x=off", "x is 0", Verdict.Pass)]
    [InlineData("debugfs=on", "debugfs is 1", Verdict.Fail)]
    public void Accepts_command_lines_as_the_kernel_reads_them(string line, string rule, Verdict verdict)
    {
        using var image = new ImageFixture();
        image.Kernel("CONFIG_X86_64=y\n", line + "\n");
        Assert.Equal(verdict, ProbeTests.Evaluate($"cmdline {rule}", image.Image).Verdict);
    }

    internal static void AssertSame(string expected, KernelFiles files)
    {
        var verdict = KsppScan.Run(files, TimeProvider.System);
        Assert.Empty(verdict.Errors);
        using var written = new MemoryStream();
        KsppJson.Write(verdict.Report!.Rows, written);
        var ours = JsonNode.Parse(written.ToArray())!.AsArray();
        var theirs = JsonNode.Parse(expected)!.AsArray();
        for (var i = 0; i < Math.Min(ours.Count, theirs.Count); i++) Assert.Equal(theirs[i]!.ToJsonString(), ours[i]!.ToJsonString());
        Assert.Equal(theirs.Count, ours.Count);
    }

    static TheoryData<string> Cases(string pattern) =>
        [.. Directory.GetDirectories(Vectors.Of("generated"), pattern).Select(d => Path.GetFileName(d)).Order()];

    static KernelFiles FilesOf(string name)
    {
        var files = new KernelFiles(Existing("config.gz"), Existing("cmdline"), Existing("sysctl"), Existing("version"));
        Assert.True(files.Kconfig is not null || files.Sysctl is not null, $"the case `{name}` is empty");
        return files;

        string? Existing(string file) => File.Exists(Vectors.Of("generated", name, file)) ? Vectors.Of("generated", name, file) : null;
    }
}
