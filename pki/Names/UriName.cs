using System.Buffers;

namespace Talos.Pki;

/// <summary>URIs as certificates carry them: absolute, by the grammar of RFC 3986 (RFC 5280 §4.2.1.6).</summary>
static class UriName
{
    static readonly SearchValues<char> s_scheme = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    static readonly SearchValues<char> s_path = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:@/?");
    static readonly SearchValues<char> s_user = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:");
    static readonly SearchValues<char> s_host = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=");
    static readonly SearchValues<char> s_hexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    public static bool IsValid(ReadOnlySpan<char> uri) => TrySplit(uri, out _);

    /// <summary>False for what is no URI. <paramref name="host"/> is empty when it has none: no authority, or one without a host.</summary>
    public static bool TrySplit(ReadOnlySpan<char> uri, out ReadOnlySpan<char> host)
    {
        host = default;
        int colon = uri.IndexOf(':');
        if (colon < 1 || !char.IsAsciiLetter(uri[0]) || uri[..colon].ContainsAnyExcept(s_scheme) || !HasWholePercents(uri))
            return false;
        ReadOnlySpan<char> rest = uri[(colon + 1)..];
        ReadOnlySpan<char> authority = default;
        if (rest.StartsWith("//"))
        {
            rest = rest[2..];
            int end = rest.IndexOfAny("/?#");
            authority = end < 0 ? rest : rest[..end];
            rest = rest[authority.Length..];
        }

        // The fragment's mark occurs once.
        int mark = rest.IndexOf('#');
        if (rest[..(mark < 0 ? rest.Length : mark)].ContainsAnyExcept(s_path) || (mark >= 0 && rest[(mark + 1)..].ContainsAnyExcept(s_path)))
            return false;
        int at = authority.IndexOf('@');
        if (at >= 0 && authority[..at].ContainsAnyExcept(s_user))
            return false;
        authority = authority[(at + 1)..];
        int port = authority.LastIndexOf(':');
        if (authority.StartsWith("["))
            port = authority.IndexOf(']') + 1;
        host = port < 0 ? authority : authority[..port];
        ReadOnlySpan<char> behind = authority[host.Length..];
        if (behind.Length > 0 && (behind[0] != ':' || behind[1..].ContainsAnyExceptInRange('0', '9')))
            return false;
        return host.StartsWith("[") ? System.Net.IPAddress.TryParse(host[1..^1], out _) : !host.ContainsAnyExcept(s_host);
    }

    static bool HasWholePercents(ReadOnlySpan<char> uri)
    {
        for (int i = 0; i < uri.Length; i++)
            if (uri[i] == '%' && (i + 2 >= uri.Length || uri.Slice(i + 1, 2).ContainsAnyExcept(s_hexDigits)))
                return false;
        return true;
    }
}
