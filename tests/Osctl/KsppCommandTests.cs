using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Talos.Osctl.Tests;

/// <summary>`osctl kspp` and `osctl compliance scan`: they read files and ask no node.</summary>
public sealed class KsppCommandTests : IDisposable
{
    static readonly string Vectors = Path.Combine(RepositoryRoot(), "tests", "vectors", "checks", "kconfig");

    readonly string _folder = Directory.CreateTempSubdirectory("osctl-kspp-").FullName;
    readonly StringWriter _output = new();
    readonly StringWriter _error = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Accepts_a_kernel_and_says_what_the_checker_says()
    {
        var code = await Run("kspp", "--kconfig", Config, "--cmdline", Path.Combine(Vectors, "cmdline.txt"), "--sysctl", Path.Combine(Vectors, "sysctl.txt"), "-o", "json");
        Assert.Equal(ExitCode.NotInOrder, code);
        using var packed = new GZipStream(File.OpenRead(Path.Combine(Vectors, "x86_64_defconfig_6.17.json.gz")), CompressionMode.Decompress);
        Assert.True(JsonNode.DeepEquals(await JsonNode.ParseAsync(packed, cancellationToken: TestContext.Current.CancellationToken), JsonNode.Parse(_output.ToString())));
    }

    [Theory]
    [InlineData("there is no kernel to judge")]
    [InlineData("it is not there", "--kconfig", "/nonexistent")]
    [InlineData("a command line can be judged only with the kernel's configuration", "--cmdline", "/proc/cmdline", "--sysctl", "/proc/version")]
    [InlineData("unexpected line", "--kconfig", "/etc/passwd")]
    public async Task Rejects_what_it_cannot_judge_with_one_sentence(string sentence, params string[] arguments)
    {
        Assert.Equal(ExitCode.NotAsked, await Run(["kspp", .. arguments]));
        Assert.Contains(sentence, _error.ToString());
        Assert.DoesNotContain("   at ", _error.ToString());
    }

    [Fact]
    public async Task Accepts_a_scan_that_writes_every_report_and_tells_by_its_code()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "root", "etc"));
        var reports = new[] { "junit", "sarif", "html" }.ToDictionary(r => r, r => Path.Combine(_folder, r));
        string[] files = [.. reports.SelectMany(r => new[] { $"--{r.Key}", r.Value })];
        Assert.Equal(ExitCode.NotInOrder, await Run(["compliance", "scan", "--root", Path.Combine(_folder, "root"), "--benchmark", "kspp", "--kconfig", Config, .. files]));
        Assert.All(reports.Values, r => Assert.True(new FileInfo(r).Length > 1_000));
    }

    [Fact]
    public async Task Accepts_waivers_that_were_signed_and_only_then()
    {
        var (catalogue, waivers, key, signers) = (Write("own.yaml", """
            catalogue: own
            title: Own
            version: "1"
            source: handbook
            sections:
              - { id: s, title: S, cite: c, rationale: r, remediation: r, checks: [{ id: own.a, title: t, rule: file /x present }, { id: own.b, title: t, rule: file /y absent }] }
            """), Write("waivers.yaml", "waivers:\n  - { id: own.a, reason: not yet, owner: me, expiry: 2027-01-01 }\n"), Path.Combine(_folder, "key"), Path.Combine(_folder, "signers"));
        using (var made = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            File.WriteAllText(key, made.ExportPkcs8PrivateKeyPem());
            File.WriteAllText(signers, made.ExportSubjectPublicKeyInfoPem());
        }
        string[] scan = ["compliance", "scan", "--root", _folder, "--catalogue", catalogue];
        Assert.Equal(ExitCode.NotInOrder, await Run(scan));
        Assert.Equal(ExitCode.NotAsked, await Run([.. scan, "--waivers", waivers, "--signers", signers]));
        Assert.Equal(ExitCode.Done, await Run("compliance", "sign", waivers, "--key", key));
        Assert.Equal(ExitCode.Done, await Run([.. scan, "--waivers", waivers, "--signers", signers]));
        // What cannot be read is no pass and no failure.
        File.CreateSymbolicLink(Path.Combine(_folder, "y"), "y");
        Assert.Equal(ExitCode.CouldNotTell, await Run([.. scan, "--waivers", waivers, "--signers", signers]));
    }

    [Fact]
    public async Task Accepts_reports_to_compare()
    {
        Assert.Equal(ExitCode.NotInOrder, await Run("compliance", "diff",
            Write("a.json", """{"format":"talos-compliance-v1","results":[{"id":"x","verdict":"PASS"},{"id":"y","verdict":"FAIL"}]}"""),
            Write("b.json", """{"format":"talos-compliance-v1","results":[{"id":"x","verdict":"FAIL"},{"id":"y","verdict":"FAIL"}]}""")));
        Assert.Contains("1 changed", _output.ToString());
    }

    [Fact]
    public async Task Accepts_questions_about_a_check()
    {
        Assert.Equal(ExitCode.Done, await Run("compliance", "explain", "kspp.kconfig.KFENCE"));
        Assert.Contains("kconfig KFENCE is y", _output.ToString());
        Assert.Equal(ExitCode.NotAsked, await Run("compliance", "explain", "kspp.kconfig.KFENC"));
        Assert.Contains("did you mean `kspp.kconfig.KFENCE`?", _error.ToString());
    }

    [Theory]
    [InlineData("list", "--benchmark", "cis-kubernetes")]
    [InlineData("explain", "kspp.kconfig.KFENCE")]
    public async Task Accepts_the_same_as_a_tree(params string[] command)
    {
        Assert.Equal(ExitCode.Done, await Run(["compliance", .. command, "-o", "json"]));
        var tree = System.Text.Json.Nodes.JsonNode.Parse(_output.ToString())!;
        var check = tree is System.Text.Json.Nodes.JsonArray all ? all[0]! : tree;
        foreach (var field in new[] { "id", "benchmark", "title", "citation", "rationale", "remediation" }) Assert.NotEqual("", (string)check[field]!);
    }

    [Fact]
    public async Task Rejects_a_malformed_catalogue_with_every_place()
    {
        var catalogue = Write("own.yaml", "catalogue: own\ntitle: t\nsections:\n  - id: s\n    titel: S\n    checks: []\n");
        Assert.Equal(ExitCode.NotAsked, await Run("compliance", "scan", "--root", _folder, "--catalogue", catalogue));
        foreach (var place in new[] { ":1:1: `version` is missing", ":1:1: `source` is missing", ":4:5: `title` is missing", ":5:5: unknown field `titel`" })
            Assert.Contains(catalogue + place, _error.ToString());
    }

    static string Config => Path.Combine(Vectors, "x86_64_defconfig_6.17.config.gz");

    string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    Task<int> Run(params string[] arguments) => CommandLine.RunAsync(arguments, new Terminal
    {
        Output = _output,
        Error = _error,
        Bytes = Stream.Null,
        Environment = _ => null,
        Time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero)),
    });

    static string RepositoryRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            if (File.Exists(Path.Combine(directory.FullName, "Talos.sln"))) return directory.FullName;
        throw new InvalidOperationException("the tests run outside the repository");
    }
}
