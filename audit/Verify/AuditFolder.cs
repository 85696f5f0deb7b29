using System.Buffers.Binary;
using System.Text;

namespace Talos.Audit;

/// <summary>
/// Writes a record into a folder in the form of tlog-tiles, out of the entries that a node hands out and the checkpoint that covers them. What
/// is written proves nothing by itself: <see cref="AuditVerifier.Verify"/> the folder.
/// </summary>
public sealed class AuditFolder
{
    readonly TileStore _store;
    readonly EdgeTiles _edge = new();
    byte[] _bundle = new byte[64 * 1024];
    int _bundleBytes;

    /// <summary>Starts an export into <paramref name="directory"/>, which is made and must be empty.</summary>
    public AuditFolder(string directory)
        : this(new TileStore(Path.GetFullPath(directory)))
    {
        Directory.CreateDirectory(directory);
        if (Directory.EnumerateFileSystemEntries(directory).Any()) throw new IOException($"`{directory}` is not empty");
    }

    internal AuditFolder(TileStore store) => _store = store;

    /// <summary>Number of entries so far, which is the index of the next one.</summary>
    public ulong Size => _edge.Size;

    /// <summary>Adds the next entry. LIMIT: 64 KiB an entry.</summary>
    public void Append(ReadOnlySpan<byte> raw)
    {
        if (raw.Length > ushort.MaxValue) throw new ArgumentException("an entry has at most 65,535 bytes", nameof(raw));
        int end = _bundleBytes + 2 + raw.Length;
        if (end > _bundle.Length) Array.Resize(ref _bundle, Math.Max(end, _bundle.Length * 2));
        BinaryPrimitives.WriteUInt16BigEndian(_bundle.AsSpan(_bundleBytes), (ushort)raw.Length);
        raw.CopyTo(_bundle.AsSpan(_bundleBytes + 2));
        _bundleBytes = end;
        if (_edge.Size % TilePath.Width == TilePath.Width - 1)
        {
            _store.Write(TilePath.Entries(_edge.Size / TilePath.Width), _bundle.AsSpan(0, _bundleBytes));
            _bundleBytes = 0;
        }
        _edge.Append(TreeHash.Leaf(raw), (level, index, tile) => _store.Write(TilePath.Hashes(level, index), tile));
    }

    /// <summary>Writes what is not full yet, and the checkpoint, which has to cover exactly the entries that were added.</summary>
    public void Finish(string checkpointNote)
    {
        if (_edge.WidthAt(0) is int open and not 0)
            _store.Write(TilePath.Entries(_edge.Size / TilePath.Width, open), _bundle.AsSpan(0, _bundleBytes));
        for (int level = 0; level < _edge.Levels; level++)
        {
            int width = _edge.WidthAt(level);
            if (width != 0) _store.Write(TilePath.Hashes(level, _edge.Size >> (TilePath.Height * (level + 1)), width), _edge.Hashes(level));
        }
        _store.Write(TilePath.Checkpoint, Encoding.UTF8.GetBytes(checkpointNote));
    }

    internal byte[] Root() => _edge.Root();
}
