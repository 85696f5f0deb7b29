using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Talos.Api.Configuration;

namespace Talos.Trustd.Tests;

/// <summary>A real OpenID Connect provider on a loopback port, over TLS: discovery, keys, authorization code with PKCE, device flow, signed tokens.</summary>
sealed class OidcProvider : IAsyncDisposable
{
    readonly WebApplication application;
    readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly RSA rsa = RSA.Create(2048);
    readonly Dictionary<string, (string Challenge, string Nonce, string Redirect)> codes = [];

    OidcProvider(WebApplication application, string caPem) => (this.application, CaPem) = (application, caPem);

    public string Issuer { get; private set; } = "";

    public string CaPem { get; }

    /// <summary>What the configuration of trustd says of this provider.</summary>
    public LoginSection Configuration => new()
    {
        Issuer = Issuer,
        ClientId = "talos",
        CaPem = CaPem,
        Roles = [new GroupRoles("sre", ["os:operator", "os:reader"]), new GroupRoles("audit", ["os:auditor"])],
    };

    /// <summary>How often keys were asked for.</summary>
    public int KeyRequests { get; private set; }

    /// <summary>The id of the elliptic curve key in the set; changing it is the provider's rotation.</summary>
    public string KeyId { get; set; } = "ec-1";

    public int DevicePolls { get; private set; }

    /// <summary>Whether the device flow's tokens hold the nonce.</summary>
    public bool BindsDevices { get; set; } = true;

    public static async Task<OidcProvider> StartAsync()
    {
        using var tls = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=id.example.org", tls, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.UseHttps(made)));
        var application = builder.Build();
        var provider = new OidcProvider(application, made.ExportCertificatePem());
        provider.Map();
        await application.StartAsync();
        provider.Issuer = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return provider;
    }

    public JsonObject Claims(string? nonce, string user = "ada", params string[] groups)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = Issuer,
            ["aud"] = "talos",
            ["sub"] = $"id-of-{user}",
            ["iat"] = now,
            ["exp"] = now + 300,
            ["auth_time"] = now - 60,
            ["preferred_username"] = user,
            ["groups"] = new JsonArray([.. (groups.Length == 0 ? ["sre"] : groups).Select(g => (JsonNode)g)]),
        };
        if (nonce is not null) claims["nonce"] = nonce;
        return claims;
    }

    /// <summary>A token with these claims: by default as the provider signs them.</summary>
    public string Sign(JsonObject claims, string algorithm = "ES256", string kid = "ec-1")
    {
        var head = Part(new JsonObject { ["alg"] = algorithm, ["kid"] = kid, ["typ"] = "JWT" }) + "." + Part(claims);
        var bytes = Encoding.ASCII.GetBytes(head);
        return head + "." + Base64Url.EncodeToString(algorithm switch
        {
            "ES256" => key.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
            "RS256" => rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            // The confusion: a public key, which everyone has, used as the secret of an HMAC.
            "HS256" => HMACSHA256.HashData(Encoding.ASCII.GetBytes(rsa.ExportSubjectPublicKeyInfoPem()), bytes),
            "none" => [],
            _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, null),
        });
    }

    public async ValueTask DisposeAsync()
    {
        await application.DisposeAsync();
        key.Dispose();
        rsa.Dispose();
    }

    void Map()
    {
        application.UseRouting();
        application.MapGet("/.well-known/openid-configuration", c => Write(c, new JsonObject
        {
            ["issuer"] = Issuer,
            ["jwks_uri"] = Issuer + "/keys",
            ["authorization_endpoint"] = Issuer + "/authorize",
            ["token_endpoint"] = Issuer + "/token",
            ["device_authorization_endpoint"] = Issuer + "/device",
        }));
        application.MapGet("/keys", Keys);
        application.MapGet("/authorize", Authorize);
        application.MapPost("/device", Device);
        application.MapPost("/token", Token);
    }

    Task Keys(HttpContext context)
    {
        KeyRequests++;
        var (p, r) = (key.ExportParameters(false), rsa.ExportParameters(false));
        return Write(context, new JsonObject
        {
            ["keys"] = new JsonArray(
                new JsonObject { ["kty"] = "EC", ["use"] = "sig", ["kid"] = KeyId, ["crv"] = "P-256", ["x"] = Text(p.Q.X), ["y"] = Text(p.Q.Y) },
                new JsonObject { ["kty"] = "RSA", ["use"] = "sig", ["kid"] = "rsa-1", ["n"] = Text(r.Modulus), ["e"] = Text(r.Exponent) },
                // A secret has no business in a public set; taken for a key it would verify what anyone signs.
                new JsonObject { ["kty"] = "oct", ["kid"] = "shared", ["k"] = Text("known to everyone"u8.ToArray()) }),
        });
    }

    Task Authorize(HttpContext context)
    {
        var query = context.Request.Query;
        if (query["client_id"] != "talos" || query["response_type"] != "code" || query["code_challenge_method"] != "S256")
            return Write(context, new JsonObject { ["error"] = "invalid_request" }, 400);
        var code = Text(RandomNumberGenerator.GetBytes(16));
        codes[code] = (query["code_challenge"].ToString(), query["nonce"].ToString(), query["redirect_uri"].ToString());
        context.Response.Redirect($"{query["redirect_uri"]}?code={code}&state={Uri.EscapeDataString(query["state"].ToString())}&iss={Uri.EscapeDataString(Issuer)}");
        return Task.CompletedTask;
    }

    async Task Device(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var code = Text(RandomNumberGenerator.GetBytes(16));
        codes[code] = ("", form["nonce"].ToString(), "");
        await Write(context, new JsonObject
        {
            ["device_code"] = code,
            ["user_code"] = "WDJB-MJHT",
            ["verification_uri"] = Issuer + "/activate",
            ["expires_in"] = 300,
            ["interval"] = 1,
        });
    }

    async Task Token(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var isDevice = form["grant_type"] == "urn:ietf:params:oauth:grant-type:device_code";
        // The person takes a moment.
        if (isDevice && DevicePolls++ == 0)
        {
            await Write(context, new JsonObject { ["error"] = "authorization_pending" }, 400);
            return;
        }
        if (!codes.Remove(form[isDevice ? "device_code" : "code"].ToString(), out var login) || form["client_id"] != "talos"
            || (!isDevice && (login.Redirect != form["redirect_uri"]
                || login.Challenge != Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))))))
        {
            await Write(context, new JsonObject { ["error"] = "invalid_grant" }, 400);
            return;
        }
        await Write(context, new JsonObject { ["token_type"] = "Bearer", ["access_token"] = "x", ["id_token"] = Sign(Claims(isDevice && !BindsDevices ? null : login.Nonce)) });
    }

    static Task Write(HttpContext context, JsonObject answer, int status = 200)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(answer.ToJsonString());
    }

    static string Part(JsonObject json) => Text(Encoding.UTF8.GetBytes(json.ToJsonString()));

    static string Text(byte[]? bytes) => Base64Url.EncodeToString(bytes);
}
