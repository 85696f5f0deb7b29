using System.Text;
using Talos.Audit;
using Talos.Osctl.Contexts;

namespace Talos.Osctl.Records;

/// <summary>
/// What this person saw of a node's record before: its key and its newest verified checkpoint. A node that later shows another key, a shorter
/// record or another past is found out, even if everything it shows now fits together.
/// </summary>
sealed class SeenRecord(string folder)
{
    string KeyPath => Path.Combine(folder, "verifier-key");

    string CheckpointPath => Path.Combine(folder, "checkpoint");

    public static SeenRecord Of(Invocation invocation, string context, string node) =>
        new(Path.Combine(Path.GetDirectoryName(invocation.File.Path)!, "records", FileName(context), FileName(node)));

    public string? Key => File.Exists(KeyPath) ? File.ReadAllText(KeyPath).Trim() : null;

    public IReadOnlyList<string> Checkpoints => File.Exists(CheckpointPath) ? [File.ReadAllText(CheckpointPath)] : [];

    public void Remember(NoteVerifierKey key, AuditCheckpoint checkpoint)
    {
        ContextFile.WritePrivate(KeyPath, key + "\n");
        ContextFile.WritePrivate(CheckpointPath, checkpoint.Note);
    }

    public void Forget()
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    // Names may be addresses; only what is safe in a path stays as it is.
    static string FileName(string name)
    {
        var safe = new StringBuilder();
        foreach (var c in name) safe.Append(char.IsAsciiLetterOrDigit(c) || c == '-' || c == '.' && safe.Length > 0 ? c : '_');
        return safe.ToString();
    }
}
