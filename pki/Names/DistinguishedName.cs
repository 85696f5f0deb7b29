using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Talos.Pki;

/// <summary>
/// A distinguished name (RFC 5280 §4.1.2.4) as received. Two names are equal by the comparison of RFC 5280 §7.1: strings
/// without regard to case and to runs of spaces, whatever their string type.
/// </summary>
public sealed partial class DistinguishedName : IEquatable<DistinguishedName>
{
    readonly ReadOnlyMemory<byte> _der;

    DistinguishedName(ReadOnlyMemory<byte> der, ImmutableArray<RelativeDistinguishedName> parts)
    {
        _der = der;
        Parts = parts;
    }

    internal static DistinguishedName Empty { get; } = new(ReadOnlyMemory<byte>.Empty, []);

    public ReadOnlyMemory<byte> Der => _der;

    public bool IsEmpty => Parts.IsEmpty;

    internal ImmutableArray<RelativeDistinguishedName> Parts { get; }

    /// <summary>Values of every attribute of that type, in order; a multi-valued part contributes each of its values.</summary>
    public ImmutableArray<string> Values(string attributeType)
    {
        var values = ImmutableArray.CreateBuilder<string>(Parts.Length);
        foreach (RelativeDistinguishedName part in Parts)
            foreach (NameAttribute attribute in part.Attributes)
                if (attribute.Type == attributeType)
                    values.Add(attribute.Text);
        return values.DrainToImmutable();
    }

    public ImmutableArray<string> CommonNames => Values(ObjectIdentifiers.CommonName);

    public ImmutableArray<string> Organizations => Values(ObjectIdentifiers.Organization);

    /// <summary>Whether an attribute of any part is like that.</summary>
    internal bool Any(Func<NameAttribute, bool> isLikeThat)
    {
        foreach (RelativeDistinguishedName part in Parts)
            foreach (NameAttribute attribute in part.Attributes)
                if (isLikeThat(attribute))
                    return true;
        return false;
    }

    public bool Equals(DistinguishedName? other)
    {
        if (other is null || Parts.Length != other.Parts.Length)
            return false;
        return (!_der.IsEmpty && _der.Span.SequenceEqual(other._der.Span)) || StartsWith(other);
    }

    /// <summary>True when the parts of <paramref name="prefix"/> open this name: the subtree test of RFC 5280 §7.1.</summary>
    internal bool StartsWith(DistinguishedName prefix)
    {
        if (prefix.Parts.Length > Parts.Length)
            return false;
        for (int i = 0; i < prefix.Parts.Length; i++)
            if (!Parts[i].Canonical.AsSpan().SequenceEqual(prefix.Parts[i].Canonical))
                return false;
        return true;
    }

    /// <summary>Whether it surely does not: that it is in another part, or in one whose text cannot be written in two ways.</summary>
    internal bool SurelyStartsUnlike(DistinguishedName prefix)
    {
        if (prefix.Parts.Length > Parts.Length)
            return true;
        for (int i = 0; i < prefix.Parts.Length; i++)
            if (Parts[i].SurelyDiffers(prefix.Parts[i]))
                return true;
        return false;
    }

    public override bool Equals(object? obj) => Equals(obj as DistinguishedName);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (RelativeDistinguishedName part in Parts)
            hash.Add(string.GetHashCode(part.Canonical, StringComparison.Ordinal));
        return hash.ToHashCode();
    }

    /// <summary>RFC 4514 form, most specific part last, as the certificate orders them.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (RelativeDistinguishedName part in Parts)
        {
            foreach (NameAttribute attribute in part.Attributes)
            {
                if (text.Length > 0)
                    text.Append(", ");
                text.Append(NameAttribute.Label(attribute.Type)).Append('=');
                foreach (char c in attribute.Text)
                    Escape(text, c);
            }
        }

        return text.ToString();
    }

    // RFC 4514 §2.4, and whatever a terminal would obey: controls, and marks that turn the direction of the text.
    static void Escape(StringBuilder text, char c)
    {
        if (c is ',' or '+' or '"' or '\\' or '<' or '>' or ';')
            text.Append('\\').Append(c);
        else if (char.IsControl(c))
            text.Append($"\\{(int)c:x2}");
        else if (CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            text.Append($"\\u{(int)c:x4}");
        else
            text.Append(c);
    }
}

sealed class RelativeDistinguishedName(ImmutableArray<NameAttribute> attributes)
{
    string? _canonical;

    public ImmutableArray<NameAttribute> Attributes => attributes;

    public string Canonical => _canonical ??= attributes is [var only] ? only.Canonical : string.Join('\0', attributes.Select(a => a.Canonical).Order(StringComparer.Ordinal));

    public bool SurelyDiffers(RelativeDistinguishedName other) =>
        !string.Equals(Canonical, other.Canonical, StringComparison.Ordinal)
        && ((IsSettled && other.IsSettled) || Attributes.Length != other.Attributes.Length || !Types.SequenceEqual(other.Types));

    bool IsSettled => Attributes.All(a => a.IsSettled);

    IEnumerable<string> Types => Attributes.Select(a => a.Type).Order(StringComparer.Ordinal);
}
