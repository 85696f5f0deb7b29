using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Audit.V1;
using Talos.Audit;

namespace Talos.Api.Server;

/// <summary>Gives out a server's own record, entry by entry as hashed, with what proves it.</summary>
public sealed class AuditReader(AuditLog record) : AuditService.AuditServiceBase
{
    public override async Task List(ListRequest request, IServerStreamWriter<ListResponse> responseStream, ServerCallContext context)
    {
        var size = record.Size;
        var from = request.From;
        if (request.Tail > 0) from = Math.Max(from, size - Math.Min(size, request.Tail));
        try
        {
            var entries = request.Follow
                ? record.FollowAsync(from, context.CancellationToken)
                : record.ReadAsync(from, from >= size ? 0 : (long)(size - from), context.CancellationToken);
            await foreach (var entry in entries.ConfigureAwait(false))
            {
                var response = new ListResponse { Index = entry.Index, Entry = UnsafeByteOperations.UnsafeWrap(entry.Raw) };
                await responseStream.WriteAsync(response, context.CancellationToken).ConfigureAwait(false);
            }
        }
        catch (AuditLogException e)
        {
            throw Refuse(e);
        }
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

    static RefusalException Refuse(AuditLogException failure) => failure.Reason switch
    {
        AuditLogReason.NoSuchEntry => new RefusalException(RefusalReason.NotFound, failure.Message),
        _ => new RefusalException(RefusalReason.AuditUnavailable, failure.Message),
    };
}
