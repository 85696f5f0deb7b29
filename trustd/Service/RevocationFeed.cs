using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Talos.Api.Server;
using Talos.Pki;
using Talos.Trustd.Authority;
using Talos.Trustd.Issuance;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Service;

/// <summary>The newest lists of one authority's shard.</summary>
/// <param name="Issuer">Key identifier of the authority.</param>
/// <param name="Delta">Adds to <paramref name="Complete"/>; empty at first.</param>
sealed record RevocationListing(string Issuer, int Shard, int Shards, CertificateRevocationList Complete, CertificateRevocationList Delta);

/// <summary>
/// Signs what was revoked, by every authority that is trusted, as complete lists and deltas; tells everyone who listens, this server first, and
/// keeps the lists as files for verifiers outside. Thread-safe.
/// </summary>
sealed class RevocationFeed(ICertificateLedger ledger, AuthorityKeeper authorities, RevocationView own, string folder, TimeProvider time, ILogger log) : IDisposable
{
    // Whoever fetches lists once a day always has one that holds; a delta says within an hour that it is not forgotten.
    static readonly TimeSpan CompleteLife = TimeSpan.FromHours(24), CompleteEvery = TimeSpan.FromHours(6);
    static readonly TimeSpan DeltaLife = TimeSpan.FromHours(2), DeltaEvery = TimeSpan.FromHours(1);

    static readonly TimeSpan Look = TimeSpan.FromMinutes(10), Retry = TimeSpan.FromSeconds(5);

    // Beyond this a delta costs each node more than a new complete list saves.
    const int LargestDelta = 1000;

    readonly SemaphoreSlim oneAtATime = new(1);
    volatile TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile ImmutableHolder current = new([]);
    volatile bool isBehind = true;
    volatile TaskCompletionSource behind = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes at the next change after it was read.</summary>
    public Task Changed => changed.Task;

    /// <summary>Every list, by authority and shard.</summary>
    public ImmutableArray<RevocationListing> Lists => current.Lists;

    /// <summary>Whether the lists say all that the ledger says. What is not so is never called current.</summary>
    public bool IsCurrent => !isBehind;

    public void Dispose() => oneAtATime.Dispose();

    /// <summary>Renews the lists as they age and follows the authorities, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            behind = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var (authority, pause) = (authorities.Changed, Look);
            try
            {
                await PublishAsync(cancellation);
            }
            catch (Exception e) when (IsTemporary(e))
            {
                log.LogError("the revocation lists are behind the ledger: {Reason}", e.Message);
                pause = Retry;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            // A publication that failed for a caller is made up for here at once; one that failed here, after a pause.
            var woken = pause == Retry ? Task.Delay(Retry, time, cancellation) : Task.WhenAny(authority, behind.Task);
            await woken.WaitAsync(pause, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Brings this server's own view and the lists up to date and wakes the streams, if anything changed.</summary>
    /// <exception cref="LedgerException">No list can be numbered. This server refuses what was revoked all the same.</exception>
    public async Task PublishAsync(CancellationToken cancellation)
    {
        await oneAtATime.WaitAsync(cancellation);
        try
        {
            isBehind = true;
            var revoked = ledger.ListRevocations();
            own.Replace(revoked.Select(r => r.Serial), time.GetUtcNow());
            var before = current.Lists;
            var set = authorities.Current;
            var signing = Issuer.KeyIdentifier(set.Signing.Certificate);
            var after = ImmutableArray.CreateBuilder<RevocationListing>();
            var hasSigned = true;
            foreach (var authority in set.Trusted)
            {
                var issuer = Issuer.KeyIdentifier(authority.Certificate);
                // What an older release issued does not say by whom; any list that reaches the nodes will do for it.
                var mine = revoked.Where(r => r.Issuer == issuer || (r.Issuer.Length == 0 && issuer == signing)).ToArray();
                // Newer than the one that signs: it has issued nothing yet, and not every node may know it. One that signed before a step back has its lists.
                if (!hasSigned && mine.Length == 0 && !before.Any(l => l.Issuer == issuer)) continue;
                hasSigned &= issuer != signing;
                var shards = authority.RevocationLists?.Count ?? 1;
                for (var shard = 0; shard < shards; shard++)
                {
                    var entries = mine.Where(r => authority.RevocationLists is not { } lists || lists.ShardOf(r.Serial) == shard).ToArray();
                    after.Add(await SignAsync(authority, issuer, shard, shards, entries, before.FirstOrDefault(l => l.Issuer == issuer && l.Shard == shard && l.Shards == shards)));
                }
            }
            isBehind = false;
            if (before.SequenceEqual(after)) return;
            current = new ImmutableHolder(after.ToImmutable());
            foreach (var listing in after.Except(before)) Write(listing);
            Interlocked.Exchange(ref changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }
        finally
        {
            if (isBehind) behind.TrySetResult();
            oneAtATime.Release();
        }
    }

    /// <summary>Whether a failed publication will be made up for. An authority that was retired in the same moment is one of the reasons.</summary>
    public static bool IsTemporary(Exception e) => e is LedgerException or IOException or UnauthorizedAccessException or ObjectDisposedException;

    async Task<RevocationListing> SignAsync(CertificateAuthority authority, string issuer, int shard, int shards, Revocation[] revoked, RevocationListing? before)
    {
        var now = time.GetUtcNow();
        var listed = before?.Complete.Entries.Select(e => e.Serial).ToHashSet() ?? [];
        var added = revoked.Where(r => !listed.Contains(r.Serial)).ToArray();
        if (before is null || now - before.Complete.ThisUpdate >= CompleteEvery || added.Length > LargestDelta)
        {
            var number = await ledger.NextListNumberAsync(issuer, shard, CancellationToken.None);
            return new RevocationListing(issuer, shard, shards, Sign(revoked, number, null, CompleteLife), Sign([], number, number, DeltaLife));
        }
        if (now - before.Delta.ThisUpdate < DeltaEvery && added.Length == before.Delta.Count) return before;
        var next = await ledger.NextListNumberAsync(issuer, shard, CancellationToken.None);
        return before with { Delta = Sign(added, next, before.Complete.Number, DeltaLife) };

        CertificateRevocationList Sign(Revocation[] entries, long number, System.Numerics.BigInteger? to, TimeSpan life) => authority.IssueCrl(new CrlContent
        {
            Number = number,
            DeltaBase = to,
            Shard = shard,
            Entries = [.. entries.Select(r => new CrlEntry(r.Serial, r.At, CrlReason.Unspecified))],
            Life = life,
        });
    }

    void Write(RevocationListing listing)
    {
        var home = Directory.CreateDirectory(Path.Combine(folder, listing.Issuer)).FullName;
        Put($"{listing.Shard}.crl", listing.Complete);
        Put($"{listing.Shard}-delta.crl", listing.Delta);

        void Put(string name, CertificateRevocationList list)
        {
            var path = Path.Combine(home, name);
            File.WriteAllBytes(path + ".new", list.Der.ToArray());
            File.Move(path + ".new", path, overwrite: true);
        }
    }

    // A struct cannot be volatile.
    sealed record ImmutableHolder(ImmutableArray<RevocationListing> Lists);
}
