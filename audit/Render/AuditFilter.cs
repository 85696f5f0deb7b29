using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Talos.Audit;

/// <summary>
/// Which entries to show. Terms have the form `name=value`; all must hold, several values of one name, split by commas, are alternatives:
/// `caller`, `role`, `method`, `kind`, `decision`, `status`, `source`, `node`, `serial`, `since`, `until`. A `*` stands for any text.
/// </summary>
public sealed class AuditFilter
{
    static readonly string[] s_names =
        ["caller", "role", "method", "kind", "decision", "status", "source", "node", "serial", "since", "until"];

    readonly List<(string Name, string[] Values)> _terms = [];
    long _since = long.MinValue;
    long _until = long.MaxValue;

    /// <summary>Lets every entry through.</summary>
    public static AuditFilter All { get; } = new();

    /// <summary>Reads the terms. Times are RFC 3339 or a length before now: `90s`, `15m`, `2h`, `7d`. The error names the term.</summary>
    public static bool TryParse(
        IEnumerable<string> terms, TimeProvider time, [NotNullWhen(true)] out AuditFilter? filter, out string error)
    {
        AuditFilter made = new();
        filter = null;
        error = "";
        foreach (string term in terms)
        {
            int split = term.IndexOf('=', StringComparison.Ordinal);
            string name = split < 0 ? term : term[..split], value = split < 0 ? "" : term[(split + 1)..];
            if (split <= 0 || value.Length == 0) error = $"`{term}` is not a filter; a filter has the form name=value";
            else if (!s_names.Contains(name)) error = $"there is no filter `{name}`; there are {string.Join(", ", s_names)}";
            else if (name is "since" or "until")
            {
                if (!TryTime(value, time, out long nanos))
                    error = $"`{value}` is no time; write 2026-05-01T12:00:00Z, or 2h for two hours ago";
                else if (name == "since") made._since = nanos;
                else made._until = nanos;
            }
            else if (name == "kind" && Array.Find(value.Split(','), static v => !IsKind(v)) is { } kind)
                error = $"there is no kind `{kind}`";
            else if (name == "decision" && Array.Find(value.Split(','), static v => v is not ("allow" or "deny")) is { } decision)
                error = $"a decision is allow or deny, not `{decision}`";
            else made._terms.Add((name, value.Split(',')));
            if (error.Length != 0) return false;
        }
        filter = made;
        return true;
    }

    /// <summary>Is the entry one of those to show?</summary>
    public bool Matches(AuditRecord record)
    {
        Entry entry = record.Entry;
        if (entry.WallTimeUnixNanos < _since || entry.WallTimeUnixNanos >= _until) return false;
        foreach ((string name, string[] values) in _terms)
            if (!Array.Exists(values, value => Matches(entry, name, value))) return false;
        return true;
    }

    static bool Matches(Entry entry, string name, string value) => name switch
    {
        "caller" => Like(entry.Caller?.Name, value),
        "role" => entry.Caller is { } caller && caller.Roles.Any(role => Like(role, value)),
        "method" => Like(entry.Method, value) || Like(entry.Method[(entry.Method.LastIndexOf('/') + 1)..], value),
        "kind" => KindName(entry.Kind) == value,
        "decision" => EffectName(entry.Decision?.Effect ?? Effect.Unspecified) == value,
        "status" => Like(entry.Outcome?.Status, value),
        "source" => Like(entry.Caller?.SourceAddress, value) || Like(entry.Caller?.SourceAddress, value + ":*"),
        "node" => Like(entry.Node, value),
        "serial" => Like(entry.Caller?.Serial, value),
        _ => false,
    };

    /// <summary>Name of a kind as filters and output write it: `call-opened`.</summary>
    public static string KindName(EntryKind kind)
    {
        string name = kind.ToString();
        return string.Concat(
            name.Select(static (c, i) => i > 0 && char.IsUpper(c) ? $"-{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
    }

    internal static string EffectName(Effect effect) => effect switch
    {
        Effect.Allow => "allow",
        Effect.Deny => "deny",
        Effect.Unspecified => "",
        _ => "",
    };

    static bool IsKind(string value)
    {
        for (EntryKind kind = EntryKind.CallOpened; kind <= EntryKind.Witness; kind++)
            if (KindName(kind) == value) return true;
        return false;
    }

    static bool TryTime(string value, TimeProvider time, out long nanos)
    {
        nanos = 0;
        long unit = value[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 };
        // LIMIT: a hundred years back.
        if (unit != 0 && long.TryParse(value[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long count)
            && count <= 3_155_760_000 / unit)
        {
            nanos = AuditLog.UnixNanos(time.GetUtcNow().AddSeconds(-count * unit));
            return true;
        }
        if (!DateTimeOffset.TryParseExact(
                value, s_formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at))
            return false;
        nanos = AuditLog.UnixNanos(at);
        return true;
    }

    static readonly string[] s_formats =
        ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd"];

    // Greedy match with one point to come back to: linear in text times stars.
    static bool Like(string? text, string pattern)
    {
        if (text is null) return false;
        int t = 0, p = 0, star = -1, mark = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*') (star, mark) = (p++, t);
            else if (p < pattern.Length && pattern[p] == text[t]) (p, t) = (p + 1, t + 1);
            else if (star >= 0) (p, t) = (star + 1, ++mark);
            else return false;
        }
        while (p < pattern.Length && pattern[p] == '*') p++;
        return p == pattern.Length;
    }
}
