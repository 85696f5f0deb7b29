using System.Net;

namespace Talos.Pki;

/// <summary>Whether a leaf holds the name by which we reached it (RFC 9525 §6; the common name never counts).</summary>
static class PeerNames
{
    public static bool Holds(Certificate leaf, ExpectedName expected)
    {
        byte[]? address = expected.Kind == NameKinds.Address ? IPAddress.Parse(expected.Value).GetAddressBytes() : null;
        foreach (GeneralName name in leaf.AlternativeNames)
        {
            if (name.Kind != expected.Kind)
                continue;
            bool equal = name.Kind switch
            {
                NameKinds.Dns => DnsName.Matches(name.Text, expected.Value),
                NameKinds.Address => name.Octets.Span.SequenceEqual(address),
                NameKinds.Email => MailboxEquals(name.Text, expected.Value),
                _ => false,
            };
            if (equal)
                return true;
        }

        return false;
    }

    // RFC 5280 §7.5: the local part exactly, the host without case.
    static bool MailboxEquals(string presented, string expected)
    {
        int at = presented.LastIndexOf('@');
        return at > 0 && at == expected.LastIndexOf('@')
            && presented.AsSpan(0, at).SequenceEqual(expected.AsSpan(0, at))
            && presented.AsSpan(at).Equals(expected.AsSpan(at), StringComparison.OrdinalIgnoreCase);
    }
}
