using System.Buffers.Binary;
using System.Text;

namespace Talos.Audit.Tests;

// Makes the files of a log out of entries, with nothing that looks at what they say.
sealed class TreeBuilder(TileStore store)
{
    readonly EdgeTiles _edge = new();
    byte[] _bundle = new byte[64 * 1024];
    int _bundleBytes;

    public void Append(ReadOnlySpan<byte> raw)
    {
        int end = _bundleBytes + 2 + raw.Length;
        if (end > _bundle.Length) Array.Resize(ref _bundle, Math.Max(end, _bundle.Length * 2));
        BinaryPrimitives.WriteUInt16BigEndian(_bundle.AsSpan(_bundleBytes), (ushort)raw.Length);
        raw.CopyTo(_bundle.AsSpan(_bundleBytes + 2));
        _bundleBytes = end;
        if (_edge.Size % TilePath.Width == TilePath.Width - 1)
        {
            store.Write(TilePath.Entries(_edge.Size / TilePath.Width), _bundle.AsSpan(0, _bundleBytes));
            _bundleBytes = 0;
        }
        _edge.Append(TreeHash.Leaf(raw), (level, index, tile) => store.Write(TilePath.Hashes(level, index), tile));
    }

    public void Finish(string checkpointNote)
    {
        if (_edge.WidthAt(0) is int open and not 0)
            store.Write(TilePath.Entries(_edge.Size / TilePath.Width, open), _bundle.AsSpan(0, _bundleBytes));
        for (int level = 0; level < _edge.Levels; level++)
        {
            int width = _edge.WidthAt(level);
            if (width != 0) store.Write(TilePath.Hashes(level, _edge.Size >> (TilePath.Height * (level + 1)), width), _edge.Hashes(level));
        }
        store.Write(TilePath.Checkpoint, Encoding.UTF8.GetBytes(checkpointNote));
    }

    public byte[] Root() => _edge.Root();
}
