using System.Text;

namespace Talos.Policy;

/// <summary>RFC 3986 as Go's net/url reads it. What it refuses throws.</summary>
sealed class GoUrl
{
    static readonly UTF8Encoding Utf8 = new(false, false);

    enum Part
    {
        Path,
        Host,
        Zone,
        User,
        Fragment,
    }

    public string Scheme { get; private set; } = "";
    public string Host { get; private set; } = "";
    public string Path { get; private set; } = "";

    /// <summary>The path as it was written; empty when it is what writing <see cref="Path"/> gives.</summary>
    public string RawPath { get; private set; } = "";

    public string RawQuery { get; private set; } = "";
    public string Fragment { get; private set; } = "";

    public string Port => Divided.Port;

    /// <summary>The host without its port, an address without its brackets.</summary>
    public string HostName => Divided.Host.StartsWith('[') && Divided.Host.EndsWith(']') ? Divided.Host[1..^1] : Divided.Host;

    (string Host, string Port) Divided
    {
        get
        {
            int colon = Host.LastIndexOf(':');
            return colon >= 0 && IsPort(Host.AsSpan(colon)) ? (Host[..colon], Host[(colon + 1)..]) : (Host, "");
        }
    }

    public static bool IsValid(string text) => TryParse(text) is not null;

    public static GoUrl? TryParse(string text)
    {
        try
        {
            return Parse(text);
        }
        catch (BuiltinException)
        {
            return null; // the answer to the question
        }
    }

    public static GoUrl Parse(string text)
    {
        int hash = text.IndexOf('#', StringComparison.Ordinal);
        string before = hash < 0 ? text : text[..hash];
        var url = new GoUrl();
        try
        {
            url.Read(before);
            if (hash >= 0) url.Fragment = Unescape(text[(hash + 1)..], Part.Fragment);
            return url;
        }
        catch (FormatException e)
        {
            throw new BuiltinException($"parse \"{before}\": {e.Message}");
        }
    }

    void Read(string text)
    {
        if (text.AsSpan().ContainsAnyInRange('\0', '\x1f') || text.Contains('\x7f', StringComparison.Ordinal)) throw new FormatException("net/url: invalid control character in URL");
        string rest = ReadScheme(text);
        int question = rest.IndexOf('?', StringComparison.Ordinal);
        if (question >= 0) (rest, RawQuery) = (rest[..question], rest[(question + 1)..]);
        if (!rest.StartsWith('/'))
        {
            if (Scheme.Length > 0) return; // what has a scheme and no slash is opaque
            int slash = rest.IndexOf('/', StringComparison.Ordinal);
            if (rest.AsSpan(0, slash < 0 ? rest.Length : slash).Contains(':')) throw new FormatException("first path segment in URL cannot contain colon");
        }
        if (rest.StartsWith("//", StringComparison.Ordinal) && (Scheme.Length > 0 || !rest.StartsWith("///", StringComparison.Ordinal)))
        {
            int end = rest.IndexOf('/', 2);
            ReadAuthority(end < 0 ? rest[2..] : rest[2..end]);
            rest = end < 0 ? "" : rest[end..];
        }
        Path = Unescape(rest, Part.Path);
        RawPath = Escape(Path) == rest ? "" : rest;
    }

    string ReadScheme(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == ':')
            {
                if (i == 0) throw new FormatException("missing protocol scheme");
                Scheme = text[..i].ToLowerInvariant();
                return text[(i + 1)..];
            }
            if (!char.IsAsciiLetter(c) && (i == 0 || !(char.IsAsciiDigit(c) || c is '+' or '-' or '.'))) break;
        }
        return text;
    }

    void ReadAuthority(string authority)
    {
        int at = authority.LastIndexOf('@');
        Host = ReadHost(authority[(at + 1)..]);
        if (at < 0) return;
        string user = authority[..at];
        if (user.Any(c => !char.IsAsciiLetterOrDigit(c) && !"-._:~!$&'()*+,;=%@".Contains(c, StringComparison.Ordinal))) throw new FormatException("net/url: invalid userinfo");
        Unescape(user, Part.User);
    }

    string ReadHost(string host)
    {
        int open = host.LastIndexOf('[');
        if (open > 0) throw new FormatException("invalid IP-literal");
        if (open == 0)
        {
            int close = host.LastIndexOf(']');
            if (close < 0) throw new FormatException("missing ']' in host");
            string port = RequirePort(host[(close + 1)..]), address = host[1..close];
            int zone = address.IndexOf("%25", StringComparison.Ordinal);
            string name = zone < 0 ? Unescape(address, Part.Host) : Unescape(address[..zone], Part.Host);
            // RFC 3986 §3.2.2: only an IPv6 address stands in brackets.
            if (GoAddress.Parse(name) is not { Length: 16 }) throw new FormatException("invalid IP-literal");
            return "[" + name + (zone < 0 ? "" : Unescape(address[zone..], Part.Zone)) + "]" + port;
        }
        int colon = Scheme is "postgres" or "postgresql" ? host.LastIndexOf(':') : host.IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0) RequirePort(host[colon..]);
        return Unescape(host, Part.Host);
    }

    static string RequirePort(string port) => port.Length == 0 || IsPort(port) ? port : throw new FormatException($"invalid port \"{port}\" after host");

    static bool IsPort(ReadOnlySpan<char> port) => port[0] == ':' && !port[1..].ContainsAnyExceptInRange('0', '9');

    static string Unescape(string text, Part part)
    {
        byte[] utf8 = Utf8.GetBytes(text);
        var bytes = new List<byte>(utf8.Length);
        for (int i = 0; i < utf8.Length; i++)
        {
            byte b = utf8[i];
            if (b != '%')
            {
                if (part is Part.Host or Part.Zone && b < 0x80 && MustEscape((char)b, part)) throw new FormatException($"invalid character \"{(char)b}\" in host name");
                bytes.Add(b);
                continue;
            }
            if (i + 2 >= utf8.Length || !char.IsAsciiHexDigit((char)utf8[i + 1]) || !char.IsAsciiHexDigit((char)utf8[i + 2]))
                throw new FormatException($"invalid URL escape \"{Utf8.GetString(utf8, i, Math.Min(3, utf8.Length - i))}\"");
            byte value = Convert.FromHexString([(char)utf8[i + 1], (char)utf8[i + 2]])[0];
            // RFC 3986 §3.2.2, RFC 6874 §2: in a host only what is not ASCII may be escaped, and the percent sign of a zone.
            bool bad = value != '%' && (part == Part.Host ? value < 0x80 : part == Part.Zone && value != ' ' && MustEscape((char)value, Part.Host));
            if (bad) throw new FormatException($"invalid URL escape \"{Utf8.GetString(utf8, i, 3)}\"");
            bytes.Add(value);
            i += 2;
        }
        return Utf8.GetString([.. bytes]);
    }

    static string Escape(string path)
    {
        var text = new StringBuilder();
        foreach (byte b in Utf8.GetBytes(path))
        {
            if (MustEscape((char)b, Part.Path)) text.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            else text.Append((char)b);
        }
        return text.ToString();
    }

    static bool MustEscape(char c, Part part)
    {
        if (char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~') return false;
        if (part is Part.Host or Part.Zone) return !"!$&'()*+,;=:[]<>\"".Contains(c, StringComparison.Ordinal);
        return part == Part.Path ? !"$&+,/:;=@".Contains(c, StringComparison.Ordinal) : throw new ArgumentOutOfRangeException(nameof(part));
    }
}
