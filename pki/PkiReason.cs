namespace Talos.Pki;

/// <summary>Why a document was refused or a certificate not issued. Stable; <see cref="PkiReasonText.Id"/> is its name on the record.</summary>
public enum PkiReason
{
    /// <summary>No reason was given; treated as a refusal.</summary>
    Unspecified = 0,
    MalformedDer,
    MalformedPem,
    TooLarge,
    UnsupportedVersion,
    UnsupportedAlgorithm,
    MalformedExtension,
    WeakKey,
    KeyNotAllowed,
    BadSignature,
    MalformedName,
    ExcessName,
    ExcessRole,
    LifetimeTooLong,
    NameKindNotAllowed,
    IssuerExpired,
    IssuerMismatch,
    LintFailed,
    SerialNotRecorded,
    EmptyBundle,
}

/// <summary>Names of reasons as the ledger and the audit log record them.</summary>
public static class PkiReasonText
{
    /// <summary><c>pki.weak-key</c> for <see cref="PkiReason.WeakKey"/>, and so on.</summary>
    public static string Id(this PkiReason reason) => reason switch
    {
        PkiReason.Unspecified => "pki.unspecified",
        PkiReason.MalformedDer => "pki.malformed-der",
        PkiReason.MalformedPem => "pki.malformed-pem",
        PkiReason.TooLarge => "pki.too-large",
        PkiReason.UnsupportedVersion => "pki.unsupported-version",
        PkiReason.UnsupportedAlgorithm => "pki.unsupported-algorithm",
        PkiReason.MalformedExtension => "pki.malformed-extension",
        PkiReason.WeakKey => "pki.weak-key",
        PkiReason.KeyNotAllowed => "pki.key-not-allowed",
        PkiReason.BadSignature => "pki.bad-signature",
        PkiReason.MalformedName => "pki.malformed-name",
        PkiReason.ExcessName => "pki.excess-name",
        PkiReason.ExcessRole => "pki.excess-role",
        PkiReason.LifetimeTooLong => "pki.lifetime-too-long",
        PkiReason.NameKindNotAllowed => "pki.name-kind-not-allowed",
        PkiReason.IssuerExpired => "pki.issuer-expired",
        PkiReason.IssuerMismatch => "pki.issuer-mismatch",
        PkiReason.LintFailed => "pki.lint-failed",
        PkiReason.SerialNotRecorded => "pki.serial-not-recorded",
        PkiReason.EmptyBundle => "pki.empty-bundle",
    };
}
