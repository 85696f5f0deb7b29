using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Policy.V1;
using Talos.Audit;
using Talos.Policy;

namespace Talos.Api.Server;

/// <summary>Answers for the policy in force, and takes another in its place.</summary>
public sealed class PolicyDesk(PolicyInForce policy, NodeDescription node, AuditLog record, TimeProvider time) : PolicyService.PolicyServiceBase
{
    // LIMIT: errors told of one bundle; more of them are in `osctl policy check`.
    const int MaxErrors = 5;

    public override async Task<PushResponse> Push(PushRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        var candidate = Accept(request, call);
        call.Note("revision", candidate.Rules.Revision);
        if (request.DryRun) return new PushResponse { Revision = candidate.Rules.Revision, PreviousRevision = policy.State.Revision };
        var before = await ReplaceAsync(candidate, call).ConfigureAwait(false);
        return new PushResponse { Revision = candidate.Rules.Revision, PreviousRevision = before };
    }

    public override async Task<RestoreResponse> Restore(RestoreRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        var before = await ReplaceAsync(null, call).ConfigureAwait(false);
        var now = policy.State.Revision;
        call.Note("revision", now);
        return new RestoreResponse { Revision = now, PreviousRevision = before };
    }

    public override Task<StatusResponse> Status(StatusRequest request, ServerCallContext context)
    {
        var state = policy.State;
        return Task.FromResult(new StatusResponse
        {
            Revision = state.Revision,
            Origin = state.Origin,
            Since = Timestamp.FromDateTimeOffset(state.Since),
            SignatureRequired = policy.IsSignatureRequired,
            Methods = (uint)policy.Authorizer!.NamedMethods.Count,
            KeptBundleError = state.KeptError,
            Opa = policy.Outside?.ToString() ?? "",
        });
    }

    public override async Task<DecideResponse> Decide(DecideRequest request, ServerCallContext context)
    {
        var method = Method(request.Method);
        var caller = ServedCall.Of(context).Caller.Authorization;
        if (request.Name.Length > 0 || request.Roles.Count > 0)
        {
            var now = time.GetUtcNow();
            caller = AuthorizationCaller.Named(
                request.Name.Length > 0 ? request.Name : caller.Name, request.Roles, caller.Serial, caller.Spiffe, now, caller.ExpiresAt, caller.SourceIp);
        }
        var decision = await policy.DecideAsync(
            new AuthorizationInput { RevocationAge = TimeSpan.Zero, Caller = caller, Method = method, Node = node.ForPolicy(), Time = time.GetUtcNow() }, context.CancellationToken).ConfigureAwait(false);
        return new DecideResponse
        {
            Method = method,
            Allowed = decision.Outcome == DecisionOutcome.Allow,
            Reason = decision.ReasonId,
            Sentence = decision.Sentence,
            Rule = decision.Rule,
            Revision = decision.Revision,
            Obligations = { decision.Obligations.Select(o => new Talos.Api.Policy.V1.Obligation { Id = o.Id, Sentence = o.Sentence }) },
        };
    }

    // What is refused stands on the record as what it is, besides the call that brought it.
    PolicyCandidate Accept(PushRequest request, ServedCall call)
    {
        var revision = "";
        try
        {
            var candidate = Check(request.Bundle.Memory);
            revision = candidate.Rules.Revision;
            RequireNoLockout(candidate.Rules, call);
            return candidate;
        }
        catch (RefusalException e) when (!request.DryRun)
        {
            record.Post(AuditEvents.BundleRefused(revision, call.Caller.Identity?.Name ?? "", e.Message).During(call.OpenedIndex));
            throw;
        }
    }

    PolicyCandidate Check(ReadOnlyMemory<byte> bundle)
    {
        try
        {
            return policy.Check(bundle);
        }
        catch (PolicyException e)
        {
            var more = e.Errors.Count > MaxErrors ? $"; and {e.Errors.Count - MaxErrors} more" : "";
            throw new RefusalException(RefusalReason.InvalidRequest, $"the bundle is refused: {string.Join("; ", e.Errors.Take(MaxErrors).Select(x => (x with { Hint = null }).ToString()))}{more}")
            {
                Id = e.Errors[0].Code.Replace('_', '-'),
                Hint = e.Errors[0].Hint ?? "`osctl policy check` shows every error",
            };
        }
    }

    // Who puts a policy in force that takes from them the means to change it again has most likely made a mistake.
    void RequireNoLockout(PreparedRules rules, ServedCall call)
    {
        var after = rules.Decide(new AuthorizationInput
        {
            Caller = call.Caller.Authorization,
            Method = call.Method,
            RevocationAge = TimeSpan.Zero,
            Node = node.ForPolicy(),
            Time = time.GetUtcNow(),
        });
        if (after.Outcome == DecisionOutcome.Allow || after.Obligations.Any(o => o.Id == Talos.Policy.Obligation.SecondPerson)) return;
        throw new RefusalException(RefusalReason.WrongState, $"under this bundle you could not push another: {after.Sentence}")
        {
            Id = "lockout",
            Hint = "push with a role that the new bundle lets push",
        };
    }

    async Task<string> ReplaceAsync(PolicyCandidate? candidate, ServedCall call)
    {
        try
        {
            return await policy.ReplaceAsync(candidate, call, record, time).ConfigureAwait(false);
        }
        catch (AuditLogException)
        {
            throw new RefusalException(RefusalReason.AuditUnavailable, "the change of policy cannot be recorded, so it is not made");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusalException(RefusalReason.WrongState, $"the bundle cannot be kept, so it is not put in force: {e.Message}")
            {
                Id = "bundle-not-kept",
                Hint = "is the state file system full?",
            };
        }
    }

    string Method(string wanted)
    {
        string[] found = [.. policy.Authorizer!.NamedMethods.Where(m => m == wanted || m.EndsWith("/" + wanted, StringComparison.OrdinalIgnoreCase))];
        return found.Length switch
        {
            1 => found[0],
            // What no rule names is a question too, and its answer is no.
            0 => wanted,
            _ => throw new RefusalException(RefusalReason.InvalidRequest, $"`{wanted}` is the name of several methods") { Hint = "give one of " + string.Join(", ", found) },
        };
    }
}
