using System.Diagnostics;
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

    [Theory]
    [InlineData("x86_64_defconfig_6.17")]
    [InlineData("Debian_13_Trixie_aarch64")]
    [InlineData("OpenSUSE_riscv64")]
    public void Accepts_the_same_settings_as_the_checker_itself(string name)
    {
        // build/kernel-oracle.sh unpacks Debian's package there; where the package is installed, python3 finds it by itself.
        var unpacked = Path.Combine(Vectors.Root, "../../../out/kernel-oracle/checker/usr/lib/python3/dist-packages");
        if (!Directory.Exists(unpacked) && !File.Exists("/usr/bin/kernel-hardening-checker"))
            Assert.Skip("SKIPPED LOUDLY: kernel-hardening-checker is not here; build/kernel-oracle.sh unpacks it");
        var files = new KernelFiles(Vectors.Of("kconfig", $"{name}.config.gz"), Vectors.Of("kconfig", "cmdline.txt"), Vectors.Of("kconfig", "sysctl.txt"));
        var start = new ProcessStartInfo("python3", ["-c", "from kernel_hardening_checker import main; main()",
            "-m", "json", "-c", files.Kconfig!, "-l", files.CommandLine!, "-s", files.Sysctl!])
        { RedirectStandardOutput = true };
        start.Environment["PYTHONPATH"] = unpacked;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        AssertSame(output, files);
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

    static void AssertSame(string expected, KernelFiles files)
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
