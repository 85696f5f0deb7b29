using Google.Protobuf;
using Grpc.Core;
using Talos.Pki;
using Talos.Policy;

namespace Talos.Api.Server;

sealed partial class CallGate
{
    // By the proto names, every field: a rule that asks whether something is not so must not depend on how the message was written. Fields are
    // read by their descriptors, without reflection.
    static readonly JsonFormatter RequestJson = new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true).WithFormatDefaultValues(true));

    /// <summary>Returns when the handler may run; throws <see cref="RefusalException"/> otherwise.</summary>
    async ValueTask AdmitAsync(ServedCall call, object? request, ServerCallContext context)
    {
        var message = request as IMessage;
        await record.OpenAsync(call, message).ConfigureAwait(false);
        var refusal = CheckIdentity(call.Caller);
        if (refusal is null)
        {
            var now = time.GetUtcNow();
            var input = new AuthorizationInput
            {
                Caller = call.Caller.Authorization,
                Method = call.Method,
                RevocationAge = revocations.Age(now),
                Node = node.ForPolicy(),
                Request = message is null ? null : () => RequestJson.Format(message),
                Time = now,
            };
            call.Decision = await policy.DecideAsync(input, context.CancellationToken).ConfigureAwait(false);
            refusal = Wants(call.Decision, Obligation.SecondPerson)
                ? await SecondPersonAsync(call, message, input, context.CancellationToken).ConfigureAwait(false)
                : Refusal(call.Decision);
            if (call.Decision.DecisionId is { } id) call.Note("opa_decision_id", id);
        }
        if (message is not null) CallRecord.Describe(call, message);
        if (call.Decision is not { RecordMode: RecordMode.BestEffort }) await record.OpenedAsync(call).ConfigureAwait(false);
        if (refusal is not null) throw refusal;
        context.CancellationToken.ThrowIfCancellationRequested();
    }

    RefusalException? CheckIdentity(Caller caller)
    {
        if (caller.Identity is not { } identity) return null;
        // The handshake checked both; the connection may be older than what is known now.
        if (time.GetUtcNow() > identity.NotAfter)
        {
            return new RefusalException(RefusalReason.IdentityExpired, $"the certificate of `{identity.Name}` has expired")
            {
                Hint = "renew the certificate and connect again",
            };
        }
        if (revocations.Check(identity.Serial) == RevocationStatus.Revoked)
            return new RefusalException(RefusalReason.IdentityRevoked, $"the certificate of `{identity.Name}` was revoked");
        return null;
    }

    static RefusalException? Refusal(Decision decision) => decision.Outcome switch
    {
        DecisionOutcome.Allow => null,
        _ => new RefusalException(RefusalReason.NotAllowed, decision.Sentence)
        {
            Id = decision.ReasonId,
            Hint = decision.Obligations is [var first, ..] ? first.Sentence : "",
        },
    };
}
