using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Talos.Audit;

/// <summary>
/// An entry as one JSON object: the fields of entry.proto in lower camel case, times as RFC 3339, kinds as filters write them, absent
/// fields left out. The form of JSONL exports and of `-o json`.
/// </summary>
public static class AuditEntryJson
{
    // The output is for files and terminals, not for HTML: only what JSON itself demands is escaped.
    internal static readonly JsonWriterOptions Options =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>The entry on one line.</summary>
    public static string ToJson(AuditRecord record)
    {
        ArrayBufferWriter<byte> buffer = new(1024);
        using (Utf8JsonWriter writer = new(buffer, Options)) Write(writer, record);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Writes the entry as one object.</summary>
    public static void Write(Utf8JsonWriter writer, AuditRecord record)
    {
        Entry entry = record.Entry;
        writer.WriteStartObject();
        writer.WriteNumber("index", record.Index);
        writer.WriteNumber("schema", entry.Schema);
        writer.WriteString("kind", AuditFilter.KindName(entry.Kind));
        writer.WriteString("time", AuditLog.Rfc3339(entry.WallTimeUnixNanos));
        writer.WriteNumber("monotonicNanos", entry.MonotonicNanos);
        writer.WriteString("node", entry.Node);
        writer.WriteString("bootId", BootId(entry));
        if (entry.HasOpenedIndex) writer.WriteNumber("openedIndex", entry.OpenedIndex);
        if (entry.Attestation != Attestation.Unspecified) writer.WriteString("attestation", AttestationName(entry.Attestation));
        if (entry.Caller is { } caller) WriteCaller(writer, caller);
        Text(writer, "method", entry.Method);
        if (!entry.RequestDigest.IsEmpty) writer.WriteString("requestDigest", Convert.ToHexStringLower(entry.RequestDigest.Span));
        if (entry.Fields.Count != 0) WriteFields(writer, entry);
        if (entry.Decision is { } decision) WriteDecision(writer, decision);
        if (entry.Outcome is { } outcome) WriteOutcome(writer, outcome);
        if (entry.Details.Count != 0)
        {
            writer.WriteStartObject("details");
            foreach ((string key, string value) in entry.Details) writer.WriteString(key, value);
            writer.WriteEndObject();
        }
        Text(writer, "message", entry.Message);
        writer.WriteString("leafHash", Convert.ToHexStringLower(TreeHash.Leaf(record.Raw.Span)));
        writer.WriteEndObject();
    }

    internal static string BootId(Entry entry) => entry.BootId.Length == 16 ? new Guid(entry.BootId.Span, bigEndian: true).ToString() : "";

    internal static string AttestationName(Attestation attestation) => attestation switch
    {
        Attestation.Unavailable => "unavailable",
        Attestation.Pending => "pending",
        Attestation.Failed => "failed",
        Attestation.Verified => "verified",
        Attestation.Unspecified => "",
        _ => "",
    };

    static void WriteCaller(Utf8JsonWriter writer, Caller caller)
    {
        writer.WriteStartObject("caller");
        Text(writer, "name", caller.Name);
        List(writer, "roles", caller.Roles);
        Text(writer, "serial", caller.Serial);
        Text(writer, "spiffeUri", caller.SpiffeUri);
        Text(writer, "sourceAddress", caller.SourceAddress);
        List(writer, "forwardedBy", caller.ForwardedBy);
        writer.WriteEndObject();
    }

    static void WriteFields(Utf8JsonWriter writer, Entry entry)
    {
        writer.WriteStartArray("fields");
        foreach (LoggedField field in entry.Fields)
        {
            writer.WriteStartObject();
            writer.WriteString("path", field.Path);
            if (field.Masked) writer.WriteBoolean("masked", true);
            else writer.WriteString("value", field.Value);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    static void WriteDecision(Utf8JsonWriter writer, Decision decision)
    {
        writer.WriteStartObject("decision");
        Text(writer, "effect", AuditFilter.EffectName(decision.Effect));
        Text(writer, "rule", decision.Rule);
        Text(writer, "bundleRevision", decision.BundleRevision);
        Text(writer, "reasonId", decision.ReasonId);
        Text(writer, "reason", decision.Reason);
        writer.WriteEndObject();
    }

    static void WriteOutcome(Utf8JsonWriter writer, Outcome outcome)
    {
        writer.WriteStartObject("outcome");
        Text(writer, "status", outcome.Status);
        writer.WriteNumber("durationNanos", outcome.DurationNanos);
        Text(writer, "message", outcome.Message);
        writer.WriteEndObject();
    }

    static void Text(Utf8JsonWriter writer, string name, string value)
    {
        if (value.Length != 0) writer.WriteString(name, value);
    }

    static void List(Utf8JsonWriter writer, string name, IEnumerable<string> values)
    {
        writer.WriteStartArray(name);
        foreach (string value in values) writer.WriteStringValue(value);
        writer.WriteEndArray();
    }
}
