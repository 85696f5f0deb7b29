using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Talos.Api.Trust.V1;

namespace Talos.Osctl.Login;

/// <summary>The identity provider, as osctl asks it: OpenID Connect Discovery 1.0, RFC 6749 with PKCE (RFC 7636), RFC 8628. Public client, no secret.</summary>
sealed class ProviderClient : IDisposable
{
    // LIMIT: a configuration or a token; real ones take a few KiB.
    const int MaxAnswer = 256 << 10;

    readonly LoginProviderResponse _provider;
    readonly HttpClient _http;
    readonly JsonObject _configuration;

    ProviderClient(LoginProviderResponse provider, HttpClient http, JsonObject configuration) => (_provider, _http, _configuration) = (provider, http, configuration);

    public string ClientId => _provider.ClientId;

    public string Issuer => _provider.Issuer;

    public string Scope => string.Join(' ', _provider.Scopes);

    public static async Task<ProviderClient> OpenAsync(LoginProviderResponse provider, CancellationToken cancellation)
    {
        var http = Connect(provider);
        try
        {
            using var answer = await http.GetAsync(new Uri(provider.Issuer.TrimEnd('/') + "/.well-known/openid-configuration"), cancellation);
            var configuration = Parse(await answer.Content.ReadAsStringAsync(cancellation)) ?? throw Fault(provider, $"no configuration, status {(int)answer.StatusCode}");
            // Discovery §4.3.
            if (Text(configuration, "issuer") != provider.Issuer) throw Fault(provider, $"it calls itself `{Text(configuration, "issuer")}`");
            return new ProviderClient(provider, http, configuration);
        }
        catch (HttpRequestException e)
        {
            http.Dispose();
            throw Fault(provider, e.InnerException?.Message ?? e.Message);
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>An address of the provider's configuration.</summary>
    public Uri Endpoint(string name) => Uri.TryCreate(Text(_configuration, name), UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps
        ? uri : throw Fault(_provider, $"its configuration has no https address `{name}`");

    /// <summary>Whether the provider has this endpoint at all.</summary>
    public bool Has(string name) => Text(_configuration, name).Length > 0;

    /// <summary>Sends a form; what comes back is an answer or an error in the forms of RFC 6749 §5.</summary>
    public async Task<JsonObject> PostAsync(string endpoint, IEnumerable<KeyValuePair<string, string>> form, CancellationToken cancellation)
    {
        try
        {
            using var content = new FormUrlEncodedContent(form);
            using var answer = await _http.PostAsync(Endpoint(endpoint), content, cancellation);
            return Parse(await answer.Content.ReadAsStringAsync(cancellation)) ?? throw Fault(_provider, $"no JSON, status {(int)answer.StatusCode}");
        }
        catch (HttpRequestException e)
        {
            throw Fault(_provider, e.InnerException?.Message ?? e.Message);
        }
    }

    /// <summary>The ID token of a token answer.</summary>
    public string IdToken(JsonObject answer)
    {
        if (Text(answer, "error") is { Length: > 0 } error) throw Refused(error, Text(answer, "error_description"));
        return Text(answer, "id_token") is { Length: > 0 } token ? token : throw Fault(_provider, "its answer has no ID token");
    }

    public OsctlException Refused(string error, string description) =>
        new($"the identity provider refused: `{Nodes.CallFailure.Sentence(error)}`{(description.Length > 0 ? $", {Nodes.CallFailure.Sentence(description)}" : "")}", null, ExitCode.NodeFailed);

    /// <summary>Empty when it is no text, or not there.</summary>
    public static string Text(JsonObject answer, string name) => answer[name] is JsonValue value && value.TryGetValue(out string? text) ? text : "";

    public static int Number(JsonObject answer, string name, int standard) => answer[name] is JsonValue value && value.TryGetValue(out int number) ? number : standard;

    static HttpClient Connect(LoginProviderResponse provider)
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.ImportFromPem(provider.CaPem);
        return new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust },
        })
        {
            MaxResponseContentBufferSize = MaxAnswer,
            Timeout = TimeSpan.FromSeconds(15),
        };
    }

    static JsonObject? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static OsctlException Fault(LoginProviderResponse provider, string why) =>
        new($"the identity provider `{provider.Issuer}`: {Nodes.CallFailure.Sentence(why)}", "trustd says which provider it is; an administrator configures it as `trust.oidc`", ExitCode.NodeFailed);
}
