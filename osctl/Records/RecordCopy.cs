using Grpc.Core;
using Talos.Api.Audit.V1;
using Talos.Audit;
using Talos.Osctl.Nodes;

namespace Talos.Osctl.Records;

/// <summary>A node's record, fetched into a folder that anyone can verify without the node.</summary>
static class RecordCopy
{
    /// <summary>Beside the record: the key of the log, so that the folder can be handed on as one piece.</summary>
    public const string KeyFile = "verifier-key";

    /// <summary>Fetches every entry that the newest checkpoint covers.</summary>
    /// <returns>The log's key, as the node names it.</returns>
    public static async Task<NoteVerifierKey> FetchAsync(PeerConnection connection, string folder, CallOptions options)
    {
        var audit = connection.Audit();
        var newest = await audit.CheckpointAsync(new CheckpointRequest(), options);
        if (!NoteVerifierKey.TryParse(newest.VerifierKey, out var key, out var error)) throw Malformed($"the key of its record: {error}");
        if (!AuditCheckpoint.TryParse(newest.Note, out var checkpoint, out error)) throw Malformed($"its checkpoint: {error}");

        var copy = new AuditFolder(folder);
        if (checkpoint.Size > 0) await CopyAsync(audit, copy, checkpoint.Size, options);
        copy.Finish(newest.Note);
        await File.WriteAllTextAsync(Path.Combine(folder, KeyFile), newest.VerifierKey + "\n", options.CancellationToken);
        return key;
    }

    static async Task CopyAsync(AuditService.AuditServiceClient audit, AuditFolder copy, ulong size, CallOptions options)
    {
        using var call = audit.List(new ListRequest { From = 0 }, options);
        await foreach (var item in call.ResponseStream.ReadAllAsync(options.CancellationToken))
        {
            // Retention removes the oldest; what is left is verified on the node's own folder.
            if (item.Index != copy.Size) throw Malformed($"entry {copy.Size} is not there, entry {item.Index} follows");
            if (item.Entry.Length > ushort.MaxValue) throw Malformed($"entry {item.Index} has {item.Entry.Length} bytes");
            copy.Append(item.Entry.Span);
            if (copy.Size == size) return;
        }
        throw Malformed($"the checkpoint covers {size} entries, and only {copy.Size} came");
    }

    static RpcException Malformed(string what) => new(new Status(StatusCode.DataLoss, $"the node's record cannot be read: {what}"));
}
