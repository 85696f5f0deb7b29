using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>Name constraints along a path (RFC 5280 §4.2.1.10, §6.1.3(b–c), §6.1.4(g)). The anchor's own count too.</summary>
static class NameConstraintCheck
{
    // LIMIT: comparisons of one name with one subtree in one path; OpenSSL allows 2^20, and a fleet needs none.
    const int MaximumComparisons = 1 << 18;

    public static PathFault? Fault(ImmutableArray<Certificate> path)
    {
        int comparisons = 0;
        for (int authority = path.Length - 1; authority > 0; authority--)
        {
            if (path[authority].NameConstraints is not { } constraints)
                continue;
            for (int below = authority - 1; below >= 0; below--)
            {
                // RFC 5280 §6.1.3(b): self-issued certificates are exempt unless they are the last.
                if (below > 0 && path[below].IsSelfIssued)
                    continue;
                if (Fault(path[authority], constraints, path[below], ref comparisons) is { } fault)
                    return fault;
            }
        }

        return null;
    }

    static PathFault? Fault(Certificate authority, NameConstraintSet constraints, Certificate certificate, ref int comparisons)
    {
        foreach (GeneralName name in NamesOf(certificate))
        {
            if ((comparisons += constraints.Permitted.Length + constraints.Excluded.Length) > MaximumComparisons)
                return new PathFault(ValidationReason.SearchTooLong, "names and name constraints are too many to compare", authority);
            bool limited = false, permitted = false;
            foreach (GeneralName subtree in constraints.Permitted)
            {
                if (!subtree.HasFormOf(name))
                    continue;
                limited = true;
                NameFit fit = Subtree.Compare(name, subtree, excluding: false);
                if (fit == NameFit.Undecidable)
                    return Undecidable(authority, certificate, name);
                permitted |= fit == NameFit.Inside;
            }

            if (limited && !permitted)
                return new PathFault(ValidationReason.NameConstraints, $"`{authority.Subject}` does not permit the name `{name}`", certificate);
            foreach (GeneralName subtree in constraints.Excluded)
            {
                if (!subtree.HasFormOf(name))
                    continue;
                NameFit fit = Subtree.Compare(name, subtree, excluding: true);
                if (fit == NameFit.Undecidable)
                    return Undecidable(authority, certificate, name);
                if (fit == NameFit.Inside)
                    return new PathFault(ValidationReason.NameConstraints, $"`{authority.Subject}` excludes the name `{name}`", certificate);
            }
        }

        return null;
    }

    static PathFault Undecidable(Certificate authority, Certificate certificate, GeneralName name) =>
        new(ValidationReason.NameConstraints, $"whether `{authority.Subject}` permits the name `{name}` cannot be decided", certificate);

    // RFC 5280 §4.2.1.10: the subject as a directory name, its e-mail addresses as mailboxes, and every alternative name.
    static IEnumerable<GeneralName> NamesOf(Certificate certificate)
    {
        if (!certificate.Subject.IsEmpty)
            yield return new GeneralName(NameKinds.Directory, certificate.Subject.ToString(), certificate.Subject.Der, certificate.Subject);
        foreach (string mailbox in certificate.Subject.Values(ObjectIdentifiers.EmailAddress))
            yield return new GeneralName(NameKinds.Email, mailbox, default);
        foreach (GeneralName name in certificate.AlternativeNames)
        {
            yield return name;
            // RFC 9598 §6: constraints on mailboxes bind those in letters of any script, too.
            if (name.InternationalMailbox is { } mailbox)
                yield return mailbox;
        }
    }
}
