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

    /// <summary>The log's key did not sign it.</summary>
    UnknownLog,

    /// <summary>The proof starts at another size than the one it knows; ask again from <see cref="WitnessAnswer.KnownSize"/>.</summary>
    WrongSize,

    /// <summary>
    /// The log is shorter than what it showed before: its end was removed, or an older copy put in its place. The evidence is kept.
    /// </summary>
    RolledBack,

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
/// <param name="IsNews">The witness found this out now: a contradiction that it did not know, or a key in place of another.</param>
/// <param name="FormerKey">The key that the log had until now, when it has another.</param>
public sealed record WitnessAnswer(
    WitnessVerdict Verdict, string Cosignature = "", ulong KnownSize = 0, string Evidence = "", bool IsNews = false,
    NoteVerifierKey? FormerKey = null);

/// <summary>
/// Remembers the newest checkpoint of each log that it watches and signs only what follows from it (C2SP tlog-witness). What it has signed
/// is on disk before it answers. A log is known by its key: one that comes with another key is watched anew, and the answer says so. One
/// process at a time; safe for any number of threads.
/// </summary>
public sealed class AuditWitness
{
    readonly TileStore _store;
    readonly AuditCosigner _signer;
    readonly TimeProvider _time;
    readonly Lock _gate = new();

    /// <summary>A witness whose memory lies in <paramref name="directory"/>.</summary>
    public AuditWitness(string directory, AuditCosigner signer, TimeProvider time)
    {
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _store = new TileStore(Path.GetFullPath(directory));
        _signer = signer;
        _time = time;
    }

    /// <summary>The key of this witness.</summary>
    public NoteVerifierKey Key => _signer.Key;

    /// <summary>The newest checkpoint of a log that this witness signed, with its signature; null when it knows none.</summary>
    public AuditCheckpoint? Known(NoteVerifierKey log)
    {
        lock (_gate) return Read(log);
    }

    /// <summary>
    /// Signs the checkpoint when the proof leads to it from the one that this witness knows (from nothing: size 0, no proof).
    /// </summary>
    /// <param name="log">The log's key. The caller vouches that the log of this name is who sends the checkpoint.</param>
    /// <param name="oldSize">Size that <paramref name="proof"/> starts at.</param>
    /// <param name="proof">RFC 6962 consistency proof.</param>
    /// <param name="checkpointNote">The signed note.</param>
    public WitnessAnswer Cosign(NoteVerifierKey log, ulong oldSize, IReadOnlyList<byte[]> proof, string checkpointNote)
    {
        if (!AuditCheckpoint.TryParse(checkpointNote, out AuditCheckpoint? checkpoint, out _)) return new(WitnessVerdict.Unreadable);
        if (log.Name != checkpoint.Origin || checkpoint.Signed.Check(log, out _) != NoteVerdict.Signed)
            return new(WitnessVerdict.UnknownLog);
        lock (_gate)
        {
            NoteVerifierKey? former = FormerKey(log);
            AuditCheckpoint? known = Read(log);
            ulong size = known?.Size ?? 0;
            if (known is not null && checkpoint.Size < size) return Contradiction(WitnessVerdict.RolledBack, log, known, checkpoint);
            if (known is not null && checkpoint.Size == size && !checkpoint.Root.SequenceEqual(known.Root))
                return Contradiction(WitnessVerdict.Forked, log, known, checkpoint);
            if (oldSize != size) return new(WitnessVerdict.WrongSize, KnownSize: size);
            if (known is not null && size != 0 && MerkleProof.CheckConsistency(
                    size, checkpoint.Size, proof, known.Root, checkpoint.Root) != MerkleVerdict.Verified)
                return Contradiction(WitnessVerdict.Forked, log, known, checkpoint);

            string line = _signer.Line(checkpoint.TextBytes, _time.GetUtcNow());
            _store.Replace(FileOf(log, "checkpoint"), Encoding.UTF8.GetBytes(checkpoint.Note + line));
            // Last, so that a key is new until something of it was signed.
            if (known is null) _store.Replace(KeyFileOf(log), Encoding.UTF8.GetBytes(log.ToString()));
            return new(WitnessVerdict.Signed, line, checkpoint.Size, IsNews: former is not null, FormerKey: former);
        }
    }

    // A proof that does not hold is either a broken request or a second past: both notes are signed by the log, so both are kept.
    WitnessAnswer Contradiction(WitnessVerdict verdict, NoteVerifierKey log, AuditCheckpoint known, AuditCheckpoint shown)
    {
        string evidence = known.Note + shown.Note;
        string file = FileOf(log, verdict == WitnessVerdict.Forked ? "forked" : "rolled-back");
        bool news = _store.TryRead(file) is null;
        if (news) _store.Replace(file, Encoding.UTF8.GetBytes(evidence));
        return new(verdict, KnownSize: known.Size, Evidence: evidence, IsNews: news);
    }

    NoteVerifierKey? FormerKey(NoteVerifierKey log) =>
        _store.TryRead(KeyFileOf(log)) is { } bytes
        && NoteVerifierKey.TryParse(Encoding.UTF8.GetString(bytes), out NoteVerifierKey? key, out _)
        && key.ToString() != log.ToString()
            ? key
            : null;

    AuditCheckpoint? Read(NoteVerifierKey log)
    {
        if (_store.TryRead(FileOf(log, "checkpoint")) is not { } bytes) return null;
        return AuditCheckpoint.TryParse(Encoding.UTF8.GetString(bytes), out AuditCheckpoint? checkpoint, out string error)
            ? checkpoint
            : throw new AuditLogException(AuditLogReason.Damaged, $"what the witness remembers of `{log.Name}` cannot be read: {error}");
    }

    static string FileOf(NoteVerifierKey log, string kind) => $"{Digest(log.ToString())}.{kind}";

    static string KeyFileOf(NoteVerifierKey log) => $"{Digest(log.Name)}.key";

    static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
