using System.Text;

namespace Talos.Audit;

public sealed partial class AuditLog
{
    /// <summary>The newest checkpoint that witnesses signed, with their signatures; null when there is none.</summary>
    public AuditCheckpoint? WitnessedCheckpoint
    {
        get
        {
            lock (_publishGate) return ReadWitnessed();
        }
    }

    /// <summary>
    /// Keeps a witness's signature beside the log, where verification looks for it. The line is checked first; false when
    /// <paramref name="witness"/> did not sign <paramref name="checkpoint"/> with it, or a newer witnessed checkpoint is there already.
    /// </summary>
    public bool TryAddCosignature(AuditCheckpoint checkpoint, string line, NoteVerifierKey witness)
    {
        if (checkpoint.Origin != Origin || witness.Algorithm != NoteAlgorithm.Cosignature) return false;
        lock (_publishGate)
        {
            AuditCheckpoint? current = ReadWitnessed();
            if (current is not null && current.Size > checkpoint.Size) return false;
            string note = current is not null && current.Size == checkpoint.Size && current.Root.SequenceEqual(checkpoint.Root)
                ? current.Note
                : checkpoint.Note;
            if (!AuditCheckpoint.TryParse(note + line, out AuditCheckpoint? signed, out _)
                || signed.Signed.Check(witness, out _) != NoteVerdict.Signed) return false;
            _store.Replace(VerificationRun.WitnessedCheckpoint, Encoding.UTF8.GetBytes(signed.Note));
            return true;
        }
    }

    AuditCheckpoint? ReadWitnessed() =>
        _store.TryRead(VerificationRun.WitnessedCheckpoint) is { } bytes
        && AuditCheckpoint.TryParse(Encoding.UTF8.GetString(bytes), out AuditCheckpoint? checkpoint, out _)
            ? checkpoint
            : null;
}
