using System.Collections.Immutable;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Trustd.Issuance;

namespace Talos.Trustd.Service;

sealed partial class TrustService
{
    // How long a node may believe that nothing was revoked without being told so.
    static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    // LIMIT: octets of lists in one message, unless one list alone has more.
    const int MaxLists = 2 << 20;

    public override async Task Revocations(RevocationsRequest request, IServerStreamWriter<RevocationUpdate> stream, ServerCallContext context)
    {
        ImmutableArray<RevocationListing> sent = [];
        while (true)
        {
            // Taken before the lists are read, so that a change in between wakes this loop again.
            var next = revocations.Changed;
            var isCurrent = revocations.IsCurrent;
            var lists = revocations.Lists;
            var isAnew = sent.IsEmpty || !lists.Select(l => (l.Issuer, l.Shard, l.Shards)).SequenceEqual(sent.Select(l => (l.Issuer, l.Shard, l.Shards)));
            var update = new RevocationUpdate { Snapshot = isAnew };
            foreach (var list in News(lists, isAnew ? [] : sent))
            {
                if (update.Lists.Count > 0 && update.Lists.Sum(l => l.Length) + list.Length > MaxLists)
                {
                    await stream.WriteAsync(update, context.CancellationToken);
                    update = new RevocationUpdate();
                }
                update.Lists.Add(UnsafeByteOperations.UnsafeWrap(list));
            }
            update.Current = isCurrent;
            await stream.WriteAsync(update, context.CancellationToken);
            sent = lists;
            await next.WaitAsync(Heartbeat, time, context.CancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.CancellationToken.ThrowIfCancellationRequested();
        }
    }

    public override Task<RevocationListResponse> RevocationList(RevocationListRequest request, ServerCallContext context)
    {
        Admit(ServedCall.Of(context));
        var issuer = request.Issuer.Length > 0 ? request.Issuer.ToLowerInvariant() : Issuer.KeyIdentifier(authorities.Current.Signing.Certificate);
        var listing = revocations.Lists.FirstOrDefault(l => l.Issuer == issuer && l.Shard == request.Shard)
            ?? throw new RefusalException(RefusalReason.NotFound, $"there is no revocation list of `{issuer}` with the shard {request.Shard}") { Hint = "`osctl ca status` shows the authorities" };
        var list = request.Delta ? listing.Delta : listing.Complete;
        return Task.FromResult(new RevocationListResponse
        {
            List = UnsafeByteOperations.UnsafeWrap(list.Der),
            Issuer = issuer,
            Shards = (uint)listing.Shards,
            NextUpdate = list.NextUpdate?.ToTimestamp(),
        });
    }

    /// <summary>What a receiver of these lists lacks: complete lists before the deltas that add to them.</summary>
    static IEnumerable<ReadOnlyMemory<byte>> News(ImmutableArray<RevocationListing> lists, ImmutableArray<RevocationListing> sent)
    {
        foreach (var listing in lists)
        {
            var before = sent.FirstOrDefault(l => l.Issuer == listing.Issuer && l.Shard == listing.Shard);
            if (before?.Complete.Number != listing.Complete.Number) yield return listing.Complete.Der;
            if (before?.Delta.Number != listing.Delta.Number) yield return listing.Delta.Der;
        }
    }
}
