using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;
using Talos.Api.Configuration;
using Talos.Api.Server;

namespace Talos.Trustd.Login;

/// <summary>
/// The OpenID Connect provider: where its keys are, and what they are now. Keys are kept for an hour; an unknown key id has them fetched anew,
/// at most twice a minute, so that made-up ids cannot turn this server against the provider.
/// </summary>
sealed class IdentityProvider : IDisposable
{
    // LIMIT: a configuration or a set of keys; real ones take a few KiB.
    const int MaxAnswer = 256 << 10;

    static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10), Fresh = TimeSpan.FromHours(1), BetweenFetches = TimeSpan.FromSeconds(30);

    // RFC 7518 §3.1 without `none` and the HMACs: those would make a verifier's key a signer's.
    public static readonly IReadOnlyList<string> Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    readonly TimeProvider time;
    readonly HttpClient http;
    readonly SemaphoreSlim oneFetch = new(1);
    volatile Keys? keys;
    DateTimeOffset lastFetch = DateTimeOffset.MinValue;

    public IdentityProvider(LoginSection configuration, TimeProvider time)
    {
        (Configuration, this.time) = (configuration, time);
        // The provider is no peer of the fleet: nothing here follows its revocations.
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        trust.CustomTrustStore.ImportFromPem(configuration.CaPem);
        http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = Deadline,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust },
        })
        {
            MaxResponseContentBufferSize = MaxAnswer,
            Timeout = Deadline,
        };
    }

    public LoginSection Configuration { get; }

    public void Dispose()
    {
        http.Dispose();
        oneFetch.Dispose();
    }

    /// <summary>The key with this id; null when the provider has none.</summary>
    /// <exception cref="RefusalException">The provider does not answer, or not as a provider does.</exception>
    public async Task<SecurityKey?> FindKeyAsync(string id, CancellationToken cancellation)
    {
        if (Current()?.Find(id) is { } known) return known;
        await oneFetch.WaitAsync(cancellation);
        try
        {
            if (Current()?.Find(id) is { } fetched) return fetched;
            var now = time.GetUtcNow();
            if (now - lastFetch < BetweenFetches)
            {
                if (Current() is null) throw Away("it did not answer a moment ago", null);
                return null;
            }
            lastFetch = now;
            keys = await FetchAsync(now, cancellation);
            return keys.Find(id);
        }
        finally
        {
            oneFetch.Release();
        }
    }

    Keys? Current() => keys is { } known && time.GetUtcNow() - known.At < Fresh ? known : null;

    async Task<Keys> FetchAsync(DateTimeOffset now, CancellationToken cancellation)
    {
        try
        {
            // OpenID Connect Discovery 1.0 §4.
            using var document = JsonDocument.Parse(await GetAsync(new Uri(Configuration.Issuer.TrimEnd('/') + "/.well-known/openid-configuration"), cancellation));
            // §4.3: otherwise the document is somebody else's.
            if (Text(document, "issuer") is var issuer && issuer != Configuration.Issuer) throw Away($"it calls itself `{issuer}`", null);
            if (!Uri.TryCreate(Text(document, "jwks_uri"), UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps) throw Away("its `jwks_uri` is no https address", null);
            return new Keys(now, JsonWebKeySet.Create(await GetAsync(uri, cancellation)));
        }
        catch (Exception e) when ((e is HttpRequestException or JsonException or ArgumentException or OperationCanceledException) && !cancellation.IsCancellationRequested)
        {
            throw Away(e is OperationCanceledException ? "no answer in time" : e.Message, e);
        }
    }

    async Task<string> GetAsync(Uri uri, CancellationToken cancellation)
    {
        using var answer = await http.GetAsync(uri, cancellation);
        return answer.StatusCode == HttpStatusCode.OK ? await answer.Content.ReadAsStringAsync(cancellation) : throw new HttpRequestException($"it answers with status {(int)answer.StatusCode}");
    }

    static string Text(JsonDocument document, string name) =>
        document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    RefusalException Away(string why, Exception? cause) =>
        new(RefusalReason.BackendUnavailable, $"the identity provider `{Configuration.Issuer}` cannot be asked: {why}{(cause?.InnerException is { } inner ? $": {inner.Message}" : "")}")
        {
            Id = "identity-provider-unavailable",
            Hint = "a certificate that is still good can be renewed without it: `osctl config renew`",
        };

    sealed class Keys(DateTimeOffset at, JsonWebKeySet set)
    {
        // LIMIT: a provider rotates through a handful.
        const int MaxKeys = 64;

        // RFC 7517 §4.2: a key for encryption signs nothing.
        readonly Dictionary<string, SecurityKey> byId = set.Keys
            .Where(k => k.Kty is JsonWebAlgorithmsKeyTypes.RSA or JsonWebAlgorithmsKeyTypes.EllipticCurve && k.Use is null or "" or "sig" && !string.IsNullOrEmpty(k.Kid))
            .Take(MaxKeys).DistinctBy(k => k.Kid, StringComparer.Ordinal).ToDictionary(k => k.Kid, k => (SecurityKey)k, StringComparer.Ordinal);

        public DateTimeOffset At { get; } = at;

        public SecurityKey? Find(string id) => byId.GetValueOrDefault(id);
    }
}
