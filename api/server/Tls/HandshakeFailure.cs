namespace Talos.Api.Server;

/// <summary>Why a connection never got as far as a call. The zero value claims nothing.</summary>
enum HandshakeFailure
{
    Unknown = 0,
    NotTls,
    TlsVersion,
    NoCertificate,
    UntrustedCertificate,
    ExpiredCertificate,
    RevokedCertificate,
    Protocol,
    Timeout,
    Aborted,
    TooManyConnections,
    NoServerCertificate,
}

static class HandshakeFailures
{
    /// <summary>The identifier that the record keeps; stable across releases.</summary>
    public static string Id(this HandshakeFailure failure) => failure switch
    {
        HandshakeFailure.NotTls => "not-tls",
        HandshakeFailure.TlsVersion => "tls-version",
        HandshakeFailure.NoCertificate => "no-certificate",
        HandshakeFailure.UntrustedCertificate => "untrusted-certificate",
        HandshakeFailure.ExpiredCertificate => "expired-certificate",
        HandshakeFailure.RevokedCertificate => "revoked-certificate",
        HandshakeFailure.Protocol => "tls-protocol",
        HandshakeFailure.Timeout => "handshake-timeout",
        HandshakeFailure.Aborted => "handshake-aborted",
        HandshakeFailure.TooManyConnections => "too-many-connections",
        HandshakeFailure.NoServerCertificate => "no-server-certificate",
        HandshakeFailure.Unknown => "handshake-failed",
        _ => throw new ArgumentOutOfRangeException(nameof(failure), failure, null),
    };
}
