using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Microsoft.Extensions.Time.Testing;
using NJsonSchema;
using Talos.Checks;
using Xunit;

namespace Talos.Checks.Tests;

/// <summary>One report with a check of every verdict and names that need escaping, in every form.</summary>
public sealed class ReportTests : IDisposable
{
    readonly ImageFixture _image = new();

    public void Dispose() => _image.Dispose();

    [Fact]
    public async Task Accepts_sarif_by_its_schema()
    {
        var schema = await JsonSchema.FromFileAsync(Vectors.Of("schemas", "sarif-schema-2.1.0.json"));
        var text = Written(ReportWriter.WriteSarif);
        Assert.Empty(schema.Validate(text).Select(e => e.ToString()));
        var run = JsonNode.Parse(text)!["runs"]![0]!;
        var kinds = run["results"]!.AsArray().ToDictionary(r => r!["ruleId"]!.GetValue<string>(), r => r!["kind"]!.GetValue<string>());
        Assert.Equal("pass", kinds["own.pass"]);
        Assert.Equal("fail", kinds["own.fail"]);
        Assert.Equal("open", kinds["own.unknown"]);
        Assert.Equal("notApplicable", kinds["own.other"]);
        Assert.Equal("review", kinds["own.manual"]);
        var waived = run["results"]!.AsArray().Single(r => r!["ruleId"]!.GetValue<string>() == "own.waived")!;
        Assert.Contains("late", waived["suppressions"]![0]!["justification"]!.GetValue<string>());
        Assert.Contains(run["results"]!.AsArray(), r => r!["locations"]?[0]?["physicalLocation"]?["region"]?["startLine"] is not null);
    }

    [Fact]
    public async Task Rejects_sarif_that_breaks_the_schema()
    {
        var schema = await JsonSchema.FromFileAsync(Vectors.Of("schemas", "sarif-schema-2.1.0.json"));
        foreach (var (from, to) in new[] { ("\"kind\": \"open\"", "\"kind\": \"maybe\""), ("\"ruleIndex\": 1", "\"ruleIndex\": -9"), ("\"version\": \"2.1.0\"", "\"version\": \"2.2\"") })
        {
            var text = Written(ReportWriter.WriteSarif);
            Assert.Contains(from, text);
            Assert.NotEmpty(schema.Validate(text.Replace(from, to)));
        }
    }

    [Fact]
    public void Accepts_junit_whose_sums_are_right()
    {
        var suites = XDocument.Parse(Written(ReportWriter.WriteJUnit)).Root!;
        Assert.Equal("6", suites.Attribute("tests")!.Value);
        Assert.Equal(("1", "1", "3"), (suites.Attribute("failures")!.Value, suites.Attribute("errors")!.Value, suites.Attribute("skipped")!.Value));
        Assert.Equal(6, suites.Descendants("testcase").Count());
        foreach (var (element, id) in new[] { ("failure", "own.fail"), ("error", "own.unknown") })
            Assert.StartsWith(id, Assert.Single(suites.Descendants(element)).Parent!.Attribute("name")!.Value);
        Assert.Contains("waived by security", suites.Descendants("skipped").First(s => s.Parent!.Attribute("name")!.Value.StartsWith("own.waived", StringComparison.Ordinal)).Attribute("message")!.Value);
    }

    [Fact]
    public void Accepts_json_with_evidence_for_every_verdict()
    {
        var root = JsonNode.Parse(Written(ReportWriter.WriteJson))!;
        Assert.Equal("2026-11-22T10:00:00Z", root["time"]!.GetValue<string>());
        Assert.Equal(2, root["summary"]!["fail"]!.GetValue<int>());
        var fail = root["results"]!.AsArray().Single(r => r!["id"]!.GetValue<string>() == "own.fail")!;
        Assert.Equal("/etc/group:1", fail["evidence"]![0]!["source"]!.GetValue<string>());
        Assert.Equal("<b>\"&", fail["evidence"]![0]!["observed"]!.GetValue<string>());
        Assert.False(root["gate"]!["passes"]!.GetValue<bool>());
    }

    [Fact]
    public void Accepts_html_that_needs_nothing_and_escapes_everything()
    {
        var html = Html();
        Assert.DoesNotContain("<b>\"&", html);
        Assert.Contains("&lt;b&gt;&quot;&amp;", html);
        Assert.DoesNotContain("<script", html);
        Assert.DoesNotContain("http://", html);
        Assert.DoesNotContain("https://", html);
        foreach (var text in (string[])["Does not pass", "own.fail", "own.unknown", "could not be read", "the vendor is late", "History", "2026-11-21T10:00:00Z", "sysctl <code>kernel.sysrq</code> changed", "a person must look", "mount <code>/&lt;mnt&gt;</code> appeared"])
            Assert.Contains(text, html);
    }

    [Fact]
    public void Accepts_a_table_of_what_did_not_pass()
    {
        var output = new StringWriter();
        ReportWriter.WriteTable(Input(), output);
        Assert.Contains("WAIVED   own.waived", output.ToString());
        Assert.Contains("UNKNOWN  own.unknown", output.ToString());
        Assert.DoesNotContain("own.pass ", output.ToString());
        Assert.EndsWith("6 checks of own: 1 pass, 2 fail, 1 unknown, 1 not applicable, 1 manual, 1 waived; the gate stops", output.ToString().TrimEnd());
    }

    [Fact]
    public void Accepts_exit_codes_that_tell_failing_from_not_knowing()
    {
        Assert.Equal(ScanExit.Fail, new ReportInput(Scan(_ => true)).Exit);
        Assert.Equal(ScanExit.CouldNotTell, new ReportInput(Scan(c => c.Id is "own.pass" or "own.unknown")).Exit);
        Assert.Equal(ScanExit.Pass, new ReportInput(Scan(c => c.Id is "own.pass" or "own.manual" or "own.other")).Exit);
        Assert.Equal(ScanExit.CouldNotTell, new ReportInput(Scan(_ => false)).Exit);
    }

    string Html()
    {
        var output = new StringWriter();
        ReportWriter.WriteHtml(Input(), output);
        return output.ToString();
    }

    string Written(Action<ReportInput, Stream> write)
    {
        using var stream = new MemoryStream();
        write(Input(), stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    ReportInput Input()
    {
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var waivers = Waivers.Parse(Waivers.Write([new Waiver("own.waived", "the vendor is late", "security", new(2027, 1, 1), "", 1).Sign(key)]), "w", key.ExportSubjectPublicKeyInfoPem(), "s").Require();
        var report = Scan(_ => true);
        return new(report, Gate.Judge(report, waivers, new(2026, 11, 22)), [new(report.Time.AddDays(-1), "sysctl `kernel.sysrq` changed from `0` to `1`", new("", 1, 2, 3, 4, 5, 6))],
            Changes: [new(report.Time.AddHours(-1), DriftKind.Mount, "/<mnt>", null, "tmpfs", false, ["own.fail"])]);
    }

    ComplianceReport Scan(Func<Check, bool> selected)
    {
        var catalogue = CheckCatalogue.Parse("""
            catalogue: own
            title: Own & <proper>
            version: "1"
            source: handbook
            sections:
              - id: s
                title: S < T
                cite: chapter 1
                rationale: because of "that"
                remediation: do <this>
                checks:
                  - { id: own.pass, title: passes, rule: kconfig DM_VERITY is y }
                  - { id: own.fail, title: fails <x>, rule: line /etc/group ^(.*)$ is root }
                  - { id: own.waived, title: is waived, rule: file /etc/group absent }
                  - { id: own.unknown, title: unknown, rule: yaml /etc/broken key is x }
                  - { id: own.other, title: other, arch: [ARM], rule: kconfig B is y }
                  - { id: own.manual, title: manual, manual: look }
            """, "own.yaml").Require();
        _image.Write("/etc/group", "<b>\"&\n");
        _image.Write("/etc/broken", "a: [\n");
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));
        return ComplianceScan.Run([catalogue], _image.Image, clock, new(Selected: selected));
    }
}
