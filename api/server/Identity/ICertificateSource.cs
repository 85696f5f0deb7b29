using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>Where a server's certificate comes from: trustd over the network, or, for trustd itself, its own authority.</summary>
public interface ICertificateSource
{
    /// <summary>A first certificate, or one after the last expired.</summary>
    /// <param name="csr">DER, PKCS #10.</param>
    /// <param name="learned">What to trust instead of what was configured, learned since under that; null when nothing was.</param>
    /// <exception cref="EnrollmentException">There is none; the exception says why.</exception>
    Task<CertificateGrant> EnrollAsync(ReadOnlyMemory<byte> csr, TrustStore? learned, CancellationToken cancellation);

    /// <summary>A certificate for the identity that <paramref name="current"/> proves.</summary>
    /// <exception cref="EnrollmentException">There is none; the exception says why.</exception>
    Task<CertificateGrant> RenewAsync(ReadOnlyMemory<byte> csr, TrustMaterial current, CancellationToken cancellation);
}

/// <summary>What a source answers. Nothing of it is believed before <see cref="NodeIdentity"/> checked it.</summary>
/// <param name="Certificate">DER.</param>
/// <param name="Intermediates">DER, from the issuer up, without the root.</param>
/// <param name="BundlePem">The certificates to trust from now on, PEM.</param>
public sealed record CertificateGrant(ReadOnlyMemory<byte> Certificate, IReadOnlyList<ReadOnlyMemory<byte>> Intermediates, string BundlePem);

/// <summary>Why no certificate was obtained. Zero is a fault nobody foresaw.</summary>
public enum EnrollmentFailure
{
    Unknown = 0,

    /// <summary>Nobody answered; worth trying again soon.</summary>
    Unreachable,

    /// <summary>Who answered could not prove to be trustd of this cluster.</summary>
    NotTrusted,

    /// <summary>trustd said no; trying again helps only once something was changed there.</summary>
    Refused,

    /// <summary>The answer is not a certificate for the key and the name that were asked for.</summary>
    BadAnswer,

    /// <summary>The certificate is for another machine than this one is configured to be.</summary>
    OtherName,

    /// <summary>A person has to approve it first; the message is the id under which they see it.</summary>
    Waiting,

    /// <summary>There is nothing to ask with: no token and no valid certificate.</summary>
    NothingToShow,
}

/// <summary>A certificate was not obtained. The message is one sentence for people.</summary>
public sealed class EnrollmentException(EnrollmentFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    public EnrollmentFailure Failure { get; } = failure;
}
