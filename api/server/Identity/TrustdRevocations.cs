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
    // LIMIT: one complete list of 1,000,000 serials takes 44 MB.
    const int MaxMessage = 64 << 20;

    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    // trustd says every 15 s that nothing has changed; a stream that says nothing is a trustd that is gone.
    static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(45);

    readonly string cluster;
    readonly IReadOnlyList<Endpoint> endpoints;
    readonly TrustSlot slot;
    readonly RevocationView view;
    readonly TimeProvider time;
    readonly ILogger log;
    readonly string? folder;
    readonly RevocationBook book;

    TrustdRevocations(string cluster, IReadOnlyList<Endpoint> endpoints, TrustSlot slot, RevocationView view, TimeProvider time, ILogger log, string? folder)
    {
        (this.cluster, this.endpoints, this.slot, this.view, this.time, this.log, this.folder) = (cluster, endpoints, slot, view, time, log, folder);
        book = new RevocationBook(folder);
    }

    /// <summary>Puts what an earlier run kept into <paramref name="view"/>. Before anything is served, so that nobody slips in until trustd answers.</summary>
    /// <param name="slot">Holds the own certificate already.</param>
    /// <param name="folder">Where the lists are kept; null keeps none.</param>
    public static TrustdRevocations Open(
        string cluster, IReadOnlyList<Endpoint> endpoints, TrustSlot slot, RevocationView view, TimeProvider time, ILogger log, string? folder = null)
    {
        var revocations = new TrustdRevocations(cluster, endpoints, slot, view, time, log, folder);
        revocations.Load();
        return revocations;
    }

    /// <summary>Follows until cancelled. Never gives up.</summary>
    public Task RunAsync(CancellationToken cancellation) => Following.RunAsync(AttemptAsync, LongestPause, time, cancellation);

    async Task<bool> AttemptAsync(int attempt, Action connected, CancellationToken cancellation)
    {
        try
        {
            var endpoint = endpoints[attempt % endpoints.Count];
            if (slot.Current is { } own) await FollowAsync(endpoint, own, connected, cancellation).ConfigureAwait(false);
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

    async Task FollowAsync(Endpoint endpoint, TrustMaterial own, Action connected, CancellationToken cancellation)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var channel = ServerCheck.Open(endpoint, new ServerCheck(endpoint, own.Roots, cluster, time), own, MaxMessage);
        using var call = new TrustService.TrustServiceClient(channel).Revocations(new RevocationsRequest(), cancellationToken: silence.Token);
        while (true)
        {
            using var alarm = time.CreateTimer(_ => silence.Cancel(), null, LongestSilence, Timeout.InfiniteTimeSpan);
            if (!await call.ResponseStream.MoveNext(silence.Token).ConfigureAwait(false)) return;
            connected();
            Take(call.ResponseStream.Current);
        }
    }

    void Take(RevocationUpdate update)
    {
        // Another bundle may be trusted since the stream began.
        if (slot.Current is not { Roots: { } roots } own) return;
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
    }

    static IReadOnlyList<ReadOnlyMemory<byte>> Helpers(TrustMaterial own) => [.. own.CertificateContext.IntermediateCertificates.Select(c => c.RawDataMemory)];
}
