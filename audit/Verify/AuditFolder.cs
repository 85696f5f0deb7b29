namespace Talos.Audit;

/// <summary>
/// A copy of a record, made of the files that a node hands out (<see cref="AuditLog.Files"/>). What is written proves nothing by itself:
/// <see cref="AuditVerifier.Verify"/> the folder.
/// </summary>
public sealed class AuditFolder
{
    readonly TileStore _store;

    /// <summary>Starts a copy in <paramref name="directory"/>, which is made and must be empty.</summary>
    public AuditFolder(string directory)
    {
        _store = new TileStore(Path.GetFullPath(directory));
        Directory.CreateDirectory(directory);
        if (Directory.EnumerateFileSystemEntries(directory).Any()) throw new IOException($"`{directory}` is not empty");
    }

    /// <summary>Can a log have a file of this name? Whatever else a node sends must not be written.</summary>
    public static bool IsFile(string path) =>
        path is TilePath.Checkpoint or VerificationRun.WitnessedCheckpoint or RetentionStatement.FileName || TilePath.IsPath(path);

    /// <summary>Writes one file. Throws <see cref="ArgumentException"/> when a log has no file of that name.</summary>
    public void Put(AuditFile file)
    {
        if (!IsFile(file.Path)) throw new ArgumentException($"a record has no file `{file.Path}`", nameof(file));
        _store.Write(file.Path, file.Data.Span);
    }
}
