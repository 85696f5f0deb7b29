namespace Talos.Audit;

// A root that the log showed at an earlier size, and what the entries make of it.
sealed class KnownRoot(ulong size, byte[] root, string source)
{
    internal ulong Size => size;

    internal string Source => source;

    internal byte[]? Found { get; set; }

    internal bool Agrees => Found is not null && Found.AsSpan().SequenceEqual(root);
}

sealed partial class VerificationRun
{
    // LIMIT: older checkpoints that are compared.
    const int MaxOlder = 4096;

    readonly List<KnownRoot> _older = [];
    readonly List<AuditWitnessing> _witnesses = [];

    void Expect(KnownRoot known)
    {
        if (known.Size > _size) Found(AuditDefect.RolledBack, _size,
            $"{known.Source} covers {known.Size} entries, this log has {_size}: entries {_size} to {known.Size - 1} are gone",
            "an older copy was put in place of the log");
        else if (known.Size != 0 && _older.Count < MaxOlder) _older.Add(known);
    }

    void CollectOlder()
    {
        IReadOnlyList<string> witnessed = ReadText(WitnessedCheckpoint) is { } text ? WitnessedNotes.Split(text) : [];
        foreach (string note in options.KnownCheckpoints) Collect(note, "a checkpoint that was seen before");
        foreach (string note in witnessed) Collect(note, "a checkpoint that a witness signed");
        foreach (NoteVerifierKey witness in options.Witnesses) Witnessed(witness, witnessed);
    }

    internal const string WitnessedCheckpoint = "checkpoint.witnessed";

    void Collect(string note, string source)
    {
        if (!AuditCheckpoint.TryParse(note, out AuditCheckpoint? known, out string error))
        {
            Found(AuditDefect.CheckpointUnreadable, null, $"{source} cannot be read: {error}");
            return;
        }
        if (known.Origin != _checkpoint!.Origin) return;
        // A checkpoint that neither the log nor a witness signed proves nothing against the log.
        bool signed = options.LogKeys.Concat(options.Witnesses).Any(key => known.Signed.Check(key, out _) == NoteVerdict.Signed);
        if (signed) Expect(new KnownRoot(known.Size, known.RootHash.ToArray(), source));
        else Found(AuditDefect.CheckpointForeign, null, $"{source} is signed by no trusted key");
    }

    void Witnessed(NoteVerifierKey witness, IReadOnlyList<string> notes)
    {
        AuditCheckpoint? best = null;
        DateTimeOffset? time = null;
        foreach (string candidate in (IEnumerable<string>)[_checkpoint!.Note, .. notes, .. options.KnownCheckpoints])
        {
            if (!AuditCheckpoint.TryParse(candidate, out AuditCheckpoint? checkpoint, out _) || checkpoint.Origin != _checkpoint.Origin)
                continue;
            NoteVerdict verdict = checkpoint.Signed.Check(witness, out DateTimeOffset? at);
            if (verdict == NoteVerdict.BadSignature)
                Found(
                    AuditDefect.WitnessForged, null,
                    $"the signature of witness `{witness.Name}` does not belong to the checkpoint of size {checkpoint.Size}");
            if (verdict == NoteVerdict.Signed && (best is null || checkpoint.Size > best.Size)) (best, time) = (checkpoint, at);
        }
        _witnesses.Add(new AuditWitnessing(witness.Name, best?.Size, time));
        if (best is null)
            Found(
                AuditDefect.WitnessMissing, null, $"witness `{witness.Name}` signed no checkpoint of this log",
                "ask the witness for the checkpoint that it knows");
    }

    void JudgeOlder()
    {
        foreach (KnownRoot known in _older.Where(static k => k.Found is not null && !k.Agrees).OrderBy(static k => k.Size).Take(1))
        {
            (ulong good, ulong bad) = Bracket();
            if (IsExplained(good, bad)) return;
            Found(
                AuditDefect.Forked, good,
                $"the log contradicts {known.Source} over {known.Size} entries: an entry from {good} to {bad - 1} is not what it was",
                "the log shows two pasts; keep both checkpoints as evidence");
        }
    }

    // A bad entry with a name of its own, under a root that no longer stands: the disk was edited, and no second past was signed.
    bool IsExplained(ulong good, ulong bad) =>
        !_root.AsSpan().SequenceEqual(_checkpoint!.Root)
        && _findings.Any(f => f.Defect is not (AuditDefect.TileAltered or AuditDefect.RootMismatch) && f.Index >= good && f.Index < bad);
}
