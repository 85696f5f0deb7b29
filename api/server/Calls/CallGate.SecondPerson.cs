using Google.Protobuf;
using Talos.Policy;

namespace Talos.Api.Server;

sealed partial class CallGate
{
    static bool Wants(Decision decision, string obligation)
    {
        foreach (var open in decision.Obligations) if (open.Id == obligation) return true;
        return false;
    }

    /// <summary>
    /// Decides again with the approvals that were given for exactly this request, which are used up by it; without any, the request waits
    /// for one. A policy names the obligation only to a caller who may make the call but for the second person, so nobody else fills the book.
    /// </summary>
    async ValueTask<RefusalException?> SecondPersonAsync(ServedCall call, IMessage? message, AuthorizationInput input, CancellationToken cancellation)
    {
        // What a client streams is not there yet when the call is decided, so nobody could say what was approved.
        if (message is null || call.Caller.Identity is not { } identity) return Refusal(call.Decision!);
        var request = new ApprovalRequest(call.Method, node.Name, identity.Name, [.. identity.Roles], message.ToByteArray(), CallRecord.Show(message, call.Decision!.LoggableFields));
        if (approvals.Take(request) is { } taken)
        {
            var decision = await policy.DecideAsync(input with { Approvals = taken.Approvals }, cancellation).ConfigureAwait(false);
            call.Decision = decision;
            call.Note("approval", taken.Approvals[0].Id);
            call.Note("approved_by", string.Join(", ", taken.Approvals.Select(a => a.By)));
            if (decision.Outcome == DecisionOutcome.Allow) return null;
            approvals.GiveBack(taken);
            if (!Wants(decision, Obligation.SecondPerson)) return Refusal(decision);
        }
        if (approvals.Request(request) is not { } pending)
            return new RefusalException(RefusalReason.TooManyRequests, "too many requests wait for a second person") { Hint = "approve them, or let them expire" };
        call.Note("approval_wanted", pending.Id);
        var missing = pending.ApprovedBy.Count == 0 ? "" : $"; the approval of {string.Join(", ", pending.ApprovedBy)} does not suffice";
        return new RefusalException(RefusalReason.NotAllowed, call.Decision!.Sentence + missing)
        {
            Id = call.Decision.ReasonId,
            Hint = $"another person runs `osctl approve {pending.Id}` within {approvals.Lifetime.TotalMinutes:F0} minutes, then repeat the call",
        };
    }
}
