using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Talos.Audit;

// What retention removed, as a signed note: a log without its first entries and without this statement has lost them.
//   talos.audit/retention/v1 ⏎ origin ⏎ index of the first entry kept ⏎ size ⏎ root ⏎
// Size and root are those of the checkpoint that covers what was removed.
sealed record RetentionStatement(ulong FirstIndex, ulong Size, byte[] Root)
{
    internal const string FileName = "retention";
    const string Header = "talos.audit/retention/v1";

    internal string Sign(string origin, CheckpointSigner signer) => signer.Sign(string.Create(
        CultureInfo.InvariantCulture, $"{Header}\n{origin}\n{FirstIndex}\n{Size}\n{Convert.ToBase64String(Root)}\n"));

    internal static bool TryVerify(
        string note, IReadOnlyList<NoteVerifierKey> keys, string origin,
        [NotNullWhen(true)] out RetentionStatement? statement, out string error)
    {
        statement = null;
        if (!SignedNote.TryParse(note, out SignedNote? signed, out error)) return false;
        string[] lines = signed.Text.Split('\n');
        byte[] root = new byte[TreeHash.Size];
        if (!keys.Any(key => key.Name == origin && signed.Check(key, out _) == NoteVerdict.Signed))
            error = "no trusted key of the log signed it";
        else if (lines.Length != 6 || lines[0] != Header || lines[1] != origin) error = "it is not a retention statement of this log";
        else if (!Convert.TryFromBase64String(lines[4], root, out int length) || length != root.Length) error = "its root is not a hash";
        else if (AuditCheckpoint.TryDecimal(lines[2], out ulong first) && AuditCheckpoint.TryDecimal(lines[3], out ulong size)
                 && first <= size && first % TilePath.Width == 0)
            statement = new RetentionStatement(first, size, root);
        else error = "its numbers do not fit together";
        return statement is not null;
    }
}
