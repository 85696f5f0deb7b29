using System.Text;

namespace Talos.Audit;

public sealed partial class AuditLog
{
    /// <summary>
    /// For each witness the newest checkpoint that it signed, with the signatures, the largest last; witnesses may share one.
    /// </summary>
    public IReadOnlyList<AuditCheckpoint> WitnessedCheckpoints =>
        _store.TryRead(VerificationRun.WitnessedCheckpoint) is { } bytes ? WitnessedNotes.Read(Encoding.UTF8.GetString(bytes)) : [];

    /// <summary>
    /// Keeps a witness's signature beside the log, where verification looks for it. The line is checked first; false when
    /// <paramref name="witness"/> did not sign <paramref name="checkpoint"/> with it, or signed a newer one already.
    /// </summary>
    public bool TryAddCosignature(AuditCheckpoint checkpoint, string line, NoteVerifierKey witness)
    {
        if (checkpoint.Origin != Origin || witness.Algorithm != NoteAlgorithm.Cosignature || witness.Name == Origin) return false;
        if (checkpoint.Signed.Check(Key, out _) != NoteVerdict.Signed) return false;
        lock (_publishGate)
        {
            if (WitnessedNotes.Add(WitnessedCheckpoints, checkpoint, line, witness) is not { } notes) return false;
            _store.Replace(VerificationRun.WitnessedCheckpoint, Encoding.UTF8.GetBytes(notes));
            return true;
        }
    }
}
