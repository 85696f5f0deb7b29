namespace Talos.Audit;

/// <summary>How an entry is written for others.</summary>
public enum AuditFormat
{
    /// <summary>One JSON object a line, as <see cref="AuditEntryJson"/> makes it.</summary>
    JsonLines,

    /// <summary>One OCSF event a line.</summary>
    Ocsf,

    /// <summary>ArcSight Common Event Format, one event a line.</summary>
    Cef,

    /// <summary>RFC 5424, one message a line.</summary>
    Syslog,

    /// <summary>OpenTelemetry logs as OTLP/JSON, one ExportLogsServiceRequest a line (OpenTelemetry "File Exporter").</summary>
    Otlp,
}

/// <summary>Writes entries in the formats that others read.</summary>
public static class AuditFormats
{
    static readonly (string Name, AuditFormat Format)[] s_names =
    [
        ("jsonl", AuditFormat.JsonLines), ("ocsf", AuditFormat.Ocsf), ("syslog", AuditFormat.Syslog), ("cef", AuditFormat.Cef),
        ("otlp", AuditFormat.Otlp),
    ];

    /// <summary>What people call the formats.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_names.Select(static n => n.Name)];

    /// <summary>The format that people call <paramref name="name"/>.</summary>
    public static bool TryParse(string name, out AuditFormat format)
    {
        int at = Array.FindIndex(s_names, n => n.Name == name);
        format = at < 0 ? default : s_names[at].Format;
        return at >= 0;
    }

    /// <summary>The entry in the given format, without a line break.</summary>
    public static string Render(AuditFormat format, AuditRecord record) => format switch
    {
        AuditFormat.JsonLines => AuditEntryJson.ToJson(record),
        AuditFormat.Ocsf => OcsfEvent.Render(record),
        AuditFormat.Cef => CefEvent.Render(record),
        AuditFormat.Syslog => SyslogMessage.Render(record),
        AuditFormat.Otlp => OtlpJson.Render(record),
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    // 0 unknown, 1 informational … 5 critical: the scale of OCSF, which the others are derived from.
    internal static int Severity(Entry entry) => entry.Kind switch
    {
        EntryKind.CallOpened or EntryKind.Boot or EntryKind.Shutdown or EntryKind.Retention => 1,
        EntryKind.CallClosed => entry.Decision?.Effect == Effect.Allow ? 1 : 3,
        EntryKind.HandshakeFailed or EntryKind.ClockJump or EntryKind.Repair or EntryKind.Compliance => 3,
        EntryKind.CertificateIssued or EntryKind.Enrollment or EntryKind.Token or EntryKind.Service => 1,
        EntryKind.CertificateRevoked or EntryKind.Rollover or EntryKind.Bundle or EntryKind.Upgrade => 2,
        EntryKind.Lost or EntryKind.Witness => 4,
        EntryKind.Unspecified => 0,
        _ => 0,
    };

    // One sentence for people, whatever the kind.
    internal static string Sentence(AuditRecord record)
    {
        Entry entry = record.Entry;
        if (entry.Message.Length != 0) return entry.Message;
        string who = entry.Caller?.Name is { Length: > 0 } name ? name : "unknown caller";
        string what = entry.Method.Length == 0 ? AuditFilter.KindName(entry.Kind) : entry.Method;
        return entry.Kind switch
        {
            EntryKind.CallOpened => $"{who} calls {what}",
            EntryKind.CallClosed when entry.Decision?.Effect == Effect.Allow => $"{who} called {what}: {entry.Outcome?.Status}",
            EntryKind.CallClosed => $"{who} was denied {what}: {entry.Decision?.Reason}",
            _ => $"{AuditFilter.KindName(entry.Kind)} {entry.Method}".TrimEnd(),
        };
    }
}
