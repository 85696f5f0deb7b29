using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Talos.Audit.Otlp;

namespace Talos.Audit;

// OTLP/JSON (opentelemetry-proto, "JSON Protobuf Encoding"): names in lowerCamelCase, 64-bit integers as strings.
static class OtlpJson
{
    internal static string Render(AuditRecord record)
    {
        ArrayBufferWriter<byte> buffer = new(1024);
        using (Utf8JsonWriter writer = new(buffer, AuditEntryJson.Options)) Write(writer, OtlpSink.Resource([record]));
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    static void Write(Utf8JsonWriter writer, ResourceLogs logs)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("resourceLogs");
        writer.WriteStartObject();
        writer.WriteStartObject("resource");
        Attributes(writer, logs.Resource.Attributes);
        writer.WriteEndObject();
        writer.WriteStartArray("scopeLogs");
        foreach (ScopeLogs scope in logs.ScopeLogs)
        {
            writer.WriteStartObject();
            writer.WriteStartObject("scope");
            writer.WriteString("name", scope.Scope.Name);
            writer.WriteString("version", scope.Scope.Version);
            writer.WriteEndObject();
            writer.WriteStartArray("logRecords");
            foreach (LogRecord log in scope.LogRecords) Write(writer, log);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    static void Write(Utf8JsonWriter writer, LogRecord log)
    {
        writer.WriteStartObject();
        writer.WriteString("timeUnixNano", log.TimeUnixNano.ToString(CultureInfo.InvariantCulture));
        writer.WriteString("observedTimeUnixNano", log.ObservedTimeUnixNano.ToString(CultureInfo.InvariantCulture));
        writer.WriteNumber("severityNumber", log.SeverityNumber);
        writer.WriteString("severityText", log.SeverityText);
        writer.WriteString("eventName", log.EventName);
        Value(writer, "body", log.Body);
        Attributes(writer, log.Attributes);
        writer.WriteEndObject();
    }

    static void Attributes(Utf8JsonWriter writer, IEnumerable<KeyValue> attributes)
    {
        writer.WriteStartArray("attributes");
        foreach (KeyValue attribute in attributes)
        {
            writer.WriteStartObject();
            writer.WriteString("key", attribute.Key);
            Value(writer, "value", attribute.Value);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    // The exporter writes texts and numbers only.
    static void Value(Utf8JsonWriter writer, string name, AnyValue value)
    {
        writer.WriteStartObject(name);
        if (value.ValueCase == AnyValue.ValueOneofCase.IntValue)
            writer.WriteString("intValue", value.IntValue.ToString(CultureInfo.InvariantCulture));
        else writer.WriteString("stringValue", value.StringValue);
        writer.WriteEndObject();
    }
}
