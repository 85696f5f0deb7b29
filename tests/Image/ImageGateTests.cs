using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using NJsonSchema;
using Talos.Checks;
using Xunit;

namespace Talos.Image.Tests;

/// <summary>The gate in the build. tests/Checks breaks an image one check at a time; this is about what the build makes of it.</summary>
public sealed class ImageGateTests : IDisposable
{
    readonly SampleSources _sample = new();

    public void Dispose() => _sample.Dispose();

    [Fact]
    public void Rejects_a_candidate_that_fails_and_writes_why()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/mksquashfs"), "mksquashfs IS NOT INSTALLED, NOTHING WAS BUILT: run build/prerequisites.sh");
        // The sample's kernel configuration has nothing of what is demanded.
        _sample.Write("kernel/config", "# Linux/x86 6.12.117 Kernel Configuration\nCONFIG_X86_64=y\nCONFIG_CC_IS_GCC=y\nCONFIG_MODULES=y\n");
        var refused = Assert.Throws<ImageException>(() => ImageBuilder.Build(_sample.Sources, _sample.Output, Gate("os/waivers.yaml").Require));
        Assert.Contains("image.boot.modules: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("kspp.kconfig.HARDENED_USERCOPY: ", refused.Message, StringComparison.Ordinal);
        // Waived, so not among the reasons.
        Assert.DoesNotContain("kspp.kconfig.CFI_CLANG: ", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_sample.Output, ImageBuilder.ManifestName)));
        foreach (var name in new[] { "report.json", "report.junit.xml", "report.sarif", "report.html", "report.txt" })
            Assert.True(new FileInfo(Path.Combine(_sample.Output, name)).Length > 0, name);
    }

    /// <summary>The files that .ci/run hands out.</summary>
    [Fact]
    public async Task Accepts_the_reports_of_a_whole_gate_by_their_schemas()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/mksquashfs"), "mksquashfs IS NOT INSTALLED, NOTHING WAS BUILT: run build/prerequisites.sh");
        Assert.Throws<ImageException>(() => ImageBuilder.Build(_sample.Sources, _sample.Output, Gate("os/waivers.yaml").Require));
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(_sample.Output, "report.json")))!;
        var verdicts = json["results"]!.AsArray().Select(r => (Id: (string)r!["id"]!, Verdict: (string)r["verdict"]!, IsWaived: r["waiver"] is not null)).ToArray();
        Assert.True(verdicts.Length > 600);
        Assert.Contains(verdicts, v => v.IsWaived);

        var schema = await JsonSchema.FromFileAsync(Path.Combine(Repository(), "tests/vectors/checks/schemas/sarif-schema-2.1.0.json"), TestContext.Current.CancellationToken);
        var sarif = File.ReadAllText(Path.Combine(_sample.Output, "report.sarif"));
        Assert.Empty(schema.Validate(sarif).Select(e => e.ToString()));
        var results = JsonNode.Parse(sarif)!["runs"]![0]!["results"]!.AsArray();
        Assert.Equal(verdicts.Select(v => v.Id), results.Select(r => (string)r!["ruleId"]!));

        var suites = XDocument.Load(Path.Combine(_sample.Output, "report.junit.xml")).Root!;
        foreach (var suite in suites.Elements("testsuite").Append(suites))
            foreach (var (attribute, element) in new[] { ("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped") })
                Assert.Equal((string?)suite.Attribute(attribute), $"{suite.Descendants(element).Count()}");
        Assert.Equal(verdicts.Count(v => v is { Verdict: "FAIL", IsWaived: false }) + json["gate"]!["problems"]!.AsArray().Count, suites.Descendants("failure").Count());

        // HTML, §13.1.2: every element that is not void and has no optional end is closed, so the page without the optional ones is XML.
        var html = File.ReadAllText(Path.Combine(_sample.Output, "report.html"));
        foreach (var element in new[] { "html", "head", "body", "main", "header", "table", "tbody", "thead", "article", "dl", "ul", "footer", "code", "small", "h2", "h3", "a" })
            Assert.Equal(Regex.Count(html, $"<{element}[ >]"), Regex.Count(html, $"</{element}>"));
        var ids = Regex.Matches(html, " id=\"([^\"]*)\"").Select(m => m.Groups[1].Value).ToArray();
        Assert.Equal(ids.Distinct(), ids);
        Assert.All(Regex.Matches(html, "href=\"#([^\"]*)\"").Select(m => m.Groups[1].Value), target => Assert.Contains(target, ids));
        Assert.All(verdicts, v => Assert.Contains($"<small>{v.Id}</small>", html, StringComparison.Ordinal));
    }

    [Fact]
    public void Rejects_waivers_changed_after_they_were_signed()
    {
        var text = File.ReadAllText(Path.Combine(Repository(), "os/waivers.yaml"));
        _sample.Write("waivers.yaml", text.Replace("2027-06-30", "2027-07-30", StringComparison.Ordinal));
        var refused = Assert.Throws<ImageException>(() =>
            ImageBuilder.Build(_sample.Sources, _sample.Output, Gate(Path.Combine(_sample.Folder, "waivers.yaml")).Require));
        Assert.Contains("is not signed by a trusted key", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Accepts_the_waivers_that_ship() =>
        Assert.Empty(Waivers.Load(Path.Combine(Repository(), "os/waivers.yaml"), Path.Combine(Repository(), "os/waiver-signers.pem")).Errors);

    ImageGate Gate(string waivers) =>
        new(Path.Combine(Repository(), waivers), Path.Combine(Repository(), "os/waiver-signers.pem"), _sample.Output, TimeProvider.System);

    static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Talos.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
