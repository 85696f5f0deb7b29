using System.Buffers;

namespace Talos.Pki;

/// <summary>Mailboxes as certificates carry them (RFC 5280 §4.2.1.6, RFC 5321 §4.1.2; RFC 9598 §3 with letters of any script before the host).</summary>
static class MailboxName
{
    // RFC 5322 §3.2.3
    static readonly SearchValues<char> s_atoms = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~.");

    /// <summary>Where the `@` before the host is, or -1 for what is no mailbox. The host is not looked at.</summary>
    public static int HostMark(ReadOnlySpan<char> mailbox, bool anyScript = false)
    {
        int at = mailbox.LastIndexOf('@');
        if (at < 1 || at == mailbox.Length - 1)
            return -1;
        ReadOnlySpan<char> local = mailbox[..at];
        return (local[0] == '"' ? IsQuoted(local, anyScript) : IsDotString(local, anyScript)) ? at : -1;
    }

    /// <summary>Whether the host is a domain or an address literal, and what stands before it is well-formed.</summary>
    public static bool IsValid(ReadOnlySpan<char> mailbox, bool anyScript = false)
    {
        int at = HostMark(mailbox, anyScript);
        if (at < 0)
            return false;
        ReadOnlySpan<char> host = mailbox[(at + 1)..];
        if (host[0] != '[' || host[^1] != ']')
            return DnsName.IsValid(host);
        host = host[1..^1];
        // RFC 5321 §4.1.3
        return System.Net.IPAddress.TryParse(host.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase) ? host[5..] : host, out _);
    }

    static bool IsDotString(ReadOnlySpan<char> local, bool anyScript)
    {
        if (local[0] == '.' || local[^1] == '.' || local.Contains("..", StringComparison.Ordinal))
            return false;
        foreach (char c in local)
            if (!s_atoms.Contains(c) && !(anyScript && c >= 0x80))
                return false;
        return true;
    }

    static bool IsQuoted(ReadOnlySpan<char> local, bool anyScript)
    {
        if (local.Length < 2 || local[^1] != '"')
            return false;
        for (int i = 1; i < local.Length - 1; i++)
        {
            if (local[i] == '\\')
                i++;
            else if (local[i] == '"')
                return false;
            // A backslash that would escape the closing quote leaves none.
            if (i >= local.Length - 1 || !(local[i] is >= ' ' and <= '~' || (anyScript && local[i] >= 0x80)))
                return false;
        }

        return true;
    }
}
