using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Talos.Audit;

namespace Talos.Api.Server;

sealed partial class CallRecord
{
    // LIMIT: a field worth logging is a name, a path or a serial; more of it is cut.
    const int MaxFieldLength = 256;

    /// <summary>Keeps the request's fields that policy marked as fit for the record.</summary>
    public static void Describe(ServedCall call, IMessage request)
    {
        if (call.Decision is not { LoggableFields: { Count: > 0 } paths }) return;
        call.Fields = [.. paths.Select(path => Read(request, path) is { } value
            ? new LoggedField { Path = path, Value = value }
            : new LoggedField { Path = path, Masked = true })];
    }

    /// <summary>The same fields for a person who is asked to approve the request.</summary>
    public static IReadOnlyDictionary<string, string> Show(IMessage request, IReadOnlyList<string> paths) =>
        paths.Select(path => (Path: path, Value: Read(request, path) ?? "(secret)")).Where(f => f.Value.Length > 0).ToDictionary(f => f.Path, f => f.Value, StringComparer.Ordinal);

    public static Talos.Audit.Caller Describe(Caller caller)
    {
        var described = new Talos.Audit.Caller { SourceAddress = caller.SourceText };
        described.ForwardedBy.AddRange(caller.ForwardedBy);
        if (caller.Identity is not { } identity) return described;
        described.Name = identity.Name;
        described.Serial = identity.Serial;
        described.SpiffeUri = caller.Authorization.Spiffe;
        foreach (var role in identity.Roles) described.Roles.Add(role);
        return described;
    }

    static void Describe(Decision recorded, Talos.Policy.Decision? decision, StatusCode status)
    {
        recorded.Effect = decision?.Outcome == Talos.Policy.DecisionOutcome.Allow ? Effect.Allow : Effect.Deny;
        recorded.Rule = decision?.Rule ?? "";
        recorded.BundleRevision = decision?.Revision ?? "";
        // Without a decision the call was refused before policy was asked.
        recorded.ReasonId = decision?.ReasonId ?? StatusName(status);
        recorded.Reason = decision?.Sentence ?? "";
    }

    // Null for a secret, whatever policy says: a field marked debug_redact, or a message, which may hold one. Policy is data, and somebody's slip.
    static string? Read(IMessage message, string path)
    {
        object? value = message;
        foreach (var name in path.Split('.'))
        {
            if (value is not IMessage inner || inner.Descriptor.FindFieldByName(name) is not { } field) return "";
            if (field.GetOptions()?.DebugRedact == true) return null;
            value = field.Accessor.GetValue(inner);
        }
        if (IsOurs(value) || (value is System.Collections.IList several && several.Cast<object>().Any(IsOurs))) return null;
        var text = value is System.Collections.IList list
            ? string.Join(", ", list.Cast<object>())
            : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? "";
        return text.Length <= MaxFieldLength ? text : text[..MaxFieldLength];
    }

    static bool IsOurs(object? value) => value is IMessage { Descriptor.File.Package: not "google.protobuf" };

    // gRPC, doc/statuscodes.md: the names that every implementation prints.
    static string StatusName(StatusCode status) => status switch
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
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, null),
    };
}
