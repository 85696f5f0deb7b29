using System.Text;

namespace Talos.Audit;

sealed partial class VerificationRun
{
    // Says which entry is bad, as exactly as what is left of the tree allows.
    void Judge()
    {
        if (_root.AsSpan().SequenceEqual(_checkpoint!.Root))
        {
            // The signed root vouches for every entry; what disagrees is a tile.
            foreach (ulong bundle in _suspectBundles) TileAltered(0, bundle);
            foreach ((int level, ulong index) in _suspectTiles) TileAltered(level, index);
            // It was reached with the recorded hashes in place of the entries that are missing, so it vouches for those hashes too.
            foreach (ulong index in _cutBundles)
                if (store.TryReadHashes(0, index) is { } hashes) Explain(BundleCheck.Read(store, index, TilePath.Width), hashes);
            return;
        }
        StoredTree stored = new(store, _size, _checkpoint.Root.ToArray());
        bool named = _incomplete;
        ulong bundles = (_size + TilePath.Width - 1) / TilePath.Width;
        for (ulong index = _first / TilePath.Width; index < bundles && _findingCount < MaxFindings; index++)
        {
            if (!stored.IsAnchored && !_suspectBundles.Contains(index) && !_cutBundles.Contains(index)) continue;
            BundleCheck bundle = BundleCheck.Read(store, index, (int)Math.Min(TilePath.Width, _size - (index * TilePath.Width)));
            byte[]? recorded = stored.LeafHashes(index);
            if (recorded is not null ? Explain(bundle, recorded) : Unexplained(bundle, stored.BundleRoot(index))) named = true;
        }
        if (named) return;
        (ulong good, ulong bad) = Bracket();
        Found(AuditDefect.RootMismatch, good != _first || bad != _size ? good : null,
            $"the entries do not make the root that was signed: an entry from {good} to {bad - 1} is not what was recorded",
            "the stored tree was rebuilt with it; a witness's checkpoint narrows the place down");
    }

    // Behind a bad entry the others are out of step: what they say is then no finding of its own.
    void JudgeSaid()
    {
        ulong? bad = _findings.Where(static f => f.Defect != AuditDefect.TileAltered).Min(static f => f.Index);
        bool rootStands = !_incomplete && _root.AsSpan().SequenceEqual(_checkpoint!.Root);
        if (rootStands) _findingCount += _saidCount - _said.Count;
        foreach (AuditFinding finding in _said)
            if (rootStands || bad is null || finding.Index < bad) Found(finding);
    }

    void TileAltered(int level, ulong index)
    {
        ulong first = index << (TilePath.Height * (level + 1));
        Found(
            AuditDefect.TileAltered, first,
            $"the stored hashes `{TilePath.Hashes(level, index)}` do not belong to the entries, which are intact",
            "the tile can be made again from the entries");
    }

    // The recorded hashes are anchored in the signed root, so each entry can be told from its neighbours.
    bool Explain(BundleCheck bundle, byte[] recorded)
    {
        ulong start = bundle.Index * TilePath.Width;
        for (int i = 0; i < bundle.Readable; i++)
        {
            ReadOnlySpan<byte> actual = bundle.Leaf(i);
            if (actual.SequenceEqual(recorded.AsSpan(i * TreeHash.Size, TreeHash.Size))) continue;
            ulong index = start + (ulong)i;
            int elsewhere = Find(recorded, actual);
            if (Foreign(bundle, i) is { } node)
                Found(AuditDefect.EntryForeign, index, $"entry {index} comes from the record of node `{node}`");
            else if (elsewhere >= 0 && elsewhere < i)
                Found(
                    AuditDefect.EntryDuplicated, index,
                    $"a copy of entry {start + (ulong)elsewhere} stands where entry {index} was recorded");
            else if (elsewhere >= 0)
                Found(AuditDefect.EntryMoved, index, $"entry {start + (ulong)elsewhere} stands where entry {index} was recorded");
            else
                Found(AuditDefect.EntryAltered, index, $"entry {index} is not what was recorded");
            return true;
        }
        return false;
    }

    bool Unexplained(BundleCheck bundle, byte[]? root)
    {
        if (root is null || bundle.Readable != TilePath.Width || bundle.Root().AsSpan().SequenceEqual(root)) return false;
        ulong start = bundle.Index * TilePath.Width;
        if (Foreign(bundle, 0) is { } node)
            Found(
                AuditDefect.EntryForeign, start, $"entries {start} to {start + TilePath.Width - 1} come from the record of node `{node}`");
        else
            Found(
                AuditDefect.EntryAltered, start, $"an entry from {start} to {start + TilePath.Width - 1} is not what was recorded",
                "its hash was altered with it");
        return true;
    }

    string? _node;

    // The node of an entry that is not the node of the log. One such entry alone is an altered one; a segment of another log has more.
    string? Foreign(BundleCheck bundle, int position)
    {
        _node ??= NodeOfLog();
        string? node = NodeAt(bundle, position);
        if (node is null || node == _node || _node.Length == 0) return null;
        for (int i = 0; i < bundle.Readable; i++)
            if (i != position && NodeAt(bundle, i) == node) return node;
        return null;
    }

    static string? NodeAt(BundleCheck bundle, int position) =>
        AuditRecord.TryParse(0, bundle.Bytes.AsMemory(bundle.Ranges[position]), out AuditRecord? record, out _) ? record.Entry.Node : null;

    // Most of the record belongs to its node, whatever happened to a part of it.
    string NodeOfLog()
    {
        Dictionary<string, int> votes = [];
        ulong bundles = (_size + TilePath.Width - 1) / TilePath.Width, first = _first / TilePath.Width;
        ulong step = Math.Max(1, (bundles - first) / 64);
        for (ulong index = first; index < bundles; index += step)
        {
            BundleCheck bundle = BundleCheck.Read(store, index, (int)Math.Min(TilePath.Width, _size - (index * TilePath.Width)));
            for (int i = 0; i < bundle.Readable; i += 16)
                if (NodeAt(bundle, i) is { } node) votes[node] = votes.GetValueOrDefault(node) + 1;
        }
        return votes.Count == 0 ? "" : votes.MaxBy(static v => v.Value).Key;
    }

    static int Find(byte[] hashes, ReadOnlySpan<byte> hash)
    {
        for (int i = 0; i < hashes.Length / TreeHash.Size; i++)
            if (hash.SequenceEqual(hashes.AsSpan(i * TreeHash.Size, TreeHash.Size))) return i;
        return -1;
    }

    // Between which older checkpoints the first bad entry lies.
    (ulong Good, ulong Bad) Bracket()
    {
        ulong good = _first, bad = _size;
        foreach (KnownRoot known in _older.Where(static k => k.Found is not null).OrderBy(static k => k.Size))
        {
            if (known.Agrees) good = known.Size;
            else return (good, Math.Min(bad, known.Size));
        }
        return (good, bad);
    }
}
