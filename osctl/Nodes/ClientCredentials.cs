using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Talos.Api.Configuration;
using Talos.Pki;

namespace Talos.Osctl.Nodes;

/// <summary>Whom osctl speaks as, and whom it believes.</summary>
sealed class ClientCredentials
{
    ClientCredentials(TrustStore trust, SslStreamCertificateContext? certificate, Certificate? own) =>
        (Trust, Certificate, Own) = (trust, certificate, own);

    public TrustStore Trust { get; }

    /// <summary>Null where someone without a certificate asks for the first one.</summary>
    public SslStreamCertificateContext? Certificate { get; }

    /// <summary>The person's own certificate, to explain refusals.</summary>
    public Certificate? Own { get; }

    /// <summary>Trust alone, for a first certificate.</summary>
    public static ClientCredentials Anonymous(TrustStore trust) => new(trust, null, null);

    public static ClientCredentials From(ClientContext context, string contextName)
    {
        if (context.CaPem is null) throw new OsctlException($"context `{contextName}` does not say whom to trust", "make it anew with `osctl config new` or `osctl config add`");
        var trust = Require(TrustStore.Parse(Encoding.UTF8.GetBytes(context.CaPem)), $"`ca` of context `{contextName}`");
        if (context.CertificatePem is null || context.PrivateKeyPem is null)
            throw new OsctlException($"context `{contextName}` has no certificate", "ask an administrator for one: `osctl config new`");
        var chain = Require(Talos.Pki.Certificate.ParseBundle(Encoding.UTF8.GetBytes(context.CertificatePem)), $"`crt` of context `{contextName}`").Certificates;
        try
        {
            var leaf = X509Certificate2.CreateFromPem(context.CertificatePem, context.PrivateKeyPem);
            X509Certificate2Collection intermediates = [.. chain.Skip(1).Select(c => X509CertificateLoader.LoadCertificate(c.Der.Span))];
            return new ClientCredentials(trust, SslStreamCertificateContext.Create(leaf, intermediates, offline: true), chain[0]);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new OsctlException($"`crt` and `key` of context `{contextName}` do not belong together");
        }
    }

    /// <summary>Why a server may have refused us, if our own certificate tells.</summary>
    public string? Weakness(DateTimeOffset now)
    {
        if (Own is null) return null;
        if (Own.NotAfter < now) return $"your certificate expired {DurationText.Format(now - Own.NotAfter)} ago; ask for a new one with `osctl config new`";
        return Own.NotBefore > now ? "your certificate is not valid yet; is this machine's clock right?" : null;
    }

    static T Require<T>(Checked<T> result, string what) where T : class =>
        result.Is(out var value, out var failure) ? value : throw new OsctlException($"{what}: {failure}", failure.Hint);
}
