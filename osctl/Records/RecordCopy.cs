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

    /// <summary>Fetches what retention has left of the record, under its newest checkpoint.</summary>
    /// <returns>The log's key, as the node names it.</returns>
    public static async Task<NoteVerifierKey> FetchAsync(PeerConnection connection, string folder, CallOptions options)
    {
        var audit = connection.Audit();
        var newest = await audit.CheckpointAsync(new CheckpointRequest(), options);
        if (!NoteVerifierKey.TryParse(newest.VerifierKey, out var key, out var error)) throw Malformed($"the key of its record: {error}");

        var copy = new AuditFolder(folder);
        using var call = audit.Fetch(new FetchRequest(), options);
        string path = "";
        using var data = new MemoryStream();
        await foreach (var part in call.ResponseStream.ReadAllAsync(options.CancellationToken))
        {
            if (part.Path != path) Put();
            path = part.Path;
            // LIMIT: the largest file of a record is a bundle of 256 entries.
            if (data.Length + part.Data.Length > MaxFile) throw Malformed($"its file `{path}` has more than {MaxFile} bytes");
            data.Write(part.Data.Span);
        }
        Put();
        if (path != "checkpoint") throw Malformed("its checkpoint did not come");
        await File.WriteAllTextAsync(Path.Combine(folder, KeyFile), newest.VerifierKey + "\n", options.CancellationToken);
        return key;

        void Put()
        {
            if (path.Length == 0) return;
            if (!AuditFolder.IsFile(path)) throw Malformed($"it has a file `{path}`, which no record has");
            copy.Put(new AuditFile(path, data.ToArray()));
            data.SetLength(0);
        }
    }

    const int MaxFile = 8 << 20;

    static RpcException Malformed(string what) => new(new Status(StatusCode.DataLoss, $"the node's record cannot be read: {what}"));
}
