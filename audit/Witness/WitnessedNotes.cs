using System.Text;

namespace Talos.Audit;

// The file `checkpoint.witnessed`: for each witness the newest checkpoint that it signed, as signed notes one behind the other, the
// largest last. Witnesses that signed the same checkpoint share a note.
static class WitnessedNotes
{
    // LIMIT: witnesses of one log; of more than these the oldest are dropped.
    const int MaxNotes = 16;

    // LIMIT: see SignedNote for each.
    const int MaxBytes = MaxNotes * SignedNote.MaxBytes;

    // Signature lines begin with a dash, and text follows only behind them: there another note begins.
    internal static IReadOnlyList<string> Split(string text)
    {
        List<string> notes = [];
        if (text.Length > MaxBytes) return notes;
        StringBuilder note = new();
        bool signatures = false;
        foreach (string line in text.Split('\n')[..^1])
        {
            bool signature = line.StartsWith('\u2014');
            if (signatures && !signature)
            {
                notes.Add(note.ToString());
                note.Clear();
            }
            signatures = signature;
            note.Append(line).Append('\n');
        }
        if (note.Length != 0) notes.Add(note.ToString());
        return notes;
    }

    internal static IReadOnlyList<AuditCheckpoint> Read(string text) =>
        [.. Split(text)
            .Select(static note => AuditCheckpoint.TryParse(note, out AuditCheckpoint? checkpoint, out _) ? checkpoint : null)
            .OfType<AuditCheckpoint>()];

    // The notes with this signature in place of what the same witness signed before. Null when it is not newer, or the line is not the
    // witness's.
    internal static string? Add(IReadOnlyList<AuditCheckpoint> notes, AuditCheckpoint checkpoint, string line, NoteVerifierKey witness)
    {
        if (notes.Any(note => note.Size > checkpoint.Size && Has(note, witness))) return null;
        AuditCheckpoint? same = notes.FirstOrDefault(note => note.Size == checkpoint.Size && note.Root.SequenceEqual(checkpoint.Root));
        if (!AuditCheckpoint.TryParse((same is null ? checkpoint.Note : Without(same, witness)) + line, out AuditCheckpoint? signed, out _)
            || signed.Signed.Check(witness, out _) != NoteVerdict.Signed) return null;
        return string.Concat(notes
            .Where(note => note != same && note.Signed.Signatures.Any(s => s.Name != witness.Name && s.Name != note.Origin))
            .Select(note => (Note: Without(note, witness), note.Size))
            .Append((signed.Note, signed.Size))
            .OrderBy(static n => n.Size)
            .TakeLast(MaxNotes)
            .Select(static n => n.Note));
    }

    static bool Has(AuditCheckpoint note, NoteVerifierKey witness) =>
        note.Signed.Signatures.Any(s => s.Name == witness.Name && s.KeyId == witness.Id);

    // A key of a witness that was made anew takes the place of the old one too.
    static string Without(AuditCheckpoint note, NoteVerifierKey witness) => note.Signed.Text + "\n"
        + string.Concat(note.Signed.Signatures.Where(s => s.Name != witness.Name).Select(static s => s.Line + "\n"));
}
