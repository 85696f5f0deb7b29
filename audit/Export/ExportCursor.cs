using System.Globalization;
using System.Text;

namespace Talos.Audit;

/// <summary>How far an exporter has got: the index of the next entry, in a file that survives a crash whole.</summary>
public sealed class ExportCursor
{
    readonly TileStore _store;
    readonly string _name;

    /// <summary>
    /// Opens the cursor, at <paramref name="start"/> when there is none yet. Throws <see cref="InvalidDataException"/> when the file is no
    /// cursor.
    /// </summary>
    public ExportCursor(string path, ulong start = 0)
    {
        string full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        _store = new TileStore(Path.GetDirectoryName(full)!);
        _name = Path.GetFileName(full);
        Next = start;
        if (_store.TryRead(_name) is not { } bytes) return;
        if (!ulong.TryParse(Encoding.ASCII.GetString(bytes).TrimEnd('\n'), NumberStyles.None, CultureInfo.InvariantCulture, out ulong next))
            throw new InvalidDataException($"`{path}` is not an export cursor");
        Next = next;
    }

    /// <summary>Index of the first entry that was not delivered yet.</summary>
    public ulong Next { get; private set; }

    /// <summary>Moves the cursor; on disk when the call returns.</summary>
    public void Save(ulong next)
    {
        _store.Replace(_name, Encoding.ASCII.GetBytes(next.ToString(CultureInfo.InvariantCulture) + "\n"));
        Next = next;
    }
}
