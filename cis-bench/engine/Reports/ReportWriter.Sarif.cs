using System.Globalization;
using System.Text.Json;

namespace Talos.Checks;

public static partial class ReportWriter
{
    /// <summary>
    /// SARIF 2.1.0: a rule for each check, a result for each verdict. §3.27.9 kinds: pass, fail, open (could not be read), notApplicable,
    /// review (manual). A waiver is an external suppression with its justification (§3.35).
    /// </summary>
    public static void WriteSarif(ReportInput input, Stream output)
    {
        using var json = new Utf8JsonWriter(output, s_json);
        var checks = input.Report.Results.Select(r => r.Check).ToArray();
        json.WriteStartObject();
        json.WriteString("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
        json.WriteString("version", "2.1.0");
        json.WriteStartArray("runs");
        json.WriteStartObject();
        json.WriteStartObject("tool");
        json.WriteStartObject("driver");
        json.WriteString("name", ReportInput.Product);
        json.WriteString("version", ReportInput.Version);
        json.WriteStartArray("rules");
        foreach (var check in checks) WriteRule(json, check);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartArray("invocations");
        json.WriteStartObject();
        json.WriteBoolean("executionSuccessful", input.Exit != ScanExit.CouldNotTell);
        json.WriteString("endTimeUtc", ReportInput.Stamp(input.Report.Time));
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteString("columnKind", "utf16CodeUnits");
        json.WriteStartArray("results");
        for (var i = 0; i < checks.Length; i++) WriteSarifResult(json, input, input.Report.Results[i], i);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static void WriteRule(Utf8JsonWriter json, Check check)
    {
        json.WriteStartObject();
        json.WriteString("id", check.Id);
        WriteText(json, "shortDescription", check.Title);
        WriteText(json, "fullDescription", check.Rationale);
        WriteText(json, "help", $"{check.Remediation} Source: {check.Citation}.");
        json.WriteStartObject("properties");
        json.WriteString("benchmark", check.Catalogue);
        json.WriteString("section", check.SectionTitle);
        json.WriteNumber("level", check.Level);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    static void WriteSarifResult(Utf8JsonWriter json, ReportInput input, CheckResult result, int index)
    {
        json.WriteStartObject();
        json.WriteString("ruleId", result.Check.Id);
        json.WriteNumber("ruleIndex", index);
        json.WriteString("kind", result.Verdict switch
        {
            Verdict.Pass => "pass",
            Verdict.Fail => "fail",
            Verdict.NotApplicable => "notApplicable",
            Verdict.Manual => "review",
            _ => "open",
        });
        // §3.27.10: every kind but fail has the level none.
        json.WriteString("level", result.Verdict == Verdict.Fail ? "error" : "none");
        WriteText(json, "message", OneLine(result.Reason));
        if (Places(result) is { Count: > 0 } places)
        {
            json.WriteStartArray("locations");
            foreach (var (path, line) in places) WriteLocation(json, path, line);
            json.WriteEndArray();
        }
        if (input.WaiverOf(result) is { } waiver)
        {
            json.WriteStartArray("suppressions");
            json.WriteStartObject();
            json.WriteString("kind", "external");
            json.WriteString("status", "accepted");
            json.WriteString("justification", string.Create(CultureInfo.InvariantCulture, $"{OneLine(waiver.Reason)} ({waiver.Owner}, until {waiver.Expiry:yyyy-MM-dd})"));
            json.WriteEndObject();
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    static void WriteLocation(Utf8JsonWriter json, string path, int line)
    {
        json.WriteStartObject();
        json.WriteStartObject("physicalLocation");
        json.WriteStartObject("artifactLocation");
        json.WriteString("uri", string.Join('/', path.Split('/').Select(Uri.EscapeDataString)));
        json.WriteEndObject();
        if (line > 0)
        {
            json.WriteStartObject("region");
            json.WriteNumber("startLine", line);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // The facts that decided, where they were read from a file: `path` or `path:line`.
    static List<(string Path, int Line)> Places(CheckResult result)
    {
        var places = new List<(string, int)>();
        foreach (var source in (result.Evidence?.Facts() ?? []).Where(f => f.Verdict != Verdict.Pass || result.Verdict == Verdict.Pass).Select(f => f.Source).Distinct())
        {
            if (!source.StartsWith('/') || source.Length < 2 || source.Contains('*')) continue;
            var path = source.Split(' ')[0];
            var colon = path.LastIndexOf(':');
            var hasLine = colon > 0 && int.TryParse(path.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0;
            places.Add(hasLine ? (path[..colon], int.Parse(path.AsSpan(colon + 1), CultureInfo.InvariantCulture)) : (path, 0));
        }
        return places;
    }

    static void WriteText(Utf8JsonWriter json, string property, string text)
    {
        json.WriteStartObject(property);
        json.WriteString("text", text);
        json.WriteEndObject();
    }
}
