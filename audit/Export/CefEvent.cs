using System.Globalization;
using System.Text;

namespace Talos.Audit;

// ArcSight Common Event Format, revision 25: CEF:0|vendor|product|version|class|name|severity|extension.
static class CefEvent
{
    internal static string Render(AuditRecord record)
    {
        Entry entry = record.Entry;
        StringBuilder text = new(512);
        text.Append("CEF:0|Talos|Talos|").Append(EntrySchema.Version).Append('|');
        Prefix(text, AuditFilter.KindName(entry.Kind));
        Prefix(text, AuditFormats.Sentence(record));
        text.Append(Severity(entry)).Append('|');
        text.Append(CultureInfo.InvariantCulture, $"rt={entry.WallTimeUnixNanos / 1_000_000} externalId={record.Index}");
        Field(text, "dvchost", entry.Node);
        Field(text, "suser", entry.Caller?.Name);
        Field(text, "spriv", entry.Caller is { } caller ? string.Join(',', caller.Roles) : null);
        (string host, int port) = SourceOf(entry);
        Field(text, "src", host);
        if (port != 0) Field(text, "spt", port.ToString(CultureInfo.InvariantCulture));
        Field(text, "request", entry.Method);
        Field(text, "act", AuditFilter.EffectName(entry.Decision?.Effect ?? Effect.Unspecified));
        Field(text, "reason", entry.Decision?.ReasonId);
        Field(text, "outcome", entry.Outcome?.Status);
        Labelled(text, 1, "certificateSerial", entry.Caller?.Serial);
        Labelled(text, 2, "rule", entry.Decision?.Rule);
        Labelled(text, 3, "bundleRevision", entry.Decision?.BundleRevision);
        Labelled(text, 4, "spiffeUri", entry.Caller?.SpiffeUri);
        Labelled(
            text, 5, "details", entry.Details.Count == 0 ? null : string.Join(' ', entry.Details.Select(static d => $"{d.Key}={d.Value}")));
        Labelled(text, 6, "leafHash", Convert.ToHexStringLower(TreeHash.Leaf(record.Raw.Span)));
        Field(text, "msg", AuditFormats.Sentence(record));
        return text.ToString();
    }

    // 0 to 10.
    static int Severity(Entry entry) => AuditFormats.Severity(entry) switch
    {
        5 => 10,
        4 => 8,
        3 => 6,
        2 => 4,
        1 => 2,
        _ => 0,
    };

    internal static (string Host, int Port) SourceOf(Entry entry)
    {
        string source = entry.Caller?.SourceAddress ?? "";
        if (System.Net.IPEndPoint.TryParse(source, out System.Net.IPEndPoint? endpoint))
            return (endpoint.Address.ToString(), endpoint.Port);
        return (source, 0);
    }

    static void Prefix(StringBuilder text, string value)
    {
        foreach (char c in value)
        {
            if (c is '|' or '\\') text.Append('\\');
            text.Append(char.IsControl(c) ? ' ' : c);
        }
        text.Append('|');
    }

    static void Labelled(StringBuilder text, int number, string label, string? value)
    {
        if (string.IsNullOrEmpty(value)) return;
        Field(text, $"cs{number.ToString(CultureInfo.InvariantCulture)}Label", label);
        Field(text, $"cs{number.ToString(CultureInfo.InvariantCulture)}", value);
    }

    static void Field(StringBuilder text, string name, string? value)
    {
        if (string.IsNullOrEmpty(value)) return;
        text.Append(' ').Append(name).Append('=');
        foreach (char c in value)
        {
            if (c == '\n') text.Append("\\n");
            else if (c is '=' or '\\') text.Append('\\').Append(c);
            else text.Append(char.IsControl(c) ? ' ' : c);
        }
    }
}
