using System.Security.Cryptography;
using System.Text;

namespace Talos.Audit;

/// <summary>Why a witness did or did not sign.</summary>
public enum WitnessVerdict
{
    /// <summary>It did not look.</summary>
    Refused,

    /// <summary>What it was given is not a checkpoint.</summary>
    Unreadable,

    /// <summary>It does not know the log, or the log's key did not sign.</summary>
    UnknownLog,

    /// <summary>The proof starts at another size than the one it knows; ask again from <see cref="WitnessAnswer.KnownSize"/>.</summary>
    WrongSize,

    /// <summary>The log contradicts what it showed before: it shows two pasts. The evidence is kept.</summary>
    Forked,

    /// <summary>It signed.</summary>
    Signed,
}

/// <summary>A witness's answer.</summary>
/// <param name="Verdict">Whether it signed, or why not.</param>
/// <param name="Cosignature">The signature line, when it signed.</param>
/// <param name="KnownSize">Size of the checkpoint of this log that it knows.</param>
/// <param name="Evidence">Both notes, when they contradict each other.</param>
public sealed record WitnessAnswer(WitnessVerdict Verdict, string Cosignature = "", ulong KnownSize = 0, string Evidence = "");

/// <summary>
/// Remembers the newest checkpoint of each log that it watches and signs only what follows from it (C2SP tlog-witness). What it has signed is on
/// disk before it answers. One process at a time; safe for any number of threads.
/// </summary>
public sealed class AuditWitness
{
    readonly TileStore _store;
    readonly AuditCosigner _signer;
    readonly IReadOnlyList<NoteVerifierKey> _logs;
    readonly TimeProvider _time;
    readonly Lock _gate = new();

    /// <summary>Watches the logs with these keys; its memory lies in <paramref name="directory"/>.</summary>
    public AuditWitness(string directory, AuditCosigner signer, IReadOnlyList<NoteVerifierKey> logs, TimeProvider time)
    {
        Directory.CreateDirectory(directory);
        _store = new TileStore(Path.GetFullPath(directory));
        _signer = signer;
        _logs = logs;
        _time = time;
    }

    /// <summary>The key of this witness.</summary>
    public NoteVerifierKey Key => _signer.Key;

    /// <summary>The newest checkpoint of a log that this witness signed, with its signature; null when it knows none.</summary>
    public AuditCheckpoint? Known(string origin)
    {
        lock (_gate) return Read(origin);
    }

    /// <summary>Signs the checkpoint when the proof leads to it from the one that this witness knows (from nothing: size 0, no proof).</summary>
    public WitnessAnswer Cosign(ulong oldSize, IReadOnlyList<byte[]> proof, string checkpointNote)
    {
        if (!AuditCheckpoint.TryParse(checkpointNote, out AuditCheckpoint? checkpoint, out _)) return new(WitnessVerdict.Unreadable);
        if (!_logs.Any(key => key.Name == checkpoint.Origin && checkpoint.Signed.Check(key, out _) == NoteVerdict.Signed))
            return new(WitnessVerdict.UnknownLog);
        lock (_gate)
        {
            AuditCheckpoint? known = Read(checkpoint.Origin);
            ulong size = known?.Size ?? 0;
            if (known is not null && checkpoint.Size == size && !checkpoint.Root.SequenceEqual(known.Root)) return Fork(known, checkpoint);
            if (oldSize != size || checkpoint.Size < size) return new(WitnessVerdict.WrongSize, KnownSize: size);
            if (known is not null && size != 0 && MerkleProof.CheckConsistency(
                    size, checkpoint.Size, proof, known.Root, checkpoint.Root) != MerkleVerdict.Verified)
                return Fork(known, checkpoint);

            string line = _signer.Line(checkpoint.TextBytes, _time.GetUtcNow());
            _store.Replace(FileOf(checkpoint.Origin, "checkpoint"), Encoding.UTF8.GetBytes(checkpoint.Note + line));
            return new(WitnessVerdict.Signed, line, checkpoint.Size);
        }
    }

    // A proof that does not hold is either a broken request or a second past: both notes are signed by the log, so both are kept.
    WitnessAnswer Fork(AuditCheckpoint known, AuditCheckpoint shown)
    {
        string evidence = known.Note + shown.Note;
        _store.Replace(FileOf(known.Origin, "conflict"), Encoding.UTF8.GetBytes(evidence));
        return new(WitnessVerdict.Forked, KnownSize: known.Size, Evidence: evidence);
    }

    AuditCheckpoint? Read(string origin)
    {
        if (_store.TryRead(FileOf(origin, "checkpoint")) is not { } bytes) return null;
        return AuditCheckpoint.TryParse(Encoding.UTF8.GetString(bytes), out AuditCheckpoint? checkpoint, out string error)
            ? checkpoint
            : throw new AuditLogException(AuditLogReason.Damaged, $"what the witness remembers of `{origin}` cannot be read: {error}");
    }

    static string FileOf(string origin, string kind) => $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(origin)))}.{kind}";
}
