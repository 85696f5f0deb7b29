using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Talos.Audit;

/// <summary>
/// A checkpoint (C2SP tlog-checkpoint): origin, tree size and root as a signed note. Parsing does not verify it; a verified one comes only
/// out of <see cref="TryVerify"/> or of the log itself.
/// </summary>
public sealed class AuditCheckpoint
{
    AuditCheckpoint(string note, SignedNote signed, string origin, ulong size, byte[] root)
    {
        Note = note;
        Signed = signed;
        Origin = origin;
        Size = size;
        RootHash = root;
    }

    /// <summary>The whole note, signatures included.</summary>
    public string Note { get; }

    /// <summary>Name of the log.</summary>
    public string Origin { get; }

    /// <summary>Number of entries that the checkpoint covers.</summary>
    public ulong Size { get; }

    /// <summary>Root of the tree over those entries.</summary>
    public ReadOnlyMemory<byte> RootHash { get; }

    /// <summary>Names of those who claim to have signed: the log, and witnesses.</summary>
    public IReadOnlyList<string> SignedBy => [.. Signed.Signatures.Select(static s => s.Name)];

    internal SignedNote Signed { get; }

    internal ReadOnlySpan<byte> Root => RootHash.Span;

    internal static string TextOf(string origin, ulong size, ReadOnlySpan<byte> root) =>
        $"{origin}\n{size.ToString(CultureInfo.InvariantCulture)}\n{Convert.ToBase64String(root)}\n";

    internal static AuditCheckpoint Sign(string origin, ulong size, byte[] root, CheckpointSigner signer)
    {
        string note = signer.Sign(TextOf(origin, size, root));
        return TryParse(note, out AuditCheckpoint? checkpoint, out string error) ? checkpoint : throw new InvalidOperationException(error);
    }

    /// <summary>Reads the note's form. Nothing in it may be trusted yet.</summary>
    public static bool TryParse(string note, [NotNullWhen(true)] out AuditCheckpoint? checkpoint, out string error)
    {
        checkpoint = null;
        if (!SignedNote.TryParse(note, out SignedNote? signed, out error)) return false;
        string[] lines = signed.Text.Split('\n');
        byte[] root = new byte[TreeHash.Size];
        if (lines.Length < 4 || lines[..^1].Any(static l => l.Length == 0))
            error = "a checkpoint has at least three lines, none of them empty";
        else if (!TryDecimal(lines[1], out _)) error = "the second line of a checkpoint is its size in decimal";
        else if (!Convert.TryFromBase64String(lines[2], root, out int length) || length != root.Length
            || lines[2] != Convert.ToBase64String(root))
            error = "the third line of a checkpoint is a root of 32 bytes in base64";
        if (error.Length != 0) return false;
        TryDecimal(lines[1], out ulong size);
        checkpoint = new AuditCheckpoint(note, signed, lines[0], size, root);
        return true;
    }

    /// <summary>Reads the note and checks that <paramref name="key"/> signed it, and that it names the key's log.</summary>
    public static bool TryVerify(string note, NoteVerifierKey key, [NotNullWhen(true)] out AuditCheckpoint? checkpoint, out string error)
    {
        if (!TryParse(note, out checkpoint, out error)) return false;
        NoteVerdict verdict = checkpoint.Signed.Check(key, out _);
        if (checkpoint.Origin != key.Name) error = $"the checkpoint is of `{checkpoint.Origin}`, the key of `{key.Name}`";
        else if (verdict == NoteVerdict.NotSigned) error = $"the checkpoint is not signed by key {key.Name}+{key.Id:x8}";
        else if (verdict == NoteVerdict.BadSignature)
            error = $"the signature of key {key.Name}+{key.Id:x8} does not belong to the checkpoint";
        if (error.Length == 0) return true;
        checkpoint = null;
        return false;
    }

    internal static bool TryDecimal(string text, out ulong value) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && (text.Length == 1 || text[0] != '0');

    internal byte[] TextBytes => Encoding.UTF8.GetBytes(Signed.Text);
}
