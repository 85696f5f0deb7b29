using System.Text.Encodings.Web;
using System.Text.Json;

namespace Talos.Kspp;

/// <summary>Rows as JSON, in the form that kernel-hardening-checker prints with `-m json`.</summary>
public static class KsppJson
{
    // The output goes to files and terminals, never into HTML.
    static readonly JsonWriterOptions s_options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(IReadOnlyList<KsppRow> rows, Stream output)
    {
        using var json = new Utf8JsonWriter(output, s_options);
        json.WriteStartArray();
        foreach (var row in rows)
        {
            json.WriteStartObject();
            json.WriteString("option_name", row.OptionName);
            json.WriteString("type", row.Type);
            json.WriteString("reason", row.Reason);
            json.WriteString("decision", row.Decision);
            json.WriteString("desired_val", row.DesiredValue);
            json.WriteString("check_result", row.CheckResult);
            json.WriteBoolean("check_result_bool", row.Passed);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
