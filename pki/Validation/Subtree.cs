namespace Talos.Pki;

/// <summary>Where a name lies in relation to a subtree.</summary>
enum NameFit
{
    /// <summary>Name or subtree is malformed, or of a kind without rules; the path is refused.</summary>
    Undecidable = 0,
    Inside,
    Outside,
}

/// <summary>Subtree tests by kind of name (RFC 5280 §4.2.1.10).</summary>
static class Subtree
{
    /// <summary>
    /// A wildcard stands for many names: it is inside a permitted subtree only when all of them are, and inside an excluded
    /// one as soon as one of them is.
    /// </summary>
    public static NameFit Compare(GeneralName name, GeneralName subtree, bool excluding) => name.Kind switch
    {
        NameKinds.Dns => Dns(name.Text, subtree.Text, excluding),
        NameKinds.Address => Address(name.Octets.Span, subtree.Octets.Span),
        NameKinds.Email => Email(name.Text, subtree.Text, anyScript: name.IsInternationalMailbox),
        NameKinds.Uri => Uri(name.Text, subtree.Text),
        NameKinds.Directory => Directory(name.Directory!, subtree.Directory!, excluding),
        _ => NameFit.Undecidable,
    };

    /// <summary>Has a form that the clause gives its kind; kinds without rules pass, since only names of theirs could meet them.</summary>
    public static bool IsWellFormed(GeneralName subtree) => subtree.Kind switch
    {
        NameKinds.Dns => subtree.Text.Length == 0 || DnsName.IsValid(subtree.Text),
        NameKinds.Address => Address([], subtree.Octets.Span) != NameFit.Undecidable,
        NameKinds.Email => subtree.Text.Contains('@')
            ? MailboxName.IsValid(subtree.Text) && subtree.Text[^1] != ']'
            : HostForm("a.example", subtree.Text) != NameFit.Undecidable,
        NameKinds.Uri => HostForm("a.example", subtree.Text) != NameFit.Undecidable,
        _ => true,
    };

    // Two texts whose difference is not known are no reason to believe that nothing is excluded.
    static NameFit Directory(DistinguishedName name, DistinguishedName subtree, bool excluding) =>
        name.StartsWith(subtree) ? NameFit.Inside
        : !excluding || name.SurelyStartsUnlike(subtree) ? NameFit.Outside
        : NameFit.Undecidable;

    static NameFit Dns(string name, string subtree, bool excluding)
    {
        // A leading dot is a form of URI and e-mail constraints, not of DNS ones.
        if (!DnsName.IsValid(name, wildcard: true) || (subtree.Length > 0 && !DnsName.IsValid(subtree)))
            return NameFit.Undecidable;
        if (!name.StartsWith("*.", StringComparison.Ordinal))
            return Fit(HostWithin(name, subtree));
        ReadOnlySpan<char> parent = name.AsSpan(2);
        if (HostWithin(parent, subtree))
            return NameFit.Inside;
        int dot = subtree.IndexOf('.');
        bool oneExpansion = dot > 0 && parent.Equals(subtree.AsSpan(dot + 1), StringComparison.OrdinalIgnoreCase);
        return Fit(excluding && oneExpansion);
    }

    static NameFit Address(ReadOnlySpan<byte> address, ReadOnlySpan<byte> subtree)
    {
        int size = subtree.Length / 2;
        ReadOnlySpan<byte> network = subtree[..size], mask = subtree[size..];
        bool ended = false;
        foreach (byte b in mask)
        {
            // RFC 5280 §4.2.1.10 in the style of RFC 4632: ones, then zeros
            int ones = System.Numerics.BitOperations.LeadingZeroCount((uint)(byte)~b) - 24;
            if ((ended && b != 0) || (byte)(b << ones) != 0)
                return NameFit.Undecidable;
            ended |= b != 0xFF;
        }

        if (address.Length != size)
            return NameFit.Outside;
        for (int i = 0; i < size; i++)
            if ((address[i] & mask[i]) != (network[i] & mask[i]))
                return NameFit.Outside;
        return NameFit.Inside;
    }

    static NameFit Email(string mailbox, string subtree, bool anyScript)
    {
        int at = MailboxName.HostMark(mailbox, anyScript);
        if (at < 0 || !DnsName.IsValid(mailbox.AsSpan(at + 1)))
            return NameFit.Undecidable;
        ReadOnlySpan<char> host = mailbox.AsSpan(at + 1);
        int subtreeAt = subtree.LastIndexOf('@');
        if (subtreeAt >= 0)
            return Fit(subtreeAt == at && mailbox.AsSpan(0, at).SequenceEqual(subtree.AsSpan(0, at))
                && host.Equals(subtree.AsSpan(at + 1), StringComparison.OrdinalIgnoreCase));
        return HostForm(host, subtree);
    }

    // RFC 5280 §4.2.1.10: a constraint applies to the host; a URI without a host that is a domain name cannot satisfy one.
    static NameFit Uri(string uri, string subtree) =>
        UriName.TrySplit(uri, out ReadOnlySpan<char> host) && DnsName.IsValid(host) ? HostForm(host, subtree) : NameFit.Undecidable;

    // `host` means that host; `.domain` means every host below it, not the domain itself; empty means every host.
    static NameFit HostForm(ReadOnlySpan<char> host, ReadOnlySpan<char> subtree)
    {
        if (subtree.IsEmpty)
            return NameFit.Inside;
        if (subtree[0] != '.')
            return DnsName.IsValid(subtree) ? Fit(host.Equals(subtree, StringComparison.OrdinalIgnoreCase)) : NameFit.Undecidable;
        return DnsName.IsValid(subtree[1..])
            ? Fit(host.Length > subtree.Length && host.EndsWith(subtree, StringComparison.OrdinalIgnoreCase)) : NameFit.Undecidable;
    }

    static bool HostWithin(ReadOnlySpan<char> host, ReadOnlySpan<char> domain) =>
        domain.IsEmpty
        || (host.EndsWith(domain, StringComparison.OrdinalIgnoreCase)
            && (host.Length == domain.Length || host[host.Length - domain.Length - 1] == '.'));

    static NameFit Fit(bool inside) => inside ? NameFit.Inside : NameFit.Outside;
}
