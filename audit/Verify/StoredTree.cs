namespace Talos.Audit;

// The tree as the tile files have it, trusted from the signed root downwards.
sealed class StoredTree
{
    readonly TileStore _store;
    readonly ulong _size;
    readonly Dictionary<(int Level, ulong Index), byte[]> _edge = [];
    readonly Dictionary<(int Level, ulong Index), byte[]?> _tiles = [];

    internal StoredTree(TileStore store, ulong size, byte[] root)
    {
        _store = store;
        _size = size;
        IsAnchored = Anchor(root);
    }

    // The partial tiles of the right edge make the signed root; full tiles are trusted when their parent's hash is theirs.
    internal bool IsAnchored { get; }

    bool Anchor(byte[] root)
    {
        try
        {
            EdgeTiles edge = EdgeTiles.Load(_size, (level, index, width) =>
            {
                byte[] tile = _store.TryReadHashes(level, index, width) ?? _store.TryReadHashes(level, index)?[..(width * TreeHash.Size)]
                    ?? throw new FileNotFoundException();
                _edge[(level, index)] = tile;
                return tile;
            });
            if (edge.Root().AsSpan().SequenceEqual(root)) return true;
        }
        catch (FileNotFoundException)
        {
            // A part of the edge is missing: nothing can be anchored.
        }
        _edge.Clear();
        return false;
    }

    // The recorded hashes of a bundle's entries, when they are anchored.
    internal byte[]? LeafHashes(ulong bundle) => IsAnchored ? Tile(0, bundle) : _store.TryReadHashes(0, bundle, Width(0, bundle));

    // The anchored root of a whole bundle.
    internal byte[]? BundleRoot(ulong bundle)
    {
        if (!IsAnchored || Tile(1, bundle / TilePath.Width) is not { } parent) return null;
        int offset = (int)(bundle % TilePath.Width) * TreeHash.Size;
        return offset < parent.Length ? parent[offset..(offset + TreeHash.Size)] : null;
    }

    int Width(int level, ulong index)
    {
        ulong count = _size >> (TilePath.Height * level);
        return count / TilePath.Width == index ? (int)(count % TilePath.Width) : TilePath.Width;
    }

    byte[]? Tile(int level, ulong index)
    {
        if (_edge.TryGetValue((level, index), out byte[]? known) || _tiles.TryGetValue((level, index), out known)) return known;
        byte[]? tile = _store.TryReadHashes(level, index);
        byte[]? parent = tile is null ? null : Tile(level + 1, index / TilePath.Width);
        int offset = (int)(index % TilePath.Width) * TreeHash.Size;
        bool anchored = parent is not null && offset < parent.Length
            && TreeHash.Perfect(tile).AsSpan().SequenceEqual(parent.AsSpan(offset, TreeHash.Size));
        // LIMIT: 4,096 tiles remembered, 32 MiB.
        if (_tiles.Count >= 4096) _tiles.Clear();
        return _tiles[(level, index)] = anchored ? tile : null;
    }
}
