using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Talos.Audit;

// One signature line: the key that claims to have made it, and its bytes.
sealed record NoteSignature(string Name, uint KeyId, byte[] Bytes, string Line);

// C2SP signed-note: text, an empty line, signature lines. Parsing says nothing about who signed.
sealed class SignedNote
{
    // LIMIT: 64 KiB and 64 signatures; a checkpoint with sixteen witnesses takes under 4 KiB.
    internal const int MaxBytes = 64 * 1024;
    const int MaxSignatures = 64;
    const string Dash = "\u2014 ";

    SignedNote(string text, IReadOnlyList<NoteSignature> signatures)
    {
        Text = text;
        Signatures = signatures;
    }

    internal string Text { get; }

    internal IReadOnlyList<NoteSignature> Signatures { get; }

    internal static bool TryParse(string note, [NotNullWhen(true)] out SignedNote? parsed, out string error)
    {
        parsed = null;
        error = "";
        if (note.Length > MaxBytes) error = "the note is larger than 64 KiB";
        else if (note.Any(static c => c < ' ' && c != '\n')) error = "the note has control characters";
        else if (!note.EndsWith('\n')) error = "the note does not end with a newline";
        if (error.Length != 0) return false;

        int split = note.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (split < 0)
        {
            error = "the note has no empty line before its signatures";
            return false;
        }
        List<NoteSignature> signatures = [];
        foreach (string line in note[(split + 2)..].Split('\n')[..^1])
        {
            if (signatures.Count == MaxSignatures) error = "the note has more than 64 signatures";
            else if (!TrySignature(line, out NoteSignature? signature)) error = $"`{Shortened(line)}` is not a signature line";
            else signatures.Add(signature);
            if (error.Length != 0) return false;
        }
        if (signatures.Count == 0)
        {
            error = "the note has no signature";
            return false;
        }
        parsed = new SignedNote(note[..(split + 1)], signatures);
        return true;
    }

    // True when this key signed the text. A second line by the same key that does not verify spoils the note.
    internal NoteVerdict Check(NoteVerifierKey key, out DateTimeOffset? time)
    {
        time = null;
        byte[] text = Encoding.UTF8.GetBytes(Text);
        NoteVerdict verdict = NoteVerdict.NotSigned;
        foreach (NoteSignature signature in Signatures)
        {
            if (signature.KeyId != key.Id || signature.Name != key.Name) continue;
            if (!key.Signed(text, signature.Bytes, out DateTimeOffset? signed)) return NoteVerdict.BadSignature;
            verdict = NoteVerdict.Signed;
            time = signed;
        }
        return verdict;
    }

    internal static bool TrySignature(string line, [NotNullWhen(true)] out NoteSignature? signature)
    {
        signature = null;
        if (!line.StartsWith(Dash, StringComparison.Ordinal)) return false;
        string[] parts = line[Dash.Length..].Split(' ');
        if (parts.Length != 2 || !NoteVerifierKey.IsName(parts[0])) return false;
        byte[] bytes = new byte[parts[1].Length];
        if (!Convert.TryFromBase64String(parts[1], bytes, out int length) || length < 5) return false;
        // One signature has one spelling: bits that base64 does not use are zero.
        if (Convert.ToBase64String(bytes, 0, length) != parts[1]) return false;
        signature = new NoteSignature(parts[0], BinaryPrimitives.ReadUInt32BigEndian(bytes), bytes[4..length], line);
        return true;
    }

    static string Shortened(string line) => line.Length <= 60 ? line : line[..60] + "…";
}

enum NoteVerdict
{
    NotSigned,
    BadSignature,
    Signed,
}
