using System.Collections.Immutable;
using System.Text;

namespace Talos.Pki;

/// <summary>A certificate laid out for people. It says what the certificate claims; nothing here was verified.</summary>
public sealed record CertificateInspection
{
    CertificateInspection()
    {
    }

    public required string Subject { get; init; }

    public required string Issuer { get; init; }

    public required string Serial { get; init; }

    public required DateTimeOffset NotBefore { get; init; }

    public required DateTimeOffset NotAfter { get; init; }

    public required string Key { get; init; }

    public required string SignatureAlgorithm { get; init; }

    /// <summary>SHA-256 of the whole certificate.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The identity that the SPIFFE URI states; null when there is none of ours.</summary>
    public SpiffeId? Identity { get; init; }

    public ImmutableArray<string> Roles { get; init; } = [];

    public ImmutableArray<string> Names { get; init; } = [];

    public ImmutableArray<string> Usages { get; init; } = [];

    public ImmutableArray<string> Purposes { get; init; } = [];

    public bool IsAuthority { get; init; }

    public int? PathLength { get; init; }

    public string? SubjectKeyIdentifier { get; init; }

    public string? AuthorityKeyIdentifier { get; init; }

    /// <summary>Extensions not shown elsewhere, as identifier and criticality.</summary>
    public ImmutableArray<string> OtherExtensions { get; init; } = [];

    public static CertificateInspection Of(Certificate certificate)
    {
        SpiffeId? identity = certificate.AlternativeNames.Where(n => n.Kind == NameKinds.Uri).Select(n => SpiffeId.Parse(n.Text).Value).FirstOrDefault();
        return new CertificateInspection
        {
            Subject = certificate.Subject.ToString(),
            Issuer = certificate.Issuer.ToString(),
            Serial = certificate.Serial,
            NotBefore = certificate.NotBefore,
            NotAfter = certificate.NotAfter,
            Key = certificate.PublicKey.ToString(),
            SignatureAlgorithm = certificate.SignatureAlgorithm.Scheme == SignatureScheme.Unknown
                ? certificate.SignatureAlgorithm.Id : certificate.SignatureAlgorithm.Scheme.ToString(),
            Fingerprint = certificate.Fingerprint,
            Identity = identity,
            Roles = identity is null ? [] : certificate.Subject.Organizations,
            Names = [.. certificate.AlternativeNames.Select(n => n.ToString())],
            Usages = certificate.KeyUsage is { } usage
                ? [.. Enum.GetValues<KeyUsages>().Where(bit => bit != KeyUsages.None && usage.HasFlag(bit)).Select(bit => bit.ToString())] : [],
            Purposes = [.. (certificate.ExtendedKeyUsage ?? []).Select(PurposeText)],
            IsAuthority = certificate.IsAuthority,
            PathLength = certificate.BasicConstraints?.PathLength,
            SubjectKeyIdentifier = Hex(certificate.SubjectKeyIdentifier),
            AuthorityKeyIdentifier = Hex(certificate.AuthorityKeyIdentifier),
            OtherExtensions = [.. certificate.Extensions.Where(e => !s_shown.Contains(e.Id)).Select(e => e.Critical ? $"{e.Id} (critical)" : e.Id)],
        };
    }

    /// <summary>Lines of label and value. Control characters of names are escaped.</summary>
    public string ToText(DateTimeOffset now)
    {
        var text = new StringBuilder();
        Line("subject", Subject);
        Line("issuer", Issuer);
        Line("serial", Serial);
        if (Identity is not null)
        {
            Line("identity", Identity.ToString());
            Line("roles", Roles.IsEmpty ? "none" : string.Join(", ", Roles));
        }

        Line("not before", $"{NotBefore:u}");
        Line("not after", $"{NotAfter:u} ({Remaining(now)})");
        Line("key", Key);
        Line("signed with", SignatureAlgorithm);
        Line("authority", IsAuthority ? PathLength is { } length ? $"yes, path length {length}" : "yes" : "no");
        Line("usage", string.Join(", ", Usages));
        Line("purposes", string.Join(", ", Purposes));
        foreach (string name in Names)
            Line("name", name);
        Line("subject key", SubjectKeyIdentifier ?? "");
        Line("authority key", AuthorityKeyIdentifier ?? "");
        foreach (string other in OtherExtensions)
            Line("extension", other);
        Line("sha256", Fingerprint);
        return text.ToString();

        void Line(string label, string value)
        {
            if (value.Length > 0)
                text.Append(label.PadRight(16)).Append(value).Append('\n');
        }
    }

    string Remaining(DateTimeOffset now)
    {
        if (now < NotBefore)
            return "not valid yet";
        TimeSpan left = NotAfter - now;
        return left < TimeSpan.Zero ? "expired"
            : left.TotalDays >= 2 ? $"{(int)left.TotalDays} days left"
            : left.TotalHours >= 1 ? $"{(int)left.TotalHours} h {left.Minutes} min left" : $"{left.Minutes} min left";
    }

    static readonly ImmutableArray<string> s_shown =
    [
        ObjectIdentifiers.BasicConstraints, ObjectIdentifiers.KeyUsage, ObjectIdentifiers.ExtendedKeyUsage,
        ObjectIdentifiers.SubjectAlternativeName, ObjectIdentifiers.SubjectKeyIdentifier, ObjectIdentifiers.AuthorityKeyIdentifier,
    ];

    static string PurposeText(string id) => id switch
    {
        ObjectIdentifiers.ServerAuth => "server",
        ObjectIdentifiers.ClientAuth => "client",
        ObjectIdentifiers.AnyExtendedKeyUsage => "any",
        _ => id,
    };

    static string? Hex(ReadOnlyMemory<byte>? octets) => octets is { } value ? Convert.ToHexStringLower(value.Span) : null;
}
