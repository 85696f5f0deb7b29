using Grpc.Core;

namespace Talos.Api.Server;

/// <summary>Why a call was not answered. One table, <see cref="RefusalReasons"/>, maps each to its gRPC status. Zero is a fault of ours.</summary>
public enum RefusalReason
{
    /// <summary>Something broke here; the sentence names an incident that the node's log explains.</summary>
    Internal = 0,
    InvalidRequest,
    NotFound,
    AlreadyExists,

    /// <summary>The request is sound but does not fit the present state.</summary>
    WrongState,

    /// <summary>Policy says no.</summary>
    NotAllowed,

    /// <summary>The caller showed nothing that says who it is, or something that is not true.</summary>
    NotIdentified,
    IdentityExpired,
    IdentityRevoked,
    TooManyRequests,
    UnknownMethod,

    /// <summary>The call cannot be put on the record, so it is not made.</summary>
    AuditUnavailable,

    /// <summary>A part of the node that this call needs does not answer.</summary>
    BackendUnavailable,
    Maintenance,
    Stopping,
    DeadlineExceeded,
    Cancelled,
}

/// <summary>The one place where reasons become gRPC statuses and identifiers on the wire.</summary>
public static class RefusalReasons
{
    /// <summary>The identifier sent as `talos-reason`, where the refusal has none of its own; stable across releases.</summary>
    public static string Id(this RefusalReason reason) => reason switch
    {
        RefusalReason.Internal => "internal",
        RefusalReason.InvalidRequest => "invalid-request",
        RefusalReason.NotFound => "not-found",
        RefusalReason.AlreadyExists => "already-exists",
        RefusalReason.WrongState => "wrong-state",
        RefusalReason.NotAllowed => "not-allowed",
        RefusalReason.NotIdentified => "not-identified",
        RefusalReason.IdentityExpired => "identity-expired",
        RefusalReason.IdentityRevoked => "identity-revoked",
        RefusalReason.TooManyRequests => "too-many-requests",
        RefusalReason.UnknownMethod => "unknown-method",
        RefusalReason.AuditUnavailable => "audit-unavailable",
        RefusalReason.BackendUnavailable => "backend-unavailable",
        RefusalReason.Maintenance => "maintenance",
        RefusalReason.Stopping => "stopping",
        RefusalReason.DeadlineExceeded => "deadline-exceeded",
        RefusalReason.Cancelled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, null),
    };

    /// <summary>The gRPC status code of a reason.</summary>
    public static StatusCode Status(this RefusalReason reason) => reason switch
    {
        RefusalReason.Internal => StatusCode.Internal,
        RefusalReason.InvalidRequest => StatusCode.InvalidArgument,
        RefusalReason.NotFound => StatusCode.NotFound,
        RefusalReason.AlreadyExists => StatusCode.AlreadyExists,
        RefusalReason.WrongState => StatusCode.FailedPrecondition,
        RefusalReason.NotAllowed => StatusCode.PermissionDenied,
        RefusalReason.NotIdentified or RefusalReason.IdentityExpired or RefusalReason.IdentityRevoked => StatusCode.Unauthenticated,
        RefusalReason.TooManyRequests => StatusCode.ResourceExhausted,
        RefusalReason.UnknownMethod => StatusCode.Unimplemented,
        RefusalReason.AuditUnavailable or RefusalReason.BackendUnavailable or RefusalReason.Maintenance or RefusalReason.Stopping => StatusCode.Unavailable,
        RefusalReason.DeadlineExceeded => StatusCode.DeadlineExceeded,
        RefusalReason.Cancelled => StatusCode.Cancelled,
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, null),
    };
}
