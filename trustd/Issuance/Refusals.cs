using Talos.Api.Server;
using Talos.Pki;

namespace Talos.Trustd.Issuance;

/// <summary>The one place where the PKI's reasons become refusals of a call.</summary>
static class Refusals
{
    public static RefusalException From(PkiFailure failure) =>
        new(Kind(failure.Reason), failure.ToString()) { Id = failure.Reason.Id(), Hint = failure.Hint ?? "" };

    static RefusalReason Kind(PkiReason reason) => reason switch
    {
        PkiReason.ExcessName or PkiReason.ExcessRole or PkiReason.NameKindNotAllowed or PkiReason.LifetimeTooLong => RefusalReason.NotAllowed,
        PkiReason.SerialNotRecorded or PkiReason.IssuerExpired or PkiReason.IssuerMismatch => RefusalReason.BackendUnavailable,
        PkiReason.LintFailed or PkiReason.Unspecified => RefusalReason.Internal,
        PkiReason.MalformedDer or PkiReason.MalformedPem or PkiReason.TooLarge or PkiReason.UnsupportedVersion or PkiReason.UnsupportedAlgorithm
            or PkiReason.MalformedExtension or PkiReason.WeakKey or PkiReason.KeyNotAllowed or PkiReason.BadSignature or PkiReason.MalformedName
            or PkiReason.EmptyBundle => RefusalReason.InvalidRequest,
    };
}
