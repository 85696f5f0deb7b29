using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Talos.Api.Machine.V1;

namespace Talos.Api.Configuration;

/// <summary>The kinds of values that documents hold.</summary>
static partial class Formats
{
    public static readonly ScalarFormat<string> Version = new("`v1alpha1`", (string t, out string v) => (v = t) == "v1alpha1", Words: ["v1alpha1"]);

    public static readonly ScalarFormat<bool> Boolean = new("`true` or `false`", (string t, out bool v) => (v = t == "true") || t == "false", Words: ["true", "false"]);

    public static readonly ScalarFormat<MachineType> MachineType = OneOf(("controlplane", Machine.V1.MachineType.Controlplane), ("worker", Machine.V1.MachineType.Worker));

    // SPIFFE-ID §2.1, without the underscore, which no host name may hold.
    public static readonly ScalarFormat<string> TrustDomain = Matching("a name of lower-case letters, digits, dots and dashes", TrustDomainPattern());

    // RFC 1123 §2.1, lower case so that one host has one name.
    public static readonly ScalarFormat<string> HostName = Matching("a host name of lower-case letters, digits and dashes", HostNamePattern());

    /// <summary>A certificate's name: host or address.</summary>
    public static readonly ScalarFormat<string> HostOrAddress =
        new("a host name or an address", (string t, out string v) => IPAddress.TryParse(v = t, out _) || HostNamePattern().IsMatch(t));

    /// <summary>Host names with <c>*</c> for any run of letters, digits and dashes.</summary>
    public static readonly ScalarFormat<string> HostPattern = Matching("a host name, with `*` for any letters, digits and dashes", HostPatternPattern());

    // IFNAMSIZ is 16 with the final zero.
    public static readonly ScalarFormat<string> InterfaceName = Matching("an interface's name", InterfaceNamePattern());

    public static readonly ScalarFormat<string> Sysctl = Matching("a sysctl's name as in `net.core.somaxconn`", SysctlPattern());

    public static readonly ScalarFormat<string> SysctlValue = Matching("a value of one line", SysctlValuePattern());

    // Last segment of a SPIFFE identity, and RFC 5280's ub-common-name.
    public static readonly ScalarFormat<string> PersonName = Matching("a name of lower-case letters, digits and `.`, `_`, `-`", PersonNamePattern());

    public static readonly ScalarFormat<string> ContextName = Matching("a name of letters, digits and `.`, `_`, `@`, `-`", ContextNamePattern());

    public static readonly ScalarFormat<string> Role = Matching("a role as in `os:reader`", RolePattern());

    public static readonly ScalarFormat<string> AbsolutePath = new("an absolute path", (string t, out string v) => (v = t).StartsWith('/') && !t.Contains('\0'));

    public static readonly ScalarFormat<string> AnyText = new("text", (string t, out string v) => (v = t) is not null);

    public static readonly ScalarFormat<IPAddress> Address = new("an IP address", TryAddress);

    public static readonly ScalarFormat<InterfaceAddress> InterfaceAddress = new("an address with its prefix as in `10.0.0.2/24`", Configuration.InterfaceAddress.TryParse);

    public static readonly ScalarFormat<IPNetwork> Network = new("a network as in `10.0.0.0/8`", TryNetwork);

    public static readonly ScalarFormat<Endpoint> Endpoint = new("an address as in `10.0.2.2:50001`", (string t, out Endpoint v) => Configuration.Endpoint.TryParse(t, null, out v!));

    public static readonly ScalarFormat<TokenSecret> Token =
        new("a token: 8 characters, a dot, 32 characters", (string t, out TokenSecret v) => TokenSecret.TryParse(t, out v!), IsSecret: true);

    public static readonly ScalarFormat<string> TokenId = Matching("a token's id: 8 lower-case letters and digits", TokenIdPattern());

    public static readonly ScalarFormat<ReadOnlyMemory<byte>> Key = new("32 bytes in base64", TryKey, IsSecret: true);

    public static readonly ScalarFormat<uint> Count = new("a number above 0",
        (string t, out uint v) => uint.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out v) && v > 0);

    // RFC 3339, UTC.
    public static readonly ScalarFormat<DateTimeOffset> Instant = new("a time as in `2030-01-31T12:00:00Z`",
        (string t, out DateTimeOffset v) => DateTimeOffset.TryParseExact(t, ["yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"], CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out v));

    public static readonly ScalarFormat<string> CertificatePem = Pem("certificates in PEM", "CERTIFICATE", isSecret: false);

    public static readonly ScalarFormat<string> PrivateKeyPem = Pem("a private key in PEM", "PRIVATE KEY", isSecret: true);

    public static readonly ScalarFormat<string> PublicKeyPem = Pem("a public key in PEM", "PUBLIC KEY", isSecret: false);

    // A decision that goes over the network in the clear is one that anybody on the way can make.
    public static readonly ScalarFormat<string> ListUrl = new("an `http` address as in `http://crl.example.org/talos`", TryListUrl);

    public static readonly ScalarFormat<string> Issuer = new("an `https` address as in `https://id.example.org`", TryIssuer);

    public static readonly ScalarFormat<Uri> ServerUrl = new("an `https` address, or an `http` one on the loopback", TryServerUrl);

    // LIMIT: what a call may wait for a decision.
    public static readonly ScalarFormat<TimeSpan> ShortDuration = new("a duration up to ten seconds as in `500ms`", TryShortDuration);

    // Kubernetes' labels without the prefix: short words that rules compare.
    public static readonly ScalarFormat<string> LabelName = Matching("a label's name of letters, digits and `.`, `_`, `-`", LabelPattern());

    public static readonly ScalarFormat<string> LabelValue = Matching("a label's value of letters, digits and `.`, `_`, `-`", LabelPattern());

    public static string Write(TimeSpan duration) => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds:0}ms");

    public static ScalarFormat<T> OneOf<T>(params (string Word, T Value)[] choices)
    {
        var words = choices.Select(c => c.Word).ToArray();
        return new ScalarFormat<T>("one of " + string.Join(", ", words.Select(w => $"`{w}`")), TryParse, Words: words);

        bool TryParse(string text, out T value)
        {
            foreach (var choice in choices)
            {
                if (choice.Word != text) continue;
                value = choice.Value;
                return true;
            }
            value = default!;
            return false;
        }
    }

    static ScalarFormat<string> Matching(string expected, Regex pattern) => new(expected, (string t, out string v) => pattern.IsMatch(v = t));

    static ScalarFormat<string> Pem(string expected, string label, bool isSecret) => new(expected, (string t, out string v) =>
        System.Security.Cryptography.PemEncoding.TryFind(v = t, out var fields) && t[fields.Label].EndsWith(label, StringComparison.Ordinal), isSecret);

    static bool TryAddress(string text, out IPAddress value)
    {
        // The round trip refuses the forms that inet_aton takes: `10.1`, `0x7f.1`, `010.0.0.1`.
        if (IPAddress.TryParse(text, out value!) && value.ToString().Equals(text, StringComparison.OrdinalIgnoreCase)) return true;
        return value is { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 } && text.Contains(':') && !text.Contains('%') && !text.Contains('[');
    }

    static bool TryNetwork(string text, out IPNetwork value)
    {
        value = default;
        if (!Configuration.InterfaceAddress.TryParse(text, out var address)) return false;
        value = new IPNetwork(address.Masked(), address.PrefixLength);
        return value.BaseAddress.Equals(address.Address);
    }

    // RFC 5280 §4.2.1.13 with http: a list is signed, and fetching it over https would need the list.
    static bool TryListUrl(string text, out string value) =>
        Uri.TryCreate(value = text, UriKind.Absolute, out var uri) && uri is { Scheme: "http", UserInfo: "", Query: "", Fragment: "" };

    // OpenID Connect Discovery 1.0 §3: https, without query and fragment. Kept as it is written: ID tokens are compared with it octet by octet.
    static bool TryIssuer(string text, out string value) =>
        Uri.TryCreate(value = text, UriKind.Absolute, out var uri) && uri is { Scheme: "https", UserInfo: "", Query: "", Fragment: "" };

    static bool TryServerUrl(string text, out Uri value)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out value!) || value.UserInfo.Length > 0 || value.Query.Length > 0 || value.Fragment.Length > 0) return false;
        if (!value.AbsolutePath.EndsWith('/')) value = new Uri(value.AbsoluteUri + "/");
        return value.Scheme == Uri.UriSchemeHttps || (value.Scheme == Uri.UriSchemeHttp && value.IsLoopback);
    }

    static bool TryShortDuration(string text, out TimeSpan value)
    {
        value = default;
        var unit = text.EndsWith("ms", StringComparison.Ordinal) ? 1 : text.EndsWith('s') ? 1000 : 0;
        if (unit == 0 || !uint.TryParse(text.AsSpan(0, text.Length - (unit == 1 ? 2 : 1)), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        value = TimeSpan.FromMilliseconds((double)number * unit);
        return number > 0 && value <= TimeSpan.FromSeconds(10);
    }

    static bool TryKey(string text, out ReadOnlyMemory<byte> value)
    {
        var bytes = new byte[32];
        value = bytes;
        return text.Length == 44 && Convert.TryFromBase64String(text, bytes, out var written) && written == bytes.Length;
    }

    [GeneratedRegex(@"\A[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?\z")]
    private static partial Regex TrustDomainPattern();

    [GeneratedRegex(@"\A(?=.{1,253}\z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\z")]
    private static partial Regex HostNamePattern();

    [GeneratedRegex(@"\A[a-z0-9*][a-z0-9.*-]{0,252}\z")]
    private static partial Regex HostPatternPattern();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,14}\z")]
    private static partial Regex InterfaceNamePattern();

    [GeneratedRegex(@"\A[a-z0-9_-]+([./][A-Za-z0-9_-]+){1,8}\z")]
    private static partial Regex SysctlPattern();

    [GeneratedRegex(@"\A[^\x00-\x08\x0A-\x1F\x7F]{1,256}\z")]
    private static partial Regex SysctlValuePattern();

    [GeneratedRegex(@"\A[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?\z")]
    private static partial Regex PersonNamePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\z")]
    private static partial Regex ContextNamePattern();

    [GeneratedRegex(@"\A[a-z][a-z0-9-]*(:[a-z][a-z0-9-]*){0,3}\z")]
    private static partial Regex RolePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\z")]
    private static partial Regex LabelPattern();

    [GeneratedRegex(@"\A[a-z0-9]{8}\z")]
    private static partial Regex TokenIdPattern();
}
