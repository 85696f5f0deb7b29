using System.Security.Cryptography;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Talos.Audit;

namespace Talos.Api.Server;

sealed partial class CallGate
{
    /// <summary>Closes the record of a call that did not end well and makes what the caller gets to see.</summary>
    async ValueTask<RpcException> EndAsync(ServedCall call, Exception failure, ServerCallContext context)
    {
        var answer = Translate(call, failure, context);
        await record.CloseAsync(call, answer.StatusCode, answer.Status.Detail).ConfigureAwait(false);
        return answer;
    }

    RpcException Translate(ServedCall call, Exception failure, ServerCallContext context)
    {
        if (failure is RefusalException refusal) return refusal.ToRpc();
        if (context.CancellationToken.IsCancellationRequested)
        {
            // gRPC: the server's deadline timer cancels the same token as the peer's going away.
            return context.Deadline <= time.GetUtcNow().UtcDateTime
                ? new RefusalException(RefusalReason.DeadlineExceeded, "the deadline passed before the call ended").ToRpc()
                : new RefusalException(RefusalReason.Cancelled, "the caller went away before the call ended").ToRpc();
        }
        // A handler that speaks for another service passes its status on.
        if (failure is RpcException rpc) return rpc;
        // A handler that writes entries of its own. The call itself was put on the record before it ran, or did not run.
        if (failure is AuditLogException unwritten)
        {
            return new RefusalException(RefusalReason.AuditUnavailable, "the record cannot take what the call did; it may have been done")
            {
                Hint = unwritten.Reason == AuditLogReason.DiskFull
                    ? "free space on the node's state file system, and look before you ask again"
                    : "see the log of the service that answered",
            }.ToRpc();
        }
        var incident = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
        call.Note("incident", incident);
        log.LogError(failure, "incident {Incident} in {Method}", incident, call.Method);
        return new RefusalException(RefusalReason.Internal, $"internal error, incident `{incident}`")
        {
            Hint = "the log of the service that answered has the incident",
        }.ToRpc();
    }
}
