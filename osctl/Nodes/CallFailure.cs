using System.Net.Sockets;
using System.Security.Authentication;
using Grpc.Core;

namespace Talos.Osctl.Nodes;

/// <summary>Why a call failed, for people and scripts.</summary>
/// <param name="Code">Name of the gRPC status: `PERMISSION_DENIED`.</param>
/// <param name="Reason">The server's reason id; empty where it gave none.</param>
/// <param name="Message">One sentence, lower case, no full stop.</param>
/// <param name="Hint">What to do, if anything.</param>
sealed record CallFailure(StatusCode Code, string Reason, string Message, string? Hint)
{
    // Trailers by which our servers explain a refusal.
    const string ReasonTrailer = "talos-reason", HintTrailer = "talos-hint";

    public string CodeName => Code switch
    {
        StatusCode.OK => "OK",
        StatusCode.Cancelled => "CANCELLED",
        StatusCode.Unknown => "UNKNOWN",
        StatusCode.InvalidArgument => "INVALID_ARGUMENT",
        StatusCode.DeadlineExceeded => "DEADLINE_EXCEEDED",
        StatusCode.NotFound => "NOT_FOUND",
        StatusCode.AlreadyExists => "ALREADY_EXISTS",
        StatusCode.PermissionDenied => "PERMISSION_DENIED",
        StatusCode.Unauthenticated => "UNAUTHENTICATED",
        StatusCode.ResourceExhausted => "RESOURCE_EXHAUSTED",
        StatusCode.FailedPrecondition => "FAILED_PRECONDITION",
        StatusCode.Aborted => "ABORTED",
        StatusCode.OutOfRange => "OUT_OF_RANGE",
        StatusCode.Unimplemented => "UNIMPLEMENTED",
        StatusCode.Internal => "INTERNAL",
        StatusCode.Unavailable => "UNAVAILABLE",
        StatusCode.DataLoss => "DATA_LOSS",
        _ => "UNKNOWN",
    };

    public bool IsDenial => Code == StatusCode.PermissionDenied;

    public static CallFailure From(RpcException e, PeerConnection connection, TimeSpan? timeout, DateTimeOffset now)
    {
        var reason = e.Trailers.GetValue(ReasonTrailer) ?? "";
        var hint = e.Trailers.GetValue(HintTrailer);
        if (connection.Refusal is { } refusal) return NotBelieved(connection, refusal);
        if (Cause<NotCarriedException>(e) is { } notCarried)
        {
            var failure = From(notCarried.Call, notCarried.Carrier, timeout, now);
            return failure with { Message = $"not carried by {notCarried.Carrier.Endpoint}: {failure.Message}" };
        }
        if (reason.Length > 0) return new CallFailure(e.StatusCode, reason, OneLine(e.Status.Detail), hint);
        return e.StatusCode switch
        {
            StatusCode.DeadlineExceeded => new CallFailure(e.StatusCode, "", $"no answer from {connection.Endpoint} within {DurationText.Format(timeout ?? TimeSpan.Zero)}", "try a longer `--timeout`"),
            StatusCode.Unavailable or StatusCode.Internal when Cause<SocketException>(e) is { } socket => Unreachable(connection, socket),
            StatusCode.Unavailable or StatusCode.Internal when IsBrokenHandshake(e) =>
                new CallFailure(StatusCode.Unavailable, "", $"{connection.Endpoint} broke off the TLS handshake", connection.Credentials is { } own
                    ? own.Weakness(now) ?? "it starts, or it does not accept this certificate: `osctl config info`"
                    : "it starts, or it waits for its first certificate: its console says for what"),
            StatusCode.Unimplemented => new CallFailure(e.StatusCode, "", "the node does not know this call", "compare releases with `osctl version`"),
            _ => new CallFailure(e.StatusCode, "", Sentence(e.Status.Detail), hint ?? connection.Credentials?.Weakness(now)),
        };
    }

    public static CallFailure NotBelieved(PeerConnection connection, Talos.Pki.ValidationResult refusal)
    {
        var shown = refusal.Culprit is null ? "" : $" ({refusal.Culprit})";
        return new CallFailure(StatusCode.Unavailable, Talos.Pki.ValidationReasonText.Id(refusal.Reason), $"whoever answers at {connection.Endpoint} is not believed: {refusal.Message}{shown}",
            refusal.Hint ?? "is this the right context for this address? `osctl config info`");
    }

    static CallFailure Unreachable(PeerConnection connection, SocketException e)
    {
        var what = e.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => $"nothing answers at {connection.Endpoint}",
            SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => $"the name `{connection.Endpoint.Host}` leads nowhere",
            SocketError.TimedOut or SocketError.OperationAborted => $"{connection.Endpoint} does not answer",
            SocketError.ConnectionReset => $"{connection.Endpoint} broke off the connection",
            _ => $"{connection.Endpoint} cannot be reached: {Sentence(e.Message)}",
        };
        return new CallFailure(StatusCode.Unavailable, "", what, "is the node up, and is the address right? `osctl config info`");
    }

    // After a TLS 1.3 handshake that a server refuses, the refusal arrives on the first read.
    static bool IsBrokenHandshake(RpcException e) => Cause<AuthenticationException>(e) is not null || Cause<IOException>(e) is not null || Cause<HttpIOException>(e) is not null;

    static T? Cause<T>(Exception e) where T : Exception
    {
        for (Exception? cause = e is RpcException rpc ? rpc.Status.DebugException ?? rpc.InnerException : e; cause is not null; cause = cause.InnerException)
        {
            if (cause is T found) return found;
        }
        return null;
    }

    /// <summary>A sentence of the runtime or of a library, in the form of ours.</summary>
    internal static string Sentence(string text)
    {
        var line = OneLine(text);
        // The first word is lowered unless it is a name such as `HttpClient`.
        return char.IsUpper(line[0]) && !line.Split(' ')[0].Skip(1).Any(char.IsUpper) ? char.ToLowerInvariant(line[0]) + line[1..] : line;
    }

    static string OneLine(string text)
    {
        var line = string.Concat(text.ReplaceLineEndings(" ").Select(c => char.IsControl(c) ? ' ' : c)).Trim().TrimEnd('.');
        return line.Length == 0 ? "the node gave no reason" : line;
    }
}
