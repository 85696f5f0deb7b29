namespace Talos.Pki;

/// <summary>What validating a peer's certificate found. Only <see cref="Valid"/> accepts.</summary>
public enum ValidationReason
{
    /// <summary>No validation took place; treated as a refusal.</summary>
    NotValidated = 0,
    Valid,
    MalformedCertificate,
    InvalidOptions,
    NoTrustAnchors,
    UnknownIssuer,
    BadSignature,
    WeakAlgorithm,
    WeakKey,
    Expired,
    NotYetValid,
    NotAuthority,
    PathTooLong,
    SearchTooLong,
    KeyUsage,
    KeyPurpose,
    UnknownCriticalExtension,
    InvalidStructure,
    NameConstraints,
    Policy,
    Revoked,
    RevocationUnknown,
    NameMismatch,
    NoIdentity,
    WrongKind,
    WrongCluster,
}

/// <summary>Names of reasons as the audit log records them.</summary>
public static class ValidationReasonText
{
    /// <summary><c>peer.expired</c> for <see cref="ValidationReason.Expired"/>, and so on.</summary>
    public static string Id(this ValidationReason reason) => reason switch
    {
        ValidationReason.NotValidated => "peer.not-validated",
        ValidationReason.Valid => "peer.valid",
        ValidationReason.MalformedCertificate => "peer.malformed-certificate",
        ValidationReason.InvalidOptions => "peer.invalid-options",
        ValidationReason.NoTrustAnchors => "peer.no-trust-anchors",
        ValidationReason.UnknownIssuer => "peer.unknown-issuer",
        ValidationReason.BadSignature => "peer.bad-signature",
        ValidationReason.WeakAlgorithm => "peer.weak-algorithm",
        ValidationReason.WeakKey => "peer.weak-key",
        ValidationReason.Expired => "peer.expired",
        ValidationReason.NotYetValid => "peer.not-yet-valid",
        ValidationReason.NotAuthority => "peer.not-authority",
        ValidationReason.PathTooLong => "peer.path-too-long",
        ValidationReason.SearchTooLong => "peer.search-too-long",
        ValidationReason.KeyUsage => "peer.key-usage",
        ValidationReason.KeyPurpose => "peer.key-purpose",
        ValidationReason.UnknownCriticalExtension => "peer.unknown-critical-extension",
        ValidationReason.InvalidStructure => "peer.invalid-structure",
        ValidationReason.NameConstraints => "peer.name-constraints",
        ValidationReason.Policy => "peer.policy",
        ValidationReason.Revoked => "peer.revoked",
        ValidationReason.RevocationUnknown => "peer.revocation-unknown",
        ValidationReason.NameMismatch => "peer.name-mismatch",
        ValidationReason.NoIdentity => "peer.no-identity",
        ValidationReason.WrongKind => "peer.wrong-kind",
        ValidationReason.WrongCluster => "peer.wrong-cluster",
    };
}
