using System.Text;

namespace Talos.Audit;

// One verification from the first file to the result.
sealed partial class VerificationRun(TileStore store, AuditVerifierOptions options)
{
    // LIMIT: findings kept; a record with more defects than this is beyond reading one by one.
    const int MaxFindings = 100;

    readonly List<AuditFinding> _findings = [];
    long _findingCount;
    AuditCheckpoint? _checkpoint;
    bool _trusted;
    ulong _first;
    ulong _size;

    internal AuditVerification Run()
    {
        ReadCheckpoint();
        if (_checkpoint is null) return Result(course: null);
        _size = _checkpoint.Size;
        ReadRetention();
        CollectOlder();
        RecordCourse course = new(options.ClockTolerance, _first);
        ReadEntries(course);
        Judge();
        JudgeSaid();
        JudgeOlder();
        ReadJournal();
        return Result(course);
    }

    void Found(AuditDefect defect, ulong? index, string message, string hint = "") => Found(new AuditFinding(defect, index, message, hint));

    void Found(AuditFinding finding)
    {
        _findingCount++;
        if (_findings.Count < MaxFindings) _findings.Add(finding);
    }

    AuditVerification Result(RecordCourse? course)
    {
        AuditFinding[] findings = [.. _findings.OrderBy(static f => f.Index ?? ulong.MaxValue)];
        return new AuditVerification
        {
            Verdict = _findingCount == 0 && _trusted ? AuditVerdict.Verified : AuditVerdict.Failed,
            Checkpoint = _trusted ? _checkpoint : null,
            FirstIndex = _first,
            Size = _size,
            Uncovered = _uncovered,
            Findings = findings,
            FindingCount = _findingCount,
            FirstBadIndex = findings.Length == 0 ? null : findings[0].Index,
            OpenCalls = course?.OpenCalls ?? [],
            Incidents = course?.Incidents ?? [],
            Witnesses = _witnesses,
        };
    }

    string? ReadText(string file) => store.TryRead(file) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    void ReadCheckpoint()
    {
        string? note = ReadText(TilePath.Checkpoint);
        if (note is null)
        {
            Found(AuditDefect.CheckpointUnreadable, null, "there is no checkpoint", "without a signed checkpoint nothing can be verified");
            return;
        }
        if (!AuditCheckpoint.TryParse(note, out _checkpoint, out string error))
        {
            Found(AuditDefect.CheckpointUnreadable, null, $"the checkpoint cannot be read: {error}");
            return;
        }
        if (_checkpoint.Size > MerkleTree.MaxSize)
        {
            Found(AuditDefect.CheckpointUnreadable, null, $"the checkpoint claims {_checkpoint.Size} entries, more than any log has");
            _checkpoint = null;
            return;
        }
        NoteVerdict verdict = NoteVerdict.NotSigned;
        foreach (NoteVerifierKey key in options.LogKeys)
        {
            if (key.Name != _checkpoint.Origin) continue;
            NoteVerdict now = _checkpoint.Signed.Check(key, out _);
            if (now == NoteVerdict.BadSignature) verdict = now;
            if (now != NoteVerdict.Signed) continue;
            _trusted = true;
            return;
        }
        if (verdict == NoteVerdict.BadSignature)
            Found(
                AuditDefect.CheckpointForged, null, $"the signature of `{_checkpoint.Origin}` does not belong to the checkpoint",
                "the checkpoint was altered after it was signed");
        else
            Found(
                AuditDefect.CheckpointForeign, null, $"the checkpoint of `{_checkpoint.Origin}` is not signed by a trusted key of that log",
                "is this the record of the node whose key you gave?");
    }

    void ReadRetention()
    {
        if (ReadText(RetentionStatement.FileName) is not { } note) return;
        if (!RetentionStatement.TryVerify(note, options.LogKeys, _checkpoint!.Origin, out RetentionStatement? statement, out string error))
            Found(
                AuditDefect.RetentionForged, 0, $"the retention statement does not verify: {error}",
                "entries before it may have been removed by hand");
        else if (statement.FirstIndex > _size)
            Found(
                AuditDefect.RolledBack, _size,
                $"retention kept entries from {statement.FirstIndex} on, but the checkpoint covers {_size} only");
        else
            _first = statement.FirstIndex;
        if (statement is not null) Expect(new KnownRoot(statement.Size, statement.Root, "the retention statement"));
    }

    ulong _uncovered;

    // The journal of a log that was not closed holds entries that no checkpoint covers yet.
    void ReadJournal()
    {
        byte[]?[] files = [store.TryRead(Journal.NameOf(0)), store.TryRead(Journal.NameOf(1))];
        if (files.All(static f => f is null)) return;
        try
        {
            JournalContent content = JournalContent.Join([.. files.Select(static (f, i) => JournalHalf.Read(i, f ?? []))]);
            if (content.IsEmpty || content.End <= _size) return;
            _uncovered = content.End - _size;
            content.Replay((index, entry) =>
            {
                if (index >= _size && CanonicalEntry.Check(entry.Span) is { } error)
                    Found(AuditDefect.EntryMalformed, index, $"entry {index} {error}");
            });
        }
        catch (AuditLogException e)
        {
            Found(AuditDefect.JournalDamaged, null, e.Message, "entries that were acknowledged after the last checkpoint may be missing");
        }
    }
}
