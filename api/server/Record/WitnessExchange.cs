using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Talos.Api.Configuration;
using Talos.Api.Witness.V1;
using Talos.Audit;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>
/// Goes round the other nodes: shows each this node's newest checkpoint and keeps the signature, and signs the other's. One direction of
/// connection is enough for both, so a control plane that knows none of its workers is watched by all that know it.
/// </summary>
/// <param name="nodes">APIs of other nodes.</param>
/// <param name="trustds">trustds, whose records are watched.</param>
public sealed class WitnessExchange(
    string cluster, IReadOnlyList<Endpoint> nodes, IReadOnlyList<Endpoint> trustds, TrustSlot own, AuditLog record, AuditWitness witness, TimeProvider time, ILogger log)
{
    static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    readonly Dictionary<Endpoint, string> faults = [];

    /// <summary>Goes on until cancelled; never throws.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            await RoundAsync(cancellation).ConfigureAwait(false);
            await Task.Delay(Interval, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Once to each, one after the other, all with the same checkpoint.</summary>
    public async Task RoundAsync(CancellationToken cancellation)
    {
        AuditCheckpoint? mine = null;
        try
        {
            mine = record.PublishNow();
        }
        catch (AuditLogException e)
        {
            log.LogWarning("no checkpoint can be shown to witnesses: {Reason}", e.Message);
        }
        foreach (var (endpoint, kind) in nodes.Select(e => (e, PeerKind.Node)).Concat(trustds.Select(e => (e, PeerKind.Trustd))))
        {
            if (own.Current is not { } material || cancellation.IsCancellationRequested) return;
            string fault;
            try
            {
                fault = await VisitAsync(endpoint, kind, material, mine, cancellation).ConfigureAwait(false);
            }
            catch (RpcException e)
            {
                fault = e.Status.Detail;
            }
            catch (AuditLogException e)
            {
                fault = e.Message;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            // A node that is away is said once, not every minute.
            if (fault.Length > 0 && faults.GetValueOrDefault(endpoint) != fault)
                log.LogWarning("witness {Endpoint}: {Reason}", endpoint, fault);
            faults[endpoint] = fault;
        }
    }

    async Task<string> VisitAsync(Endpoint endpoint, PeerKind kind, TrustMaterial material, AuditCheckpoint? mine, CancellationToken cancellation)
    {
        var check = new ServerCheck(endpoint, material.Roots, cluster, time) { Kind = kind };
        using var channel = ServerCheck.Open(endpoint, check, material);
        var client = new WitnessService.WitnessServiceClient(channel);
        var options = new CallOptions(deadline: time.GetUtcNow().UtcDateTime + Patience, cancellationToken: cancellation);
        var submitted = mine is not null && kind == PeerKind.Node ? await SubmitAsync(client, check, mine, options).ConfigureAwait(false) : "";
        var watched = await WatchAsync(client, check, kind, options).ConfigureAwait(false);
        return submitted.Length > 0 ? submitted : watched;
    }

    async Task<string> SubmitAsync(WitnessService.WitnessServiceClient client, ServerCheck check, AuditCheckpoint mine, CallOptions options)
    {
        var answer = await client.AddCheckpointAsync(Request(0), options).ResponseAsync.ConfigureAwait(false);
        if (answer.Verdict == CosignVerdict.WrongSize && answer.KnownSize <= mine.Size)
            answer = await client.AddCheckpointAsync(Request(answer.KnownSize), options).ResponseAsync.ConfigureAwait(false);
        switch (answer.Verdict)
        {
            case CosignVerdict.Signed:
                if (!NoteVerifierKey.TryParse(answer.WitnessKey, out var key, out var error)) return $"its key as a witness: {error}";
                if (key.Name != $"{cluster}/{check.Peer?.Name}/witness") return $"it signs as `{key.Name}`";
                return record.TryAddCosignature(mine, answer.Cosignature, key) ? "" : "its signature does not belong to the checkpoint";
            case CosignVerdict.Forked or CosignVerdict.RolledBack:
                return await AccusedAsync(check, answer, options.CancellationToken).ConfigureAwait(false);
            case CosignVerdict.WrongSize or CosignVerdict.Unspecified:
            default:
                return "it did not sign";
        }

        AddCheckpointRequest Request(ulong known)
        {
            var request = new AddCheckpointRequest { OldSize = known, Note = mine.Note, VerifierKey = record.Key.ToString() };
            if (known > 0 && known < mine.Size)
                request.Proof.AddRange(record.ProveConsistency(known, mine.Size).Select(hash => UnsafeByteOperations.UnsafeWrap(hash)));
            return request;
        }
    }

    // An honest node whose disk was put back to an older state says so itself; a dishonest one is on the other's record all the same.
    async Task<string> AccusedAsync(ServerCheck check, AddCheckpointResponse answer, CancellationToken cancellation)
    {
        var fault = answer.Verdict == CosignVerdict.Forked
            ? $"it knows another past of this node's record, of {answer.KnownSize} entries"
            : $"it knows {answer.KnownSize} entries of this node's record, which has fewer";
        if (faults.ContainsValue(fault)) return fault;
        var verdict = answer.Verdict == CosignVerdict.Forked ? "forked" : "rolled-back";
        await record.AppendAsync(
            AuditEvents.WitnessRefused(record.Origin, $"{cluster}/{check.Peer?.Name}/witness", verdict, answer.KnownSize, $"{check.Peer?.Name} refused to sign: {fault}"),
            cancellation).ConfigureAwait(false);
        return fault;
    }

    async Task<string> WatchAsync(WitnessService.WitnessServiceClient client, ServerCheck check, PeerKind kind, CallOptions options)
    {
        var offer = await client.OfferAsync(new OfferRequest(), options).ResponseAsync.ConfigureAwait(false);
        if (!NoteVerifierKey.TryParse(offer.VerifierKey, out var key, out var error)) return $"the key of its record: {error}";
        if (key.Name != $"{cluster}/{check.Peer?.Name}/{(kind == PeerKind.Trustd ? "trustd" : "osd")}")
            return $"its record calls itself `{key.Name}`";
        var answer = witness.Cosign(key, 0, [], offer.Note);
        if (answer.Verdict == WitnessVerdict.WrongSize)
        {
            offer = await client.OfferAsync(new OfferRequest { KnownSize = answer.KnownSize }, options).ResponseAsync.ConfigureAwait(false);
            answer = witness.Cosign(key, answer.KnownSize, [.. offer.Proof.Select(hash => hash.ToByteArray())], offer.Note);
        }
        await WitnessNews.RecordAsync(record, witness, key, answer, options.CancellationToken).ConfigureAwait(false);
        if (answer.Verdict != WitnessVerdict.Signed)
            return $"its record is not what follows from the {answer.KnownSize} entries that it showed before: {answer.Verdict}";
        var handed = new AddCosignatureRequest { Note = offer.Note, Cosignature = answer.Cosignature, WitnessKey = witness.Key.ToString() };
        await client.AddCosignatureAsync(handed, options).ResponseAsync.ConfigureAwait(false);
        return "";
    }
}
