using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>
/// A server's certificate and the roots it trusts, exchangeable while it runs: handshakes that begin after <see cref="Set"/> use the
/// new material, connections that exist stay as they are. Thread-safe.
/// </summary>
public sealed class TrustSlot
{
    volatile TrustMaterial? current;

    /// <summary>Null until a certificate was obtained; handshakes fail until then.</summary>
    public TrustMaterial? Current => current;

    public void Set(TrustMaterial material)
    {
        ArgumentNullException.ThrowIfNull(material);
        current = material;
    }
}

/// <summary>One certificate with its key and intermediates, and the roots for peers that present themselves to it. Immutable.</summary>
public sealed class TrustMaterial
{
    /// <param name="certificate">With its private key.</param>
    /// <param name="intermediates">From the issuer up, without the root.</param>
    /// <param name="roots">What peers' certificates must lead to; null for a server that asks for none.</param>
    public TrustMaterial(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> intermediates, TrustStore? roots)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (!certificate.HasPrivateKey) throw new ArgumentException("the certificate has no private key", nameof(certificate));
        Certificate = certificate;
        Roots = roots;
        Intermediates = [.. intermediates.Select(i => (ReadOnlyMemory<byte>)i.RawDataMemory)];
        // offline: no download of intermediates and no OCSP staple; what the peer gets is exactly what was given.
        CertificateContext = SslStreamCertificateContext.Create(certificate, [.. intermediates], offline: true);
    }

    TrustMaterial(TrustMaterial other, TrustStore roots)
    {
        Certificate = other.Certificate;
        Intermediates = other.Intermediates;
        CertificateContext = other.CertificateContext;
        Roots = roots;
    }

    /// <summary>The same certificate with other roots for peers.</summary>
    internal TrustMaterial With(TrustStore roots) => new(this, roots);

    public X509Certificate2 Certificate { get; }

    public TrustStore? Roots { get; }

    /// <summary>What a peer is shown beside the certificate, DER, from the issuer up.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Intermediates { get; }

    internal SslStreamCertificateContext CertificateContext { get; }
}
