namespace Talos.Audit;

// What one bundle of entries turned out to be. Made by any thread, read by the one that goes through them in order.
sealed class BundleCheck
{
    internal required ulong Index { get; init; }

    // Entries that the checkpoint has in this bundle.
    internal required int Width { get; init; }

    // Entries that could be read; fewer than Width when the bundle is missing, cut or too long.
    internal int Readable { get; private set; }

    internal bool Overlong { get; private set; }

    internal byte[] Bytes { get; private set; } = [];

    internal Range[] Ranges { get; } = new Range[TilePath.Width];

    internal byte[] LeafHashes { get; } = new byte[TilePath.Width * TreeHash.Size];

    internal EntryFacts[] Facts { get; } = new EntryFacts[TilePath.Width];

    // The first entry that is not canonical, and why.
    internal (int Position, string Error)? Malformed { get; private set; }

    // The stored level-0 tile; null when missing.
    internal byte[]? Tile { get; private set; }

    internal bool IsWhole => Readable == Width && !Overlong;

    internal ReadOnlySpan<byte> Leaf(int position) => LeafHashes.AsSpan(position * TreeHash.Size, TreeHash.Size);

    internal bool AgreesWithTile => Tile is not null && LeafHashes.AsSpan(0, Width * TreeHash.Size).SequenceEqual(Tile);

    internal byte[] Root() => TreeHash.Perfect(LeafHashes);

    internal static BundleCheck Read(TileStore store, ulong index, int width)
    {
        BundleCheck check = new() { Index = index, Width = width };
        byte[]? partial = store.TryRead(TilePath.Entries(index, width));
        check.Bytes = partial ?? (width == TilePath.Width ? null : store.TryRead(TilePath.Entries(index))) ?? [];
        check.Tile = store.TryReadHashes(0, index, width)
            ?? (width == TilePath.Width ? null : store.TryReadHashes(0, index)?[..(width * TreeHash.Size)]);

        ReadOnlySpan<byte> rest = check.Bytes;
        int position = 0;
        for (; position < width && EntryBundle.TryNext(ref rest, out ReadOnlySpan<byte> entry); position++)
        {
            int end = check.Bytes.Length - rest.Length;
            check.Ranges[position] = (end - entry.Length)..end;
            if (CanonicalEntry.Check(entry, out check.Facts[position]) is { } error) check.Malformed ??= (position, error);
        }
        TreeHash.Leaves(check.Bytes, check.Ranges.AsSpan(0, position), check.LeafHashes);
        check.Readable = position;
        check.Overlong = position == width && !rest.IsEmpty;
        return check;
    }
}
