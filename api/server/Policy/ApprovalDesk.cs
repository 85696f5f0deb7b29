using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Approval.V1;
using Talos.Policy;

namespace Talos.Api.Server;

/// <summary>Where a second person sees what waits for one, and approves.</summary>
public sealed class ApprovalDesk(ApprovalBook book) : ApprovalService.ApprovalServiceBase
{
    public override Task<ListResponse> List(ListRequest request, ServerCallContext context) =>
        Task.FromResult(new ListResponse { Requests = { book.List().Select(Show) } });

    public override Task<ApproveResponse> Approve(ApproveRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        if (call.Caller.Identity is not { } identity) throw new RefusalException(RefusalReason.NotIdentified, "an approval needs a name");
        var outcome = book.Approve(request.Id, identity.Name, [.. identity.Roles], out var pending);
        if (pending is not null)
        {
            call.Note("approval_method", pending.Method);
            call.Note("approval_requested_by", pending.RequestedBy);
            call.Note("approval_request_digest", pending.RequestDigest);
        }
        return outcome switch
        {
            ApprovalOutcome.Accepted => Task.FromResult(new ApproveResponse { Request = Show(pending!) }),
            ApprovalOutcome.OwnRequest => throw new RefusalException(RefusalReason.NotAllowed, "nobody approves their own request") { Id = "own-request", Hint = "ask another person" },
            ApprovalOutcome.AlreadyApproved => throw new RefusalException(RefusalReason.AlreadyExists, $"you have approved `{request.Id}` already"),
            ApprovalOutcome.Expired => throw Gone(request.Id),
            ApprovalOutcome.Unknown => throw Gone(request.Id),
            _ => throw new ArgumentOutOfRangeException(nameof(request), outcome, null),
        };
    }

    static RefusalException Gone(string id) => new(RefusalReason.NotFound, $"no request `{id}` waits for an approval here")
    {
        Id = "no-such-request",
        Hint = "`osctl approvals` lists what waits; requests expire, and a restart forgets them",
    };

    static PendingRequest Show(PendingApproval pending)
    {
        var shown = new PendingRequest
        {
            Id = pending.Id,
            Method = pending.Method,
            RequestedBy = pending.RequestedBy,
            Roles = { pending.Roles },
            Requested = Timestamp.FromDateTimeOffset(pending.RequestedAt),
            Expires = Timestamp.FromDateTimeOffset(pending.ExpiresAt),
            RequestDigest = pending.RequestDigest,
            ApprovedBy = { pending.ApprovedBy },
        };
        foreach (var (path, value) in pending.Fields) shown.Fields[path] = value;
        return shown;
    }
}
