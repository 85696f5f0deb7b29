using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Talos.Audit;

// Open Cybersecurity Schema Framework 1.3. Calls are API Activity, failed handshakes Authentication, identities Account Change, drift
// Compliance Finding; what the node does of itself is a Base Event.
static class OcsfEvent
{
    const string Version = "1.3.0";

    // Category, class and activity; type_uid is class × 100 + activity.
    readonly record struct Class(int Category, int Uid, int Activity, string Name, string ActivityName);

    internal static string Render(AuditRecord record)
    {
        ArrayBufferWriter<byte> buffer = new(1024);
        using (Utf8JsonWriter writer = new(buffer, AuditEntryJson.Options)) Write(writer, record);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    static Class Classify(Entry entry) => entry.Kind switch
    {
        EntryKind.CallOpened or EntryKind.CallClosed => Call(ActivityOf(entry.Method)),
        EntryKind.HandshakeFailed => new(3, 3002, 1, "Authentication", "Logon"),
        EntryKind.CertificateIssued or EntryKind.Enrollment => new(3, 3001, 1, "Account Change", "Create"),
        EntryKind.CertificateRevoked => new(3, 3001, 5, "Account Change", "Disable"),
        EntryKind.Token => new(3, 3001, 99, "Account Change", "Token"),
        EntryKind.Compliance => new(2, 2003, 2, "Compliance Finding", "Update"),
        EntryKind.Unspecified or EntryKind.Rollover or EntryKind.Bundle or EntryKind.Boot or EntryKind.Shutdown or EntryKind.Upgrade
            or EntryKind.ClockJump or EntryKind.Repair or EntryKind.Service or EntryKind.Retention or EntryKind.Lost or EntryKind.Witness
            => new(0, 0, 99, "Base Event", AuditFilter.KindName(entry.Kind)),
        _ => new(0, 0, 0, "Base Event", "Unknown"),
    };

    static Class Call(int activity) => new(6, 6003, activity, "API Activity", s_activities[activity == 99 ? 0 : activity]);

    static readonly string[] s_activities = ["Other", "Create", "Read", "Update", "Delete"];

    // By the verb that the method's name begins with.
    static int ActivityOf(string method)
    {
        string name = method[(method.LastIndexOf('/') + 1)..];
        if (Begins("Create", "Issue", "Enroll", "Add", "Renew", "Sign")) return 1;
        if (Begins(
                "Get", "List", "Read", "Version", "Stats", "Dmesg", "Logs", "Mounts", "Disk", "Time", "Memory", "Network", "Process",
                "System", "Audit", "Checkpoint", "Prove", "Health", "CABundle", "ServiceList"))
            return 2;
        if (Begins("Update", "Set", "Apply", "Upgrade", "Service", "Reboot", "Shutdown", "Restart")) return 3;
        return Begins("Delete", "Remove", "Reset", "Revoke") ? 4 : 99;

        bool Begins(params ReadOnlySpan<string> verbs)
        {
            foreach (string verb in verbs)
                if (name.StartsWith(verb, StringComparison.Ordinal)) return true;
            return false;
        }
    }

    static void Write(Utf8JsonWriter writer, AuditRecord record)
    {
        Entry entry = record.Entry;
        Class type = Classify(entry);
        (int status, string statusName) = StatusOf(entry);
        int severity = AuditFormats.Severity(entry);
        writer.WriteStartObject();
        writer.WriteNumber("category_uid", type.Category);
        writer.WriteNumber("class_uid", type.Uid);
        writer.WriteString("class_name", type.Name);
        writer.WriteNumber("activity_id", type.Activity);
        writer.WriteString("activity_name", type.ActivityName);
        writer.WriteNumber("type_uid", (type.Uid * 100) + type.Activity);
        writer.WriteNumber("time", entry.WallTimeUnixNanos / 1_000_000);
        writer.WriteNumber("severity_id", severity);
        writer.WriteString("severity", s_severities[severity]);
        writer.WriteNumber("status_id", status);
        writer.WriteString("status", statusName);
        writer.WriteString("message", AuditFormats.Sentence(record));
        if (entry.Outcome?.Status is { Length: > 0 } code) writer.WriteString("status_code", code);
        if (entry.Decision?.ReasonId is { Length: > 0 } reason) writer.WriteString("status_detail", reason);
        Metadata(writer, record);
        switch (type.Uid)
        {
            case 6003: Api(writer, entry); break;
            case 3002: Authentication(writer, entry); break;
            case 3001: Account(writer, entry); break;
            case 2003: Compliance(writer, record); break;
            default: break;
        }
        if (entry.Outcome?.DurationNanos is { } duration && duration != 0) writer.WriteNumber("duration", duration / 1_000_000);
        Unmapped(writer, record);
        writer.WriteEndObject();
    }

    static readonly string[] s_severities = ["Unknown", "Informational", "Low", "Medium", "High", "Critical"];

    static (int, string) StatusOf(Entry entry)
    {
        if (entry.Kind == EntryKind.Compliance) return (2, "In Progress");
        if (entry.Kind == EntryKind.HandshakeFailed || entry.Decision?.Effect == Effect.Deny) return (2, "Failure");
        if (entry.Outcome is { } outcome) return outcome.Status == "OK" ? (1, "Success") : (2, "Failure");
        return entry.Kind == EntryKind.CallOpened ? (0, "Unknown") : (1, "Success");
    }

    static void Metadata(Utf8JsonWriter writer, AuditRecord record)
    {
        writer.WriteStartObject("metadata");
        writer.WriteString("version", Version);
        writer.WriteString("uid", $"{record.Entry.Node}/{record.Index}");
        writer.WriteNumber("sequence", record.Index);
        writer.WriteString("log_name", "audit");
        writer.WriteStartObject("product");
        writer.WriteString("name", "Talos");
        writer.WriteString("vendor_name", "Talos");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    static void Api(Utf8JsonWriter writer, Entry entry)
    {
        int split = entry.Method.LastIndexOf('/');
        writer.WriteStartObject("api");
        writer.WriteString("operation", entry.Method.Length == 0 ? AuditFilter.KindName(entry.Kind) : entry.Method[(split + 1)..]);
        if (split > 0)
        {
            writer.WriteStartObject("service");
            writer.WriteString("name", entry.Method[1..split]);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        Actor(writer, entry);
        Source(writer, entry);
        Node(writer, "dst_endpoint", entry);
    }

    static void Authentication(Utf8JsonWriter writer, Entry entry)
    {
        User(writer, entry.Caller?.Name, entry.Caller);
        writer.WriteNumber("auth_protocol_id", 99);
        writer.WriteString("auth_protocol", "TLS 1.3 client certificate");
        Source(writer, entry);
        Node(writer, "dst_endpoint", entry);
        writer.WriteStartObject("service");
        writer.WriteString("name", "talos");
        writer.WriteEndObject();
    }

    // Whose identity changed is in the details of the entry; who asked for it is the caller.
    static void Account(Utf8JsonWriter writer, Entry entry)
    {
        string? subject =
            entry.Details.TryGetValue("subject", out string? s) || entry.Details.TryGetValue("name", out s) ? s : entry.Caller?.Name;
        User(writer, subject, null);
        Actor(writer, entry);
        Source(writer, entry);
    }

    static void Compliance(Utf8JsonWriter writer, AuditRecord record)
    {
        Entry entry = record.Entry;
        string check = entry.Details.TryGetValue("check", out string? c) ? c : "unknown";
        string verdict = entry.Details.TryGetValue("verdict", out string? v) ? v : "Unknown";
        int status = verdict.ToUpperInvariant() switch { "PASS" => 1, "FAIL" => 3, _ => 0 };
        writer.WriteStartObject("compliance");
        writer.WriteString("control", check);
        writer.WriteStartArray("standards");
        writer.WriteStringValue(entry.Details.TryGetValue("standard", out string? standard) ? standard : "Talos");
        writer.WriteEndArray();
        writer.WriteNumber("status_id", status);
        writer.WriteString("status", status switch { 1 => "Pass", 3 => "Fail", _ => "Unknown" });
        writer.WriteEndObject();
        writer.WriteStartObject("finding_info");
        writer.WriteString("uid", $"{entry.Node}/{check}");
        writer.WriteString("title", AuditFormats.Sentence(record));
        writer.WriteEndObject();
    }

    static void Actor(Utf8JsonWriter writer, Entry entry)
    {
        writer.WriteStartObject("actor");
        User(writer, entry.Caller?.Name, entry.Caller);
        writer.WriteEndObject();
    }

    static void User(Utf8JsonWriter writer, string? name, Caller? caller)
    {
        writer.WriteStartObject("user");
        writer.WriteString("name", string.IsNullOrEmpty(name) ? "unknown" : name);
        if (caller?.SpiffeUri is { Length: > 0 } uri) writer.WriteString("uid", uri);
        if (caller?.Serial is { Length: > 0 } serial) writer.WriteString("credential_uid", serial);
        if (caller?.Roles is { Count: > 0 } roles)
        {
            writer.WriteStartArray("groups");
            foreach (string role in roles)
            {
                writer.WriteStartObject();
                writer.WriteString("name", role);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
    }

    static void Source(Utf8JsonWriter writer, Entry entry)
    {
        (string host, int port) = CefEvent.SourceOf(entry);
        writer.WriteStartObject("src_endpoint");
        if (System.Net.IPAddress.TryParse(host, out _)) writer.WriteString("ip", host);
        else writer.WriteString("name", host.Length == 0 ? "local" : host);
        if (port != 0) writer.WriteNumber("port", port);
        writer.WriteEndObject();
    }

    static void Node(Utf8JsonWriter writer, string name, Entry entry)
    {
        writer.WriteStartObject(name);
        writer.WriteString("hostname", entry.Node);
        writer.WriteEndObject();
    }

    // The entry itself, so that nothing is lost in translation.
    static void Unmapped(Utf8JsonWriter writer, AuditRecord record)
    {
        writer.WriteStartObject("unmapped");
        writer.WritePropertyName("entry");
        AuditEntryJson.Write(writer, record);
        writer.WriteEndObject();
    }
}
