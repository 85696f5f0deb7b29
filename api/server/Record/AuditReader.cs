using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Audit.V1;
using Talos.Audit;

namespace Talos.Api.Server;

/// <summary>Gives out a server's own record, entry by entry as hashed, with what proves it.</summary>
public sealed class AuditReader(AuditLog record, RecordKeeper? keeper = null, AuditWitness? witness = null) : AuditService.AuditServiceBase
{
    // LIMIT: entries that are held to be sent in the other direction than they are found; whoever wants more reads forwards.
    const uint MaxTail = 10_000;

    const int MaxTerms = 32;

    // LIMIT: below the message size that gRPC clients take without being told to (4 MiB).
    const int PartBytes = 1 << 20;

    public override async Task List(ListRequest request, IServerStreamWriter<ListResponse> responseStream, ServerCallContext context)
    {
        var filter = FilterOf(request);
        try
        {
            var from = request.From == 0 ? record.FirstIndex : request.From;
            if (request.Tail > 0)
            {
                // What comes while the newest are looked for is not passed over.
                from = Math.Max(from, record.Size);
                foreach (var entry in Newest(request, filter, context.CancellationToken))
                {
                    await SendAsync(entry).ConfigureAwait(false);
                    from = Math.Max(from, entry.Index + 1);
                }
                if (!request.Follow) return;
            }
            var entries = request.Follow
                ? record.FollowAsync(from, context.CancellationToken)
                : record.ReadAsync(from, long.MaxValue, context.CancellationToken);
            await foreach (var entry in entries.ConfigureAwait(false))
            {
                if (!filter.Matches(entry) || (request.WithoutOpenings && request.Follow && entry.Entry.Kind == EntryKind.CallOpened))
                    continue;
                await SendAsync(entry).ConfigureAwait(false);
            }
        }
        catch (AuditLogException e)
        {
            throw Refuse(e);
        }

        Task SendAsync(AuditRecord entry) => responseStream.WriteAsync(
            new ListResponse { Index = entry.Index, Entry = UnsafeByteOperations.UnsafeWrap(entry.Raw) }, context.CancellationToken);
    }
    public override Task<CheckpointResponse> Checkpoint(CheckpointRequest request, ServerCallContext context)
    {
        try
        {
            return Task.FromResult(new CheckpointResponse { Note = record.PublishNow().Note, VerifierKey = record.Key.ToString() });
        }
        catch (AuditLogException e)
        {
            throw Refuse(e);
        }
    }

    public override Task<StatusResponse> Status(StatusRequest request, ServerCallContext context) => Task.FromResult(new StatusResponse
    {
        Size = record.Size,
        FirstIndex = record.FirstIndex,
        CheckpointSize = record.Checkpoint.Size,
        CheckpointError = record.CheckpointError?.Message ?? "",
        VerifierKey = record.Key.ToString(),
        WitnessKey = witness?.Key.ToString() ?? "",
        Witnessed =
        {
            record.WitnessedCheckpoints.SelectMany(c => c.SignedBy.Where(name => name != c.Origin).Select(name => new WitnessedStatus { Witness = name, Size = c.Size })),
        },
        Exporters =
        {
            (keeper?.Exporters ?? []).Select(e => new ExporterStatus
            {
                Name = e.Name,
                Target = e.Target,
                Delivered = e.Delivered,
                Lag = (ulong)e.Lag,
                Failures = (ulong)e.Failures,
                Missed = e.Missed,
                LastError = e.LastError,
            }),
        },
    });

    public override Task<ProveResponse> Prove(ProveRequest request, ServerCallContext context)
    {
        try
        {
            var proof = record.ProveInclusion(request.Index);
            return Task.FromResult(new ProveResponse { Proof = proof.ToText(), Entry = UnsafeByteOperations.UnsafeWrap(proof.EntryBytes) });
        }
        catch (AuditLogException e)
        {
            throw Refuse(e);
        }
    }

    IReadOnlyList<AuditRecord> Newest(ListRequest request, AuditFilter filter, CancellationToken cancellation)
    {
        var ended = new HashSet<ulong>();
        return record.ReadNewest((int)Math.Min(request.Tail, MaxTail), IsWanted, cancellation);

        // Backwards, so that a closing comes before its opening.
        bool IsWanted(AuditRecord entry)
        {
            if (entry.Index < request.From || !filter.Matches(entry)) return false;
            if (!request.WithoutOpenings) return true;
            if (entry.Entry.HasOpenedIndex) ended.Add(entry.Entry.OpenedIndex);
            return entry.Entry.Kind != EntryKind.CallOpened || !ended.Remove(entry.Index);
        }
    }

    static AuditFilter FilterOf(ListRequest request)
    {
        if (request.Filter.Count > MaxTerms)
            throw new RefusalException(RefusalReason.InvalidRequest, $"a filter has at most {MaxTerms} terms");
        return AuditFilter.TryParse(request.Filter, TimeProvider.System, out var filter, out var error)
            ? filter
            : throw new RefusalException(RefusalReason.InvalidRequest, error);
    }

    public override async Task Fetch(FetchRequest request, IServerStreamWriter<FetchResponse> responseStream, ServerCallContext context)
    {
        try
        {
            foreach (var file in record.Files())
            {
                for (var at = 0; at == 0 || at < file.Data.Length; at += PartBytes)
                {
                    var part = UnsafeByteOperations.UnsafeWrap(file.Data.Slice(at, Math.Min(PartBytes, file.Data.Length - at)));
                    await responseStream.WriteAsync(new FetchResponse { Path = file.Path, Data = part }, context.CancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (AuditLogException e)
        {
            throw Refuse(e);
        }
    }

    static RefusalException Refuse(AuditLogException failure) => failure.Reason switch
    {
        AuditLogReason.NoSuchEntry => new RefusalException(RefusalReason.NotFound, failure.Message),
        _ => new RefusalException(RefusalReason.AuditUnavailable, failure.Message),
    };
}
