using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Witness.V1;
using Talos.Audit;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>
/// Answers the other nodes: co-signs the checkpoints of their records, offers those of this one, and keeps their signatures. What
/// contradicts what a node showed before goes on this server's own record, out of that node's reach.
/// </summary>
/// <param name="witness">Null for a server that is watched and watches nobody.</param>
public sealed class WitnessDesk(string cluster, AuditLog record, AuditWitness? witness) : WitnessService.WitnessServiceBase
{
    // RFC 6962: a proof has at most one hash for each level above and below; 2^48 entries is the most a log can have.
    const int MaxHashes = 64;

    public override async Task<AddCheckpointResponse> AddCheckpoint(AddCheckpointRequest request, ServerCallContext context)
    {
        if (witness is null)
            throw new RefusalException(RefusalReason.WrongState, "this server is no witness") { Hint = "ask the osd of a node" };
        var node = CallerOf(context);
        if (request.Proof.Count > MaxHashes)
            throw new RefusalException(RefusalReason.InvalidRequest, $"a consistency proof has at most {MaxHashes} hashes");
        var key = KeyOf(request.VerifierKey, $"{cluster}/{node.Name}/osd");
        var answer = witness.Cosign(key, request.OldSize, [.. request.Proof.Select(hash => hash.ToByteArray())], request.Note);
        await WitnessNews.RecordAsync(record, witness, key, answer, context.CancellationToken).ConfigureAwait(false);
        return new AddCheckpointResponse
        {
            Verdict = answer.Verdict switch
            {
                WitnessVerdict.Signed => CosignVerdict.Signed,
                WitnessVerdict.Forked => CosignVerdict.Forked,
                WitnessVerdict.RolledBack => CosignVerdict.RolledBack,
                WitnessVerdict.WrongSize => CosignVerdict.WrongSize,
                WitnessVerdict.Refused or WitnessVerdict.Unreadable or WitnessVerdict.UnknownLog =>
                    throw new RefusalException(RefusalReason.InvalidRequest, $"the note is no checkpoint that {key.Name} signed"),
            },
            Cosignature = answer.Cosignature,
            KnownSize = answer.KnownSize,
            WitnessKey = witness.Key.ToString(),
        };
    }

    public override Task<OfferResponse> Offer(OfferRequest request, ServerCallContext context)
    {
        try
        {
            var checkpoint = record.PublishNow();
            var answer = new OfferResponse { Note = checkpoint.Note, VerifierKey = record.Key.ToString() };
            if (request.KnownSize > 0 && request.KnownSize < checkpoint.Size)
                answer.Proof.AddRange(
                    record.ProveConsistency(request.KnownSize, checkpoint.Size).Select(hash => UnsafeByteOperations.UnsafeWrap(hash)));
            return Task.FromResult(answer);
        }
        catch (AuditLogException e)
        {
            throw new RefusalException(RefusalReason.AuditUnavailable, e.Message);
        }
    }

    public override Task<AddCosignatureResponse> AddCosignature(AddCosignatureRequest request, ServerCallContext context)
    {
        var key = KeyOf(request.WitnessKey, $"{cluster}/{CallerOf(context).Name}/witness");
        if (!AuditCheckpoint.TryParse(request.Note, out var checkpoint, out var error))
            throw new RefusalException(RefusalReason.InvalidRequest, $"the note: {error}");
        return Task.FromResult(new AddCosignatureResponse { Kept = record.TryAddCosignature(checkpoint, request.Cosignature, key) });
    }

    static PeerIdentity CallerOf(ServerCallContext context) => ServedCall.Of(context).Caller.Identity is { Kind: PeerKind.Node } node
        ? node
        : throw new RefusalException(RefusalReason.NotAllowed, "only nodes look after records") { Id = "not-a-node" };

    static NoteVerifierKey KeyOf(string text, string name)
    {
        if (!NoteVerifierKey.TryParse(text, out var key, out var error))
            throw new RefusalException(RefusalReason.InvalidRequest, $"the key: {error}");
        return key.Name == name
            ? key
            : throw new RefusalException(RefusalReason.NotAllowed, $"the key is of `{key.Name}`, and the caller speaks for `{name}`") { Id = "not-the-callers-log" };
    }
}
