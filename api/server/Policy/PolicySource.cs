using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Talos.Api.Configuration;
using Talos.Policy;

namespace Talos.Api.Server;

public sealed partial record PolicySource
{
    /// <summary>What a service's configuration says of policy.</summary>
    /// <param name="bundle">The bundle of the release.</param>
    /// <param name="state">The service's state folder; a pushed bundle is kept below it.</param>
    /// <param name="rules">Key and outside OPA.</param>
    /// <param name="time">Measures the OPA's deadline.</param>
    public static PolicySource From(string bundle, string state, PolicySection rules, TimeProvider time) => new()
    {
        Shipped = bundle,
        Folder = Path.Combine(state, "policy"),
        KeyPem = rules.Key,
        Outside = rules.Opa is { } opa ? new OutsideOpa(opa.Url, opa.Deadline, Handler(opa), time) : null,
    };

    static SocketsHttpHandler Handler(OpaSection opa)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            // An answer is a decision: one that comes from elsewhere than asked is none.
            AllowAutoRedirect = false,
            ConnectTimeout = opa.Deadline,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            // LIMIT: calls that wait for a decision at the same time.
            MaxConnectionsPerServer = 64,
        };
        if (opa.CaBundle is not { } pem) return handler;
        var chain = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck };
        chain.CustomTrustStore.ImportFromPem(pem);
        handler.SslOptions = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, CertificateChainPolicy = chain };
        return handler;
    }
}
