using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>
/// Keeps a <see cref="NodeIdentity"/>'s trust as trustd has it, tells trustd once new handshakes use it, and has the certificate renewed when
/// another authority signs than the one it is from. While no trustd answers, the trust of before stays in force.
/// </summary>
public sealed class TrustFollower(TrustdConnections connections, IReadOnlyList<Endpoint> endpoints, NodeIdentity identity, TimeProvider time, ILogger log)
{
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>When another authority signs, each renews at a random moment in this span: a fleet of thousands makes a few hundred a second of it.</summary>
    public TimeSpan RenewalSpan { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Follows until cancelled. Never gives up.</summary>
    public Task RunAsync(CancellationToken cancellation) => Following.RunAsync(AttemptAsync, LongestPause, time, cancellation);

    async Task<bool> AttemptAsync(int attempt, Action connected, CancellationToken cancellation)
    {
        try
        {
            // Taken before the certificate is, so that a renewal in between is seen.
            var renewed = identity.Renewed;
            var endpoint = endpoints[attempt % endpoints.Count];
            return identity.Slot.Current is { } own && await FollowAsync(endpoint, own, renewed, connected, cancellation).ConfigureAwait(false);
        }
        catch (RpcException e) when (!cancellation.IsCancellationRequested)
        {
            log.LogWarning("the trust of trustd cannot be followed: {Reason}", e.Status.Detail);
        }
        catch (EnrollmentException e) when (!cancellation.IsCancellationRequested)
        {
            log.LogWarning("what trustd says to trust is of no use: {Reason}", e.Message);
        }
        catch (IOException e) when (!cancellation.IsCancellationRequested)
        {
            log.LogError(e, "what is to be trusted cannot be kept");
        }
        return false;
    }

    /// <summary>True when a renewal ended it: then there is a new certificate to come with.</summary>
    async Task<bool> FollowAsync(Endpoint endpoint, TrustMaterial own, Task renewed, Action connected, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var seat = connections.Join(endpoint, own);
        var client = new TrustService.TrustServiceClient(seat.Channel);
        using var call = client.TrustUpdates(new TrustUpdatesRequest(), cancellationToken: ending.Token);
        var issuer = Certificate.Parse(own.Certificate.RawData).Require().AuthorityKeyIdentifier;
        for (var isConnected = false; ; isConnected = true)
        {
            var next = call.ResponseStream.MoveNext(ending.Token);
            // What trustd says first is waited for in any case: a handshake that is broken off looks like a failed one on trustd's record.
            if (isConnected && await Task.WhenAny(next, renewed).ConfigureAwait(false) == renewed)
            {
                await ending.CancelAsync().ConfigureAwait(false);
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return true;
            }
            if (!await next.ConfigureAwait(false)) return false;
            connected();
            var update = call.ResponseStream.Current;
            identity.Adopt(update.BundlePem);
            await client.TrustAcknowledgeAsync(
                new TrustAcknowledgeRequest { BundleDigest = ByteString.CopyFrom(SHA256.HashData(Encoding.UTF8.GetBytes(update.BundlePem))) }, cancellationToken: ending.Token).ConfigureAwait(false);
            if (!renewed.IsCompleted && (issuer is not { } key || !key.Span.SequenceEqual(update.IssuerKeyId.Span))) identity.RenewWithin(RenewalSpan);
        }
    }
}
