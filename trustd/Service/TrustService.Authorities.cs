using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Pki;
using Talos.Trustd.Authority;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Service;

sealed partial class TrustService
{
    // LIMIT: holders of one answer, those that are waited for first; a name takes at most 300 bytes.
    const int MaxHolders = 5000;

    public override async Task TrustUpdates(TrustUpdatesRequest request, IServerStreamWriter<TrustUpdate> stream, ServerCallContext context)
    {
        while (true)
        {
            // Taken before the set is read, so that a change in between wakes this loop again.
            var next = authorities.Changed;
            var set = authorities.Current;
            await stream.WriteAsync(
                new TrustUpdate { BundlePem = set.BundlePem, IssuerKeyId = ByteString.CopyFrom(set.Signing.Certificate.SubjectKeyIdentifier!.Value.Span) }, context.CancellationToken);
            await next.WaitAsync(context.CancellationToken);
        }
    }

    public override async Task<TrustAcknowledgeResponse> TrustAcknowledge(TrustAcknowledgeRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        Admit(call);
        var identity = call.Caller.Identity ?? throw new RefusalException(RefusalReason.NotIdentified, "only a machine with a certificate can say what it trusts");
        if (request.BundleDigest.Length != 32) throw Invalid($"a digest has 32 bytes, this one has {request.BundleDigest.Length}", "SHA-256 of the bundle's PEM text");
        await ledger.AcknowledgeAsync(identity.Spiffe.ToString(), identity.Serial, request.BundleDigest.Memory, context.CancellationToken);
        return new TrustAcknowledgeResponse();
    }

    public override Task<AuthorityStatusResponse> AuthorityStatus(AuthorityStatusRequest request, ServerCallContext context)
    {
        Admit(ServedCall.Of(context));
        return Task.FromResult(Describe(authorities.Read()));
    }

    public override async Task<AuthorityStatusResponse> AuthorityRotate(AuthorityRotateRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        var step = request.Step switch
        {
            AuthorityStep.Prepare => RolloverStep.Prepare,
            AuthorityStep.Distribute => RolloverStep.Distribute,
            AuthorityStep.Activate => RolloverStep.Activate,
            AuthorityStep.Retire => RolloverStep.Retire,
            AuthorityStep.Back => RolloverStep.Back,
            _ => throw Invalid("the request names no step", "prepare, distribute, activate, retire or back"),
        };
        try
        {
            return Describe(await authorities.StepAsync(step, request.Force, call.Caller.Identity?.Name ?? "", call, context.CancellationToken));
        }
        catch (AuthorityException e)
        {
            throw new RefusalException(RefusalReason.BackendUnavailable, e.Message) { Id = "authority-unavailable", Hint = e.Hint };
        }
    }

    AuthorityStatusResponse Describe(RolloverState state)
    {
        var set = authorities.Current;
        var outlook = Rollover.Look(state, set.BundleDigest.Span);
        var answer = new AuthorityStatusResponse
        {
            Phase = Say(state.Phase),
            Next = Say(outlook.Next),
            Safe = outlook.IsSafe,
            BackSafe = outlook.IsBackSafe,
            Advice = outlook.Advice,
            BundlePem = set.BundlePem,
        };
        foreach (var authority in state.Authorities)
        {
            var certificate = Certificate.Parse(authority.Certificate.Span).Require();
            answer.Authorities.Add(new Api.Trust.V1.Authority
            {
                Fingerprint = authority.Fingerprint,
                Subject = certificate.Subject.ToString(),
                NotAfter = certificate.NotAfter.ToTimestamp(),
                State = authority.State.ToString().ToLowerInvariant(),
                Holders = (uint)state.Holders.Count(h => h.Held.ContainsKey(authority.Generation)),
            });
        }
        foreach (var standing in outlook.Holders.OrderByDescending(h => h.Blocks).Take(MaxHolders))
        {
            var holder = new Api.Trust.V1.AuthorityHolder { Identity = standing.Holder.Spiffe, Trusts = standing.Trusts, Renewed = standing.Renewed, Blocks = standing.Blocks };
            if (standing.Until is { } until) holder.Until = until.ToTimestamp();
            answer.Holders.Add(holder);
        }
        foreach (var made in state.Events)
            answer.Events.Add(new AuthorityEvent { At = made.At.ToTimestamp(), Step = Say(made.Step), Phase = Say(made.Phase), By = made.By, Forced = made.Forced });
        return answer;
    }

    static AuthorityStep Say(RolloverStep step) => step switch
    {
        RolloverStep.Prepare => AuthorityStep.Prepare,
        RolloverStep.Distribute => AuthorityStep.Distribute,
        RolloverStep.Activate => AuthorityStep.Activate,
        RolloverStep.Retire => AuthorityStep.Retire,
        RolloverStep.Back => AuthorityStep.Back,
        RolloverStep.Replace => AuthorityStep.Replace,
        RolloverStep.None => AuthorityStep.Unspecified,
    };

    static AuthorityPhase Say(RolloverPhase phase) => phase switch
    {
        RolloverPhase.Steady => AuthorityPhase.Steady,
        RolloverPhase.Prepared => AuthorityPhase.Prepared,
        RolloverPhase.Distributing => AuthorityPhase.Distributing,
        RolloverPhase.Activated => AuthorityPhase.Activated,
    };
}
