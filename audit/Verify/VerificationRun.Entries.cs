namespace Talos.Audit;

sealed partial class VerificationRun
{
    // Roots of whole bundles: the tree from level 8 up, as the entries make it.
    EdgeTiles _upper = new();
    byte[] _root = [];
    // Bundles whose entries are not those that their tile records, and stored tiles that do not follow from the entries.
    readonly List<ulong> _suspectBundles = [];
    readonly List<ulong> _cutBundles = [];
    readonly List<(int Level, ulong Index)> _suspectTiles = [];
    bool _incomplete;
    // What is wrong with what the entries say. It counts where the entries are those that were recorded.
    readonly List<AuditFinding> _said = [];
    long _saidCount;

    void ReadEntries(RecordCourse course)
    {
        ulong firstBundle = _first / TilePath.Width, bundles = (_size + TilePath.Width - 1) / TilePath.Width;
        if (!LoadUpper(firstBundle)) return;
        int chunk = Math.Max(1, options.Threads) * 16;
        BundleCheck[] checks = new BundleCheck[chunk];
        BundleCheck? last = null;
        for (ulong start = firstBundle; start < bundles; start += (ulong)chunk)
        {
            int count = (int)Math.Min((ulong)chunk, bundles - start);
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, options.Threads) }, i =>
            {
                ulong index = start + (ulong)i;
                checks[i] = BundleCheck.Read(store, index, (int)Math.Min(TilePath.Width, _size - (index * TilePath.Width)));
            });
            for (int i = 0; i < count; i++) Consume(last = checks[i], course);
        }
        if (last is { Width: TilePath.Width }) last = null;
        _root = RootAt(_size, last);
        CompareEdge();
    }

    // The part of the tree that covers what retention removed comes from the stored tiles; the signed root vouches for it.
    bool LoadUpper(ulong firstBundle)
    {
        try
        {
            _upper = EdgeTiles.Load(firstBundle, (level, index, width) =>
            {
                int stored = AuditLog.PartialWidth(_size, level + 1);
                byte[]? tile = stored >= width && _size >> (TilePath.Height * (level + 2)) == index
                    ? store.TryReadHashes(level + 1, index, stored)
                    : null;
                tile ??= store.TryReadHashes(level + 1, index);
                return tile?[..(width * TreeHash.Size)] ?? throw new FileNotFoundException(TilePath.Hashes(level + 1, index));
            });
            return true;
        }
        catch (FileNotFoundException e)
        {
            Found(AuditDefect.TileAltered, _first, $"`{e.Message}`, which covers what retention removed, is missing");
            _incomplete = true;
            return false;
        }
    }

    void Consume(BundleCheck bundle, RecordCourse course)
    {
        ulong start = bundle.Index * TilePath.Width;
        if (!bundle.IsWhole) Cut(bundle, start);
        else if (!bundle.AgreesWithTile && _suspectBundles.Count < MaxFindings) _suspectBundles.Add(bundle.Index);
        if (bundle.Malformed is { } bad)
            Said(new(AuditDefect.EntryMalformed, start + (ulong)bad.Position, $"entry {start + (ulong)bad.Position} {bad.Error}"));
        for (int i = 0; i < bundle.Readable; i++)
            if (course.Next(start + (ulong)i, bundle.Facts[i]) is { } finding) Said(finding);
        foreach (KnownRoot known in _older.Where(k => k.Size > start && k.Size <= start + (ulong)bundle.Width && k.Size >= _first))
            if (known.Size - start <= (ulong)bundle.Readable) known.Found = RootAt(known.Size, bundle);
        if (bundle.Width != TilePath.Width) return;
        ReadOnlySpan<byte> root = bundle.IsWhole || bundle.Tile is null ? bundle.Root() : TreeHash.Perfect(bundle.Tile);
        _upper.Append(root, Compare);
    }

    void Said(AuditFinding finding)
    {
        _saidCount++;
        if (_said.Count < MaxFindings) _said.Add(finding);
    }

    void Cut(BundleCheck bundle, ulong start)
    {
        _incomplete = true;
        if (_cutBundles.Count < MaxFindings) _cutBundles.Add(bundle.Index);
        ulong index = start + (ulong)bundle.Readable, end = start + (ulong)bundle.Width - 1;
        if (bundle.Overlong) Found(AuditDefect.EntryAltered, end, $"the bundle of entries {start} to {end} goes on behind entry {end}");
        else if (bundle.Bytes.Length == 0)
            Found(AuditDefect.EntryMissing, start, $"entries {start} to {end} are missing", "the checkpoint covers them");
        else
            Found(
                AuditDefect.EntryMissing, index, $"entry {index} is cut off or missing, and those up to {end} with it",
                "the checkpoint covers them");
    }

    void Compare(int level, ulong index, ReadOnlySpan<byte> tile)
    {
        if (store.TryReadHashes(level + 1, index) is { } stored && tile.SequenceEqual(stored)) return;
        if (_suspectTiles.Count < MaxFindings) _suspectTiles.Add((level + 1, index));
    }

    void CompareEdge()
    {
        for (int level = 0; level < _upper.Levels; level++)
        {
            int width = _upper.WidthAt(level);
            ulong index = _upper.Size >> (TilePath.Height * (level + 1));
            if (width == 0) continue;
            byte[]? stored = store.TryReadHashes(level + 1, index, width)
                ?? store.TryReadHashes(level + 1, index)?[..(width * TreeHash.Size)];
            if (stored is null || !_upper.Hashes(level).SequenceEqual(stored)) _suspectTiles.Add((level + 1, index));
        }
    }

    // The root over the first `size` entries, when _upper holds the bundles before `open`.
    byte[] RootAt(ulong size, BundleCheck? open)
    {
        ulong split = open is null ? size : open.Index * TilePath.Width;
        if (open is not null && size - split == TilePath.Width)
        {
            EdgeTiles with = _upper.Copy();
            with.Append(open.Root(), static (_, _, _) => { });
            return with.Root();
        }
        return MerkleTree.Root(size, (level, index) =>
        {
            if (level >= TilePath.Height) return _upper.Node(level - TilePath.Height, index);
            int first = (int)((index << level) - split);
            return TreeHash.Perfect(open!.LeafHashes.AsSpan(first * TreeHash.Size, TreeHash.Size << level));
        });
    }
}
