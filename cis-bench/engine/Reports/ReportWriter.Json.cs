using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Talos.Checks;

public static partial class ReportWriter
{
    // Reports are files; nothing embeds them into HTML unescaped.
    static readonly JsonWriterOptions s_json = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Everything that the report knows. The form is described in docs/design/compliance.md.</summary>
    public static void WriteJson(ReportInput input, Stream output)
    {
        using var json = new Utf8JsonWriter(output, s_json);
        var report = input.Report;
        json.WriteStartObject();
        json.WriteString("format", "talos-compliance-v1");
        json.WriteString("target", report.Target);
        json.WriteString("kind", report.Kind.ToString());
        json.WriteString("time", ReportInput.Stamp(report.Time));
        json.WriteNumber("duration_ms", Math.Round(report.Duration.TotalMilliseconds, 3));
        json.WriteStartObject("kernel");
        json.WriteString("architecture", report.Kernel.Architecture);
        json.WriteString("version", report.Kernel.Version);
        json.WriteString("compiler", report.Kernel.Compiler);
        json.WriteEndObject();
        json.WriteStartObject("summary");
        foreach (var verdict in (Verdict[])[Verdict.Pass, Verdict.Fail, Verdict.Unknown, Verdict.NotApplicable, Verdict.Manual])
            json.WriteNumber(ReportInput.Word(verdict).ToLowerInvariant(), report.Count(verdict));
        json.WriteEndObject();
        if (input.Gate is { } gate)
        {
            json.WriteStartObject("gate");
            json.WriteBoolean("passes", gate.Pass is not null);
            json.WriteStartArray("problems");
            foreach (var problem in gate.Problems) json.WriteStringValue(problem);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteStartArray("results");
        foreach (var result in report.Results) WriteResult(json, input, result);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static void WriteResult(Utf8JsonWriter json, ReportInput input, CheckResult result)
    {
        var check = result.Check;
        json.WriteStartObject();
        json.WriteString("id", check.Id);
        json.WriteString("benchmark", check.Catalogue);
        json.WriteString("section", check.SectionTitle);
        json.WriteString("title", check.Title);
        json.WriteNumber("level", check.Level);
        json.WriteString("verdict", ReportInput.Word(result.Verdict));
        json.WriteString("finding", OneLine(result.Reason));
        json.WriteString("rule", check.RuleText);
        json.WriteString("citation", check.Citation);
        if (result.Verdict is not Verdict.Pass) json.WriteString("remediation", check.Remediation);
        if (input.WaiverOf(result) is { } waiver)
        {
            json.WriteStartObject("waiver");
            json.WriteString("reason", OneLine(waiver.Reason));
            json.WriteString("owner", waiver.Owner);
            json.WriteString("expiry", waiver.Expiry.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }
        json.WriteStartArray("evidence");
        foreach (var fact in result.Evidence?.Facts() ?? [])
        {
            json.WriteStartObject();
            json.WriteString("fact", $"{fact.Probe} {fact.Subject}".Trim());
            json.WriteString("expected", $"{fact.Operator} {fact.Operand}".Trim());
            json.WriteString("observed", fact.Observed);
            json.WriteString("source", fact.Source);
            json.WriteString("verdict", ReportInput.Word(fact.Verdict));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
