namespace Talos.Audit;

// The right edge of the tree: at each tile level the hashes of the tile that is not yet full. All that appending needs to remember.
sealed class EdgeTiles
{
    readonly List<byte[]> _hashes = [];
    readonly List<int> _widths = [];

    internal ulong Size { get; private set; }

    internal int Levels => _hashes.Count;

    internal ReadOnlySpan<byte> Hashes(int level) => _hashes[level].AsSpan(0, _widths[level] * TreeHash.Size);

    internal int WidthAt(int level) => level < _widths.Count ? _widths[level] : 0;

    // `full` is called with each tile that the leaf completes: level, index, 256 hashes.
    internal void Append(ReadOnlySpan<byte> leafHash, Action<int, ulong, ReadOnlySpan<byte>> full)
    {
        Size++;
        Span<byte> carry = stackalloc byte[TreeHash.Size];
        leafHash.CopyTo(carry);
        for (int level = 0; ; level++)
        {
            if (level == _hashes.Count)
            {
                _hashes.Add(new byte[TilePath.Width * TreeHash.Size]);
                _widths.Add(0);
            }
            carry.CopyTo(_hashes[level].AsSpan(_widths[level] * TreeHash.Size));
            if (++_widths[level] < TilePath.Width) return;

            full(level, (Size >> (TilePath.Height * (level + 1))) - 1, _hashes[level]);
            TreeHash.Perfect(_hashes[level]).CopyTo(carry);
            _widths[level] = 0;
        }
    }

    // Sets the edge of a tree of `size` leaves; `read` gives the hashes of each partial tile.
    internal static EdgeTiles Load(ulong size, Func<int, ulong, int, byte[]> read)
    {
        EdgeTiles edge = new() { Size = size };
        for (int level = 0; size >> (TilePath.Height * level) != 0; level++)
        {
            ulong count = size >> (TilePath.Height * level);
            int width = (int)(count % TilePath.Width);
            byte[] hashes = new byte[TilePath.Width * TreeHash.Size];
            if (width != 0) read(level, count / TilePath.Width, width).CopyTo(hashes, 0);
            edge._hashes.Add(hashes);
            edge._widths.Add(width);
        }
        return edge;
    }

    internal EdgeTiles Copy()
    {
        EdgeTiles copy = new() { Size = Size };
        for (int level = 0; level < Levels; level++)
        {
            copy._hashes.Add((byte[])_hashes[level].Clone());
            copy._widths.Add(_widths[level]);
        }
        return copy;
    }

    internal byte[] Root() => MerkleTree.Root(Size, Node);

    // A node on the right edge: one of the perfect subtrees that the current size falls into.
    internal byte[] Node(int level, ulong index)
    {
        int tileLevel = level / TilePath.Height, shift = level % TilePath.Height;
        int first = (int)((index << shift) % TilePath.Width);
        return TreeHash.Perfect(_hashes[tileLevel].AsSpan(first * TreeHash.Size, TreeHash.Size << shift));
    }
}
