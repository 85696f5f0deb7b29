using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Talos.Audit;

/// <summary>
/// A small file that convinces a third party that one entry was recorded: C2SP tlog-proof, with the entry's bytes as its extra data, so
/// that the file needs nothing beside it but the log's key.
/// </summary>
public sealed class AuditProof
{
    const string FirstLine = "c2sp.org/tlog-proof@v1";

    internal AuditProof(ulong index, IReadOnlyList<byte[]> hashes, string checkpoint, ReadOnlyMemory<byte> entry)
    {
        Index = index;
        Hashes = hashes;
        CheckpointNote = checkpoint;
        EntryBytes = entry;
    }

    /// <summary>Index of the entry.</summary>
    public ulong Index { get; }

    /// <summary>RFC 6962 inclusion proof, leaf's sibling first.</summary>
    public IReadOnlyList<byte[]> Hashes { get; }

    /// <summary>The checkpoint that the proof leads to, signatures included.</summary>
    public string CheckpointNote { get; }

    /// <summary>The entry's canonical bytes. Not to be believed before <see cref="Check"/>.</summary>
    public ReadOnlyMemory<byte> EntryBytes { get; }

    /// <summary>The file's text.</summary>
    public string ToText()
    {
        StringBuilder text = new();
        text.Append(FirstLine).Append('\n');
        text.Append("extra ").Append(Convert.ToBase64String(EntryBytes.Span)).Append('\n');
        text.Append(CultureInfo.InvariantCulture, $"index {Index}\n");
        foreach (byte[] hash in Hashes) text.Append(Convert.ToBase64String(hash)).Append('\n');
        return text.Append('\n').Append(CheckpointNote).ToString();
    }

    /// <summary>Reads a proof file. The error names the line.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out AuditProof? proof, out string error)
    {
        proof = null;
        error = "";
        // LIMIT: 256 KiB; an entry of 16 KiB, 48 hashes and a note of 64 KiB take less.
        if (text.Length > 256 * 1024) return Fail(1, "the file is larger than 256 KiB", out error);
        string[] lines = text.Split('\n');
        if (lines[0] != FirstLine) return Fail(1, $"the file does not begin with `{FirstLine}`", out error);
        if (lines.Length < 2 || !TryBase64(lines[1], "extra ", out byte[] entry))
            return Fail(2, "the second line holds the entry: `extra` and base64", out error);
        if (lines.Length < 3 || !lines[2].StartsWith("index ", StringComparison.Ordinal)
            || !AuditCheckpoint.TryDecimal(lines[2]["index ".Length..], out ulong index))
            return Fail(3, "the third line is `index` and a number", out error);

        List<byte[]> hashes = [];
        int line = 3;
        for (; line < lines.Length && lines[line].Length != 0; line++)
        {
            if (!TryBase64(lines[line], "", out byte[] hash) || hash.Length != TreeHash.Size || hashes.Count == 64)
                return Fail(line + 1, "a line of the proof is not a hash of 32 bytes in base64", out error);
            hashes.Add(hash);
        }
        if (line >= lines.Length) return Fail(line, "the checkpoint is missing", out error);
        string note = string.Join('\n', lines[(line + 1)..]);
        if (!AuditCheckpoint.TryParse(note, out _, out string problem)) return Fail(line + 2, problem, out error);
        proof = new AuditProof(index, hashes, note, entry);
        return true;
    }

    /// <summary>Checks the file against the log's key: signature, hashes and the form of the entry.</summary>
    public AuditProofResult Check(NoteVerifierKey key, IReadOnlyList<NoteVerifierKey>? witnesses = null)
    {
        if (!AuditCheckpoint.TryVerify(CheckpointNote, key, out AuditCheckpoint? checkpoint, out string error)) return new(error);
        MerkleVerdict verdict = MerkleProof.CheckInclusion(
            Index, checkpoint.Size, TreeHash.Leaf(EntryBytes.Span), Hashes, checkpoint.Root);
        if (verdict != MerkleVerdict.Verified) return new($"the hashes do not lead from entry {Index} to the checkpoint's root: {verdict}");
        if (!AuditRecord.TryParse(Index, EntryBytes, out AuditRecord? record, out error)) return new($"entry {Index} {error}");
        foreach (NoteVerifierKey witness in witnesses ?? [])
            if (checkpoint.Signed.Check(witness, out _) != NoteVerdict.Signed)
                return new($"witness {witness.Name} did not sign the checkpoint");
        return new(record, checkpoint);
    }

    static bool TryBase64(string line, string prefix, out byte[] value)
    {
        value = [];
        if (!line.StartsWith(prefix, StringComparison.Ordinal)) return false;
        string encoded = line[prefix.Length..];
        byte[] buffer = new byte[encoded.Length];
        if (!Convert.TryFromBase64String(encoded, buffer, out int length) || Convert.ToBase64String(buffer, 0, length) != encoded)
            return false;
        value = buffer[..length];
        return true;
    }

    static bool Fail(int line, string what, out string error)
    {
        error = $"line {line.ToString(CultureInfo.InvariantCulture)}: {what}";
        return false;
    }
}

/// <summary>What checking a proof file found.</summary>
public sealed class AuditProofResult
{
    internal AuditProofResult(string error) => Error = error;

    internal AuditProofResult(AuditRecord record, AuditCheckpoint checkpoint)
    {
        Record = record;
        Checkpoint = checkpoint;
    }

    /// <summary>The entry, which the log did record; null when the proof does not hold.</summary>
    public AuditRecord? Record { get; }

    /// <summary>The verified checkpoint that covers it.</summary>
    public AuditCheckpoint? Checkpoint { get; }

    /// <summary>Why the proof does not hold; null when it does.</summary>
    public string? Error { get; }
}
