using Grpc.Core;
using Microsoft.Extensions.Logging;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;

namespace Talos.Api.Server;

/// <summary>
/// Keeps a <see cref="RevocationView"/> as trustd has it: a snapshot when connected, then each change as it happens. While no trustd answers
/// the last state stays in force.
/// </summary>
public sealed class TrustdRevocations(string cluster, IReadOnlyList<Endpoint> endpoints, TrustSlot slot, RevocationView view, TimeProvider time, ILogger log)
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>Follows until cancelled. Never gives up.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var pause = FirstPause;
        for (var attempt = 0; !cancellation.IsCancellationRequested; attempt++)
        {
            try
            {
                var endpoint = endpoints[attempt % endpoints.Count];
                if (slot.Current is { } own) await FollowAsync(endpoint, own, () => pause = FirstPause, cancellation).ConfigureAwait(false);
            }
            catch (RpcException e) when (!cancellation.IsCancellationRequested)
            {
                log.LogWarning("the revocations of trustd cannot be followed: {Reason}", e.Status.Detail);
            }
            catch (Exception) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            try
            {
                await Task.Delay(pause, time, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }

    async Task FollowAsync(Endpoint endpoint, TrustMaterial own, Action connected, CancellationToken cancellation)
    {
        using var channel = ServerCheck.Open(endpoint, new ServerCheck(endpoint, own.Roots, cluster, time), own);
        using var call = new TrustService.TrustServiceClient(channel).Revocations(new RevocationsRequest(), cancellationToken: cancellation);
        await foreach (var update in call.ResponseStream.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            connected();
            // What was revoked stays revoked, so a snapshot adds too: a long one comes in parts, and nothing may be forgotten in between.
            view.Add(update.Sequence, update.Serials);
        }
    }
}
