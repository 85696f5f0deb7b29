using Grpc.Core;
using Microsoft.Extensions.Logging;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>
/// Keeps a <see cref="RevocationView"/> as trustd has it: signed lists when connected, then each change as it happens. While no trustd answers
/// the last state stays in force, also over a restart, and its age grows.
/// </summary>
public sealed class TrustdRevocations
{
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    // trustd says every 15 s that nothing has changed; a stream that says nothing is a trustd that is gone.
    static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(45);

    static readonly Task Never = new TaskCompletionSource().Task;

    readonly TrustdConnections connections;
    readonly IReadOnlyList<Endpoint> endpoints;
    readonly TrustSlot slot;
    readonly RevocationView view;
    readonly TimeProvider time;
    readonly ILogger log;
    readonly string? folder;
    readonly Func<Task> renewed;
    readonly RevocationBook book;

    TrustdRevocations(TrustdConnections connections, IReadOnlyList<Endpoint> endpoints, TrustSlot slot, RevocationView view, TimeProvider time, ILogger log, string? folder, Func<Task> renewed)
    {
        (this.connections, this.endpoints, this.slot, this.view, this.time, this.log, this.folder, this.renewed) =
            (connections, endpoints, slot, view, time, log, folder, renewed);
        book = new RevocationBook(folder);
    }

    /// <summary>Puts what an earlier run kept into <paramref name="view"/>. Before anything is served, so that nobody slips in until trustd answers.</summary>
    /// <param name="slot">Holds the own certificate already.</param>
    /// <param name="folder">Where the lists are kept; null keeps none.</param>
    /// <param name="renewed">
    /// Gives what completes at the next renewal of the own certificate; then the stream moves to a connection made with the new one. Null for a
    /// certificate that stays.
    /// </param>
    public static TrustdRevocations Open(
        TrustdConnections connections, IReadOnlyList<Endpoint> endpoints, TrustSlot slot, RevocationView view, TimeProvider time, ILogger log, string? folder = null,
        Func<Task>? renewed = null)
    {
        var revocations = new TrustdRevocations(connections, endpoints, slot, view, time, log, folder, renewed ?? (() => Never));
        revocations.Load();
        return revocations;
    }

    /// <summary>Follows until cancelled. Never gives up.</summary>
    public Task RunAsync(CancellationToken cancellation) => Following.RunAsync(AttemptAsync, LongestPause, time, cancellation);

    async Task<bool> AttemptAsync(int attempt, Action connected, CancellationToken cancellation)
    {
        try
        {
            // Taken before the certificate is, so that a renewal in between is seen.
            var next = renewed();
            var endpoint = endpoints[attempt % endpoints.Count];
            return slot.Current is { } own && await FollowAsync(endpoint, own, next, connected, cancellation).ConfigureAwait(false);
        }
        catch (RpcException e) when (!cancellation.IsCancellationRequested)
        {
            log.LogWarning("the revocations of trustd cannot be followed: {Reason}", e.Status.Detail);
        }
        catch (IOException e) when (!cancellation.IsCancellationRequested)
        {
            log.LogError(e, "the revocation lists cannot be kept in {Folder}", folder);
        }
        return false;
    }

    void Load()
    {
        if (slot.Current is not { Roots: { } roots } own) return;
        try
        {
            foreach (var fault in book.Load(roots, Helpers(own), time.GetUtcNow())) log.LogWarning("a revocation list is of no use: {Reason}", fault);
        }
        catch (IOException e)
        {
            log.LogError(e, "the revocation lists in {Folder} cannot be read", folder);
        }
        if (!book.IsEmpty) view.Replace(book.Serials, book.AsOf);
    }

    /// <summary>True when a renewal ended it: then there is a new certificate to come with.</summary>
    async Task<bool> FollowAsync(Endpoint endpoint, TrustMaterial own, Task renewal, Action connected, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var seat = connections.Join(endpoint, own);
        using var call = new TrustService.TrustServiceClient(seat.Channel).Revocations(new RevocationsRequest(), cancellationToken: ending.Token);
        for (var isConnected = false; ; isConnected = true)
        {
            using var alarm = time.CreateTimer(_ => ending.Cancel(), null, LongestSilence, Timeout.InfiniteTimeSpan);
            var next = call.ResponseStream.MoveNext(ending.Token);
            // The first answer is waited for in any case, as in TrustFollower.
            if (isConnected && await Task.WhenAny(next, renewal).ConfigureAwait(false) == renewal)
            {
                await ending.CancelAsync().ConfigureAwait(false);
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return true;
            }
            if (!await next.ConfigureAwait(false)) return false;
            // A list that is not believed, of an authority that this machine learns of only now for instance, comes again with the next stream.
            if (!Take(call.ResponseStream.Current)) return false;
            connected();
        }
    }

    /// <summary>False when not all of it could be believed.</summary>
    bool Take(RevocationUpdate update)
    {
        // Another bundle may be trusted since the stream began.
        if (slot.Current is not { Roots: { } roots } own) return false;
        var (helpers, now, whole) = (Helpers(own), time.GetUtcNow(), true);
        foreach (var list in update.Lists)
        {
            if (book.Put(list.ToByteArray(), roots, helpers, now) is not { } fault) continue;
            whole = false;
            log.LogWarning("a revocation list of trustd is of no use: {Reason}", fault);
        }
        if (update.Lists.Count > 0 && !book.IsEmpty)
        {
            if (update.Snapshot) book.Trust(roots, helpers, now);
            // What a list added is refused at once; that it is all is believed only when trustd says so.
            view.Replace(book.Serials, view.AsOf ?? book.AsOf);
        }
        if (update.Current && whole) view.Confirm(now);
        return whole;
    }

    static IReadOnlyList<ReadOnlyMemory<byte>> Helpers(TrustMaterial own) => [.. own.CertificateContext.IntermediateCertificates.Select(c => c.RawDataMemory)];
}
