using System.Globalization;
using System.Text;

namespace Talos.Audit;

// RFC 5424. Structured data carries what filters need; the message is the entry as JSON, complete.
static class SyslogMessage
{
    // Log audit (RFC 5424 §6.2.1).
    const int Facility = 13;
    // The enterprise number is the one that RFC 5612 sets aside for documentation: the project has none of its own.
    const string SdId = "talos@32473";

    internal static string Render(AuditRecord record) => Carry(record, AuditEntryJson.ToJson(record));

    internal static string Carry(AuditRecord record, string message)
    {
        Entry entry = record.Entry;
        StringBuilder text = new(1024);
        text.Append(CultureInfo.InvariantCulture, $"<{(Facility * 8) + SeverityOf(entry)}>1 {Timestamp(entry)} ");
        Header(text, entry.Node, 255).Append(" talos-audit - ");
        Header(text, AuditFilter.KindName(entry.Kind), 32).Append(' ');
        text.Append('[').Append(SdId).Append(CultureInfo.InvariantCulture, $" index=\"{record.Index}\"");
        Parameter(text, "caller", entry.Caller?.Name);
        Parameter(text, "serial", entry.Caller?.Serial);
        Parameter(text, "method", entry.Method);
        Parameter(text, "decision", AuditFilter.EffectName(entry.Decision?.Effect ?? Effect.Unspecified));
        Parameter(text, "status", entry.Outcome?.Status);
        return text.Append("] ").Append(message).ToString();
    }

    // Emergency is 0, debug is 7.
    static int SeverityOf(Entry entry) => AuditFormats.Severity(entry) switch
    {
        5 => 2,
        4 => 3,
        3 => 4,
        2 => 5,
        _ => 6,
    };

    // RFC 3339 with at most six digits of a second (RFC 5424 §6.2.3).
    static string Timestamp(Entry entry) =>
        DateTimeOffset.UnixEpoch.AddTicks(entry.WallTimeUnixNanos / TimeSpan.NanosecondsPerTick)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    // Header fields are printable US-ASCII without spaces; "-" stands for nothing.
    static StringBuilder Header(StringBuilder text, string value, int limit)
    {
        int start = text.Length;
        foreach (char c in value.AsSpan(0, Math.Min(value.Length, limit))) text.Append(c is > ' ' and < (char)127 ? c : '_');
        return text.Length == start ? text.Append('-') : text;
    }

    static void Parameter(StringBuilder text, string name, string? value)
    {
        if (string.IsNullOrEmpty(value)) return;
        text.Append(' ').Append(name).Append("=\"");
        foreach (char c in value)
        {
            // RFC 5424 §6.3.3; control characters are allowed there, but not in what receivers write to files.
            if (c is '"' or '\\' or ']') text.Append('\\');
            text.Append(char.IsControl(c) ? ' ' : c);
        }
        text.Append('"');
    }
}
