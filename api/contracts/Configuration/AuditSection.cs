using System.Globalization;
using System.Text.RegularExpressions;

namespace Talos.Api.Configuration;

/// <summary>What becomes of a node's records: how long they are kept, where they are sent, who watches over them.</summary>
public sealed partial class AuditSection
{
    /// <summary>Entries older than this are removed, once every exporter has delivered them; null keeps them.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>Bytes that the entries of one record may take, under the same condition; null for any number.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>Where the records are sent; names are distinct.</summary>
    public IReadOnlyList<AuditExporterSection> Exporters { get; init; } = [];

    /// <summary>The APIs of other nodes, which co-sign this node's checkpoints and whose checkpoints this node co-signs.</summary>
    public IReadOnlyList<Endpoint> Witnesses { get; init; } = [];

    internal bool IsGiven => MaxAge is not null || MaxBytes is not null || Exporters.Count > 0 || Witnesses.Count > 0;

    static readonly ScalarFormat<TimeSpan?> Age = new("a length of time as in `36h` or `90d`", TryAge);

    static readonly ScalarFormat<long?> Size = new("a size as in `512MiB` or `2GiB`", TrySize);

    internal static AuditSection Read(Section section)
    {
        var retention = section.Subsection("retention", RetentionPart.Read);
        var audit = new AuditSection
        {
            MaxAge = retention?.MaxAge,
            MaxBytes = retention?.MaxBytes,
            Exporters = section.Sections("exporters", AuditExporterSection.Read),
            Witnesses = section.List("witnesses", Formats.Endpoint),
        };
        foreach (var twice in audit.Exporters.Select(e => e.Name).Where(n => n is not null).GroupBy(n => n).Where(g => g.Count() > 1))
            section.Fail("exporters", $"exporter `{twice.Key}` is given twice");
        return audit;
    }

    internal void Write(YamlWriter writer)
    {
        if (MaxAge is not null || MaxBytes is not null)
        {
            writer.Section("retention", w =>
            {
                if (MaxAge is { } age) w.Field("maxAge", InLargest((long)age.TotalMinutes, ("d", 1440), ("h", 60), ("m", 1)));
                if (MaxBytes is { } bytes) w.Field("maxSize", InLargest(bytes >> 20, ("TiB", 1 << 20), ("GiB", 1 << 10), ("MiB", 1)));
            });
        }
        writer.Sections("exporters", Exporters, (exporter, w) => exporter.Write(w));
        writer.List("witnesses", Witnesses.Select(w => w.ToString()));
    }

    // In the largest unit that leaves nothing over, so that it has no more digits than what was read.
    static string InLargest(long value, params ReadOnlySpan<(string Name, long Size)> units)
    {
        foreach (var (name, size) in units)
            if (value % size == 0) return string.Create(CultureInfo.InvariantCulture, $"{value / size}{name}");
        throw new ArgumentException("the last unit is 1", nameof(units));
    }

    static bool TryAge(string text, out TimeSpan? age)
    {
        age = null;
        if (AgePattern().Match(text) is not { Success: true } match) return false;
        var count = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        age = match.Groups[2].Value switch { "d" => TimeSpan.FromDays(count), "h" => TimeSpan.FromHours(count), _ => TimeSpan.FromMinutes(count) };
        return age > TimeSpan.Zero;
    }

    static bool TrySize(string text, out long? bytes)
    {
        bytes = null;
        if (SizePattern().Match(text) is not { Success: true } match) return false;
        bytes = long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) << (
            match.Groups[2].Value switch { "TiB" => 40, "GiB" => 30, _ => 20 });
        return bytes > 0;
    }

    // LIMIT: five digits of days are 273 years.
    [GeneratedRegex("^([0-9]{1,5})(m|h|d)$", RegexOptions.CultureInvariant)]
    private static partial Regex AgePattern();

    [GeneratedRegex("^([0-9]{1,6})(MiB|GiB|TiB)$", RegexOptions.CultureInvariant)]
    private static partial Regex SizePattern();

    sealed record RetentionPart(TimeSpan? MaxAge, long? MaxBytes)
    {
        public static RetentionPart Read(Section section) =>
            new(section.Optional("maxAge", Age, null), section.Optional("maxSize", Size, null));
    }
}

/// <summary>One receiver of a node's records.</summary>
public sealed partial class AuditExporterSection
{
    static readonly ScalarFormat<string> NameFormat = new("a name of lower-case letters, digits and dashes", (string t, out string v) =>
        NamePattern().IsMatch(v = t));

    static readonly ScalarFormat<AuditTarget> Target = new(
        "`tls://HOST:PORT`, `tcp://HOST:PORT`, `https://HOST:PORT`, `http://HOST:PORT` or `file:NAME`", TryTarget);

    /// <summary>Unique on the node; names the cursor and stands in `osctl audit status`.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// `tls` and `tcp` for syslog receivers, `https` and `http` for OTLP collectors over gRPC, `file:NAME` for a file below the
    /// service's own folder.
    /// </summary>
    public required AuditTarget To { get; init; }

    /// <summary>
    /// `syslog` or `cef` for syslog receivers, `otlp` for collectors, any of `jsonl`, `ocsf`, `syslog`, `cef`, `otlp` for files.
    /// </summary>
    public required string Format { get; init; }

    /// <summary>
    /// Certificates that the receiver's certificate has to lead to, PEM; given if and only if the target is `tls` or `https`.
    /// </summary>
    public string? CaBundle { get; init; }

    /// <summary>Terms that an entry has to fit to be sent, as of `osctl audit list --where`.</summary>
    public IReadOnlyList<string> Where { get; init; } = [];

    internal static AuditExporterSection Read(Section section)
    {
        var exporter = new AuditExporterSection
        {
            Name = section.Required("name", NameFormat),
            To = section.Required("to", Target),
            Format = section.Required("format", Formats.OneOf(("jsonl", "jsonl"), ("ocsf", "ocsf"), ("syslog", "syslog"), ("cef", "cef"), ("otlp", "otlp"))),
            CaBundle = section.Optional<string?>("caBundle", Formats.CertificatePem!, null),
            Where = section.List("where", Formats.AnyText),
        };
        if (exporter.To is not { } to || exporter.Format is not { } format) return exporter;
        if (to.Scheme is "tls" or "https" != section.Has("caBundle"))
        {
            section.Fail("caBundle", to.Scheme is "tls" or "https" ? $"`{to.Scheme}` needs `caBundle`" : $"`caBundle` is of no use with `{to.Scheme}`",
                "it holds the certificates that the receiver's own has to lead to");
        }
        var fits = to.Scheme switch { "tls" or "tcp" => format is "syslog" or "cef", "http" or "https" => format == "otlp", _ => true };
        if (!fits) section.Fail(
            "format", $"`{to.Scheme}` does not carry `{format}`", to.Scheme is "tls" or "tcp" ? "use `syslog` or `cef`" : "use `otlp`");
        return exporter;
    }

    internal void Write(YamlWriter writer)
    {
        writer.Field("name", Name);
        writer.Field("to", To.ToString());
        writer.Field("format", Format);
        if (CaBundle is not null) writer.Field("caBundle", CaBundle);
        writer.List("where", Where);
    }

    static bool TryTarget(string text, out AuditTarget target)
    {
        target = null!;
        if (FilePattern().IsMatch(text)) target = new AuditTarget("file", null, text["file:".Length..]);
        var split = text.IndexOf("://", StringComparison.Ordinal);
        if (split > 0 && text[..split] is "tls" or "tcp" or "https" or "http" && Endpoint.TryParse(text[(split + 3)..], null, out var endpoint))
            target = new AuditTarget(text[..split], endpoint, "");
        return target is not null;
    }

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();

    [GeneratedRegex("^file:[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$", RegexOptions.CultureInvariant)]
    private static partial Regex FilePattern();
}

/// <summary>Where an exporter delivers to.</summary>
/// <param name="Scheme">`tls`, `tcp`, `https`, `http` or `file`.</param>
/// <param name="Endpoint">Null for a file.</param>
/// <param name="FileName">Empty for everything else; without folders.</param>
public sealed record AuditTarget(string Scheme, Endpoint? Endpoint, string FileName)
{
    /// <summary>As it is written in a configuration.</summary>
    public override string ToString() => Endpoint is null ? $"file:{FileName}" : $"{Scheme}://{Endpoint}";
}
