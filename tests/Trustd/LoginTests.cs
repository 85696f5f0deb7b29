using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Osctl;
using Talos.Pki;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>People who log in at a real provider, and tokens that are none of ours.</summary>
public sealed class LoginTests : IAsyncLifetime
{
    OidcProvider provider = null!;
    RunningTrustd trustd = null!;

    public async ValueTask InitializeAsync()
    {
        provider = await OidcProvider.StartAsync();
        trustd = await RunningTrustd.StartAsync(login: provider.Configuration);
    }

    public async ValueTask DisposeAsync()
    {
        await trustd.DisposeAsync();
        await provider.DisposeAsync();
    }

    [Theory]
    [InlineData("ES256", "ec-1")]
    [InlineData("RS256", "rsa-1")]
    public async Task Accepts_who_the_provider_knows_with_the_roles_of_their_groups(string algorithm, string kid)
    {
        using var csr = CertificateSigningRequest.Create("");
        var answer = await trustd.Stranger().LoginAsync(Ask(csr, provider.Sign(provider.Claims(Nonce(csr)), algorithm, kid)));
        var certificate = Certificate.Parse(answer.Certificate.Span).Require();
        Assert.Equal(["ada"], certificate.Subject.CommonNames);
        Assert.Equal(["os:operator", "os:reader"], certificate.Subject.Organizations);
        Assert.Equal(8, Math.Round((certificate.NotAfter - certificate.NotBefore).TotalHours));
        var administrator = await trustd.AdministratorAsync();
        var issued = (await administrator.CertificateListAsync(new CertificateListRequest { Name = "ada" })).Certificates.Single();
        Assert.Equal(("login", $"id-of-ada at {provider.Issuer}"), (issued.Reason, issued.Requester));
        Assert.InRange((DateTimeOffset.UtcNow - issued.AuthenticatedAt.ToDateTimeOffset()).TotalSeconds, 55, 600);
    }

    [Theory]
    [InlineData("another issuer", "id-token-issuer")]
    [InlineData("another client", "id-token-audience")]
    [InlineData("several clients", "id-token-audience")]
    [InlineData("another party", "id-token-audience")]
    [InlineData("expired", "id-token-expired")]
    [InlineData("not yet", "id-token-expired")]
    [InlineData("never expires", "id-token-expired")]
    [InlineData("from the future", "id-token-expired")]
    [InlineData("made an hour ago", "id-token-too-old")]
    [InlineData("alg none", "id-token-algorithm")]
    [InlineData("HMAC with the public key", "id-token-algorithm")]
    [InlineData("HMAC key of the set", "id-token-algorithm")]
    [InlineData("key of another kind", "id-token-signature")]
    [InlineData("unknown key", "id-token-key-unknown")]
    [InlineData("no key", "id-token-key-unknown")]
    [InlineData("changed", "id-token-signature")]
    [InlineData("another login's nonce", "id-token-nonce")]
    [InlineData("no subject", "id-token-malformed")]
    [InlineData("no name", "claim-missing")]
    [InlineData("no group of ours", "role-missing")]
    [InlineData("a role too many", "role-not-allowed")]
    [InlineData("nonsense", "id-token-malformed")]
    [InlineData("empty", "id-token-malformed")]
    [InlineData("100 kB", "id-token-malformed")]
    public async Task Denies_tokens_that_are_not_for_this_login_and_keeps_why(string token, string reason)
    {
        using var csr = CertificateSigningRequest.Create("");
        var request = Ask(csr, Make(token, Nonce(csr)));
        if (token == "a role too many") request.Roles.Add("os:admin");

        var refusal = await RunningTrustd.RefusedAsync(trustd.Stranger().LoginAsync(request), reason);

        Assert.Equal(reason == "id-token-malformed" ? StatusCode.InvalidArgument : StatusCode.PermissionDenied, refusal.StatusCode);
        var administrator = await trustd.AdministratorAsync();
        Assert.Empty((await administrator.CertificateListAsync(new CertificateListRequest { Name = "ada" })).Certificates);
        var kept = (await administrator.RefusalListAsync(new RefusalListRequest { Limit = 1 })).Refusals.Single();
        Assert.Equal(("login", reason, refusal.Status.Detail), (kept.Way, kept.Reason, kept.Sentence));
    }

    [Fact]
    public async Task Denies_a_token_its_second_use_also_after_a_restart()
    {
        using var csr = CertificateSigningRequest.Create("");
        using var other = CertificateSigningRequest.Create("");
        var bound = provider.Sign(provider.Claims(Nonce(csr)));
        var free = provider.Sign(provider.Claims(null));
        await trustd.Stranger().LoginAsync(Ask(csr, bound));
        await trustd.Stranger().LoginAsync(Ask(csr, free));

        await RunningTrustd.RefusedAsync(trustd.Stranger().LoginAsync(Ask(csr, bound)), "id-token-used");
        // A replayed nonce: the token of that login with the key of another.
        await RunningTrustd.RefusedAsync(trustd.Stranger().LoginAsync(Ask(other, bound)), "id-token-nonce");
        await trustd.RestartAsync();
        await RunningTrustd.RefusedAsync(trustd.Stranger().LoginAsync(Ask(other, free)), "id-token-used");
    }

    [Fact]
    public async Task Asks_the_provider_once_however_many_unknown_keys_are_named()
    {
        using var csr = CertificateSigningRequest.Create("");
        for (var i = 0; i < 20; i++)
            await RunningTrustd.RefusedAsync(trustd.Stranger().LoginAsync(Ask(csr, provider.Sign(provider.Claims(Nonce(csr)), kid: $"k{i}"))), "id-token-key-unknown");
        await trustd.Stranger().LoginAsync(Ask(csr, provider.Sign(provider.Claims(Nonce(csr)))));
        Assert.Equal(1, provider.KeyRequests);
    }

    [Fact]
    public async Task Says_that_the_provider_is_away()
    {
        using var csr = CertificateSigningRequest.Create("");
        var token = provider.Sign(provider.Claims(Nonce(csr)));
        await provider.DisposeAsync();
        var refusal = await RunningTrustd.RefusedAsync(trustd.Stranger().LoginAsync(Ask(csr, token)), "identity-provider-unavailable");
        Assert.Equal(StatusCode.Unavailable, refusal.StatusCode);
    }

    [Fact]
    public async Task Renews_a_person_s_certificate_only_so_long_after_the_login()
    {
        using var csr = CertificateSigningRequest.Create("");
        var claims = provider.Claims(Nonce(csr));
        // The session at the provider is almost a week old.
        claims["auth_time"] = DateTimeOffset.UtcNow.AddHours(-167).ToUnixTimeSeconds();
        var answer = await trustd.Stranger().LoginAsync(Ask(csr, provider.Sign(claims)));
        var first = Certificate.Parse(answer.Certificate.Span).Require();
        Assert.InRange((first.NotAfter - DateTimeOffset.UtcNow).TotalMinutes, 50, 61);
        using var next = CertificateSigningRequest.Create("ada");
        var renewed = Certificate.Parse((await trustd.As(answer, csr).RenewAsync(new RenewRequest { Csr = ByteString.CopyFrom(next.Der.Span) })).Certificate.Span).Require();
        Assert.InRange((renewed.NotAfter - first.NotAfter).TotalSeconds, -5, 5);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task Gives_osctl_a_context_by_either_flow(bool device, bool bound)
    {
        provider.BindsDevices = bound;
        var config = Path.Combine(trustd.Folder, "talosconfig");
        var ca = Path.Combine(trustd.Folder, "ca.crt");
        File.WriteAllText(ca, File.ReadAllText(Path.Combine(trustd.Folder, "state/ca.crt")));
        var (output, error) = (new StringWriter(), new Browser(provider.CaPem, isUsed: !device));
        string[] words = ["login", "--trustd", trustd.Server.Endpoint.ToString(), "--ca", ca, "--talosconfig", config, .. device ? ["--device"] : Array.Empty<string>()];

        var code = await CommandLine.RunAsync(words, new Terminal { Output = output, Error = error, Bytes = Stream.Null, Environment = _ => null, Time = TimeProvider.System });

        Assert.True(code == 0, error.ToString());
        await error.Done;
        Assert.Contains("ada with os:operator, os:reader", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(config));
        var context = ClientConfiguration.Parse(File.ReadAllText(config), config).TryGet(out var contexts, out var errors) ? contexts.Contexts["demo"] : throw new InvalidOperationException(errors);
        var leaf = Certificate.ParseBundle(Encoding.UTF8.GetBytes(context.CertificatePem!)).Require().Certificates[0];
        Assert.Equal(["ada"], leaf.Subject.CommonNames);
        if (device) Assert.Contains("WDJB-MJHT", error.ToString(), StringComparison.Ordinal);
    }

    string Make(string token, string nonce)
    {
        var claims = provider.Claims(nonce);
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        string With(string name, JsonNode? value)
        {
            claims[name] = value;
            return provider.Sign(claims);
        }
        string Without(string name)
        {
            claims.Remove(name);
            return provider.Sign(claims);
        }
        return token switch
        {
            "another issuer" => With("iss", "https://id.example.org"),
            "another client" => With("aud", "grafana"),
            "several clients" => With("aud", new JsonArray("talos", "grafana")),
            "another party" => With("azp", "grafana"),
            "expired" => With("exp", now - 120),
            "not yet" => With("nbf", now + 120),
            "never expires" => Without("exp"),
            "from the future" => With("iat", now + 3600),
            "made an hour ago" => With("iat", now - 3600),
            "alg none" => provider.Sign(claims, "none"),
            "HMAC with the public key" => provider.Sign(claims, "HS256", "rsa-1"),
            "HMAC key of the set" => provider.Sign(claims, "HS256", "shared"),
            "key of another kind" => provider.Sign(claims, "RS256", "ec-1"),
            "unknown key" => provider.Sign(claims, kid: "ec-2"),
            "no key" => provider.Sign(claims, kid: ""),
            "changed" => Changed(provider.Sign(claims), provider.Sign(provider.Claims(nonce, "root"))),
            "another login's nonce" => With("nonce", Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32))),
            "no subject" => Without("sub"),
            "no name" => Without("preferred_username"),
            "no group of ours" => With("groups", new JsonArray("sales")),
            "a role too many" => provider.Sign(claims),
            "nonsense" => "a.b.c",
            "empty" => "",
            "100 kB" => new string('a', 100_000),
            _ => throw new ArgumentOutOfRangeException(nameof(token), token, null),
        };
    }

    static string Changed(string signed, string other) => string.Join('.', signed.Split('.')[0], other.Split('.')[1], signed.Split('.')[2]);

    static string Nonce(CertificateSigningRequest csr) => Base64Url.EncodeToString(SHA256.HashData(csr.Key.ExportSubjectPublicKeyInfo()));

    static LoginRequest Ask(CertificateSigningRequest csr, string token) => new() { Csr = ByteString.CopyFrom(csr.Der.Span), IdToken = token };

    /// <summary>Reads what osctl prints for the person and follows the address as a browser does.</summary>
    sealed class Browser(string caPem, bool isUsed) : StringWriter
    {
        public Task Done { get; private set; } = Task.CompletedTask;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (isUsed && value is not null && value.StartsWith("open https://", StringComparison.Ordinal)) Done = VisitAsync(new Uri(value[5..]));
        }

        async Task VisitAsync(Uri address)
        {
            using var trusted = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(caPem);
            using var http = new HttpClient(new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.GetRawCertData().AsSpan().SequenceEqual(trusted.RawData) },
            });
            using var login = await http.GetAsync(address);
            var back = login.Headers.Location!;
            // Somebody else on the machine is faster, but does not know the state.
            using var forged = await http.GetAsync(new Uri(back.GetLeftPart(UriPartial.Path) + "?code=forged&state=guessed"));
            Assert.Contains("not the answer", await forged.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            using var answer = await http.GetAsync(back);
            Assert.Contains("logged in", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }
}
