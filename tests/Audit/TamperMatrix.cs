using System.Globalization;
using System.Text;

namespace Talos.Audit.Tests;

// Every way of tampering, with what the verification has to say of it. One number makes one case, so that a failing one can be run again.
sealed class TamperMatrix
{
    const int Width = 256;

    readonly Ed25519CheckpointSigner _signer = Ed25519CheckpointSigner.FromSeed("node-1.example/audit", Seed(1));
    readonly Ed25519CheckpointSigner _stranger = Ed25519CheckpointSigner.FromSeed("node-1.example/audit", Seed(2));
    readonly List<(MemoryRecord Record, MemoryRecord Older, MemoryRecord Foreign)> _bases = [];

    static byte[] Seed(byte value) => [.. Enumerable.Repeat(value, 32)];

    public TamperMatrix()
    {
        foreach (int size in (int[])[3, 257, 300, 513, 700])
        {
            List<byte[]> entries = MemoryRecord.Calls(size, "node-1");
            _bases.Add((
                MemoryRecord.Sign(entries, _signer),
                MemoryRecord.Sign(entries[..(size / 2)], _signer),
                MemoryRecord.Sign(MemoryRecord.Calls(size, "node-2"), _signer)));
        }
        foreach ((MemoryRecord record, _, _) in _bases)
            if (record.Verify(_signer.Key).Verdict != AuditVerdict.Verified) throw new InvalidOperationException("the untouched record does not verify");
    }

    public static IReadOnlyList<string> Names { get; } = [.. Ways().Select(static w => w.Name), CutMidWrite];

    static List<(string Name, Func<TamperMatrix, Attack, Expected?> Do)> Ways() =>
    [
        ("edit a bit of an entry", static (m, a) => m.EditBit(a)),
        ("edit an entry and its hash", static (m, a) => m.EditWithHash(a)),
        ("edit an entry and rebuild the tree", static (m, a) => m.EditAndRebuild(a)),
        ("delete an entry", static (m, a) => m.DeleteEntry(a)),
        ("delete a file", static (m, a) => m.DeleteFile(a)),
        ("truncate a file", static (m, a) => m.TruncateFile(a)),
        ("reorder two entries", static (m, a) => m.Reorder(a)),
        ("duplicate an entry", static (m, a) => m.Duplicate(a)),
        ("insert an entry", static (m, a) => m.Insert(a)),
        ("edit a tile", static (m, a) => m.EditTile(a)),
        ("roll back to an older copy", static (m, a) => m.RollBack(a)),
        ("fork and sign again", static (m, a) => m.Fork(a)),
        ("swap a segment with another node's", static (m, a) => m.SwapSegment(a)),
        ("re-sign with another key", static (m, a) => m.ReSign(a)),
        ("edit the checkpoint", static (m, a) => m.EditCheckpoint(a)),
        ("set the clock and sign again", static (m, a) => m.MoveClock(a)),
        ("close a call that was not opened, and sign again", static (m, a) => m.CloseWrongly(a)),
    ];

    const string CutMidWrite = "cut or alter a write of the journal";

    static readonly List<(string Name, Func<TamperMatrix, Attack, Expected?> Do)> s_ways = Ways();

    // Null when the case was found and named as it should; else what went wrong.
    public string? Run(int number)
    {
        Random random = new(number);
        // It is found when the log is opened, before there is anything to verify.
        if (number % Names.Count == s_ways.Count) return JournalImage.CutOrAlter(random) is { } what ? $"case {number}, {CutMidWrite}: {what}" : null;
        (string name, Func<TamperMatrix, Attack, Expected?> way) = s_ways[number % Names.Count];
        (MemoryRecord record, MemoryRecord older, MemoryRecord foreign) = _bases[random.Next(_bases.Count)];
        Attack attack = new(random, record, older, foreign, record.Files.Copy());
        if (way(this, attack) is not { } expected) return null;
        AuditVerification result = MemoryRecord.Verify(attack.Files, _signer.Key, [.. expected.Known]);
        string? wrong = expected.WrongIn(result);
        return wrong is null ? null : $"case {number}, {name}, {record.Entries.Count} entries: {wrong}; found: {Describe(result)}";
    }

    static string Describe(AuditVerification result) =>
        $"{result.Verdict}, first bad {result.FirstBadIndex?.ToString(CultureInfo.InvariantCulture) ?? "-"}: "
        + string.Join("; ", result.Findings.Take(4).Select(static f => $"{f.Defect} {f.Message}"));

    sealed record Attack(Random Random, MemoryRecord Record, MemoryRecord Older, MemoryRecord Foreign, MemoryFiles Files)
    {
        public int Size => Record.Entries.Count;

        public int AnyEntry() => Random.Next(Size);

        public string BundleOf(int index) => TilePath.Entries((ulong)(index / Width), WidthOf(index));

        public string TileOf(int index) => TilePath.Hashes(0, (ulong)(index / Width), WidthOf(index));

        int WidthOf(int index) => Math.Min(Width, Size - (index / Width * Width));

        public List<byte[]> EntriesOf(int index) => Record.Entries.GetRange(index / Width * Width, WidthOf(index));
    }

    // Where the first bad entry is (null: anywhere or nowhere), how exactly, and under which names.
    sealed record Expected(int? Index, int Slack, AuditDefect[] Defects)
    {
        public string[] Known { get; init; } = [];

        public string? WrongIn(AuditVerification result)
        {
            if (result.Verdict != AuditVerdict.Failed) return "the tampering was not found";
            if (result.Findings.Any(static f => f.Message.Length == 0)) return "a finding says nothing";
            AuditFinding first = result.Findings[0];
            if (!result.Findings.Any(f => Defects.Contains(f.Defect))) return $"named {first.Defect}, not {string.Join(" or ", Defects)}";
            if (Index is not { } index) return null;
            if (result.FirstBadIndex is not { } found) return $"no index, expected {index}";
            return found <= (ulong)index && found + (ulong)Slack >= (ulong)index ? null : $"index {found}, expected {index}";
        }
    }

    Expected? EditBit(Attack a)
    {
        int index = a.AnyEntry();
        byte[] bundle = [.. a.Files.Files[a.BundleOf(index)]];
        int at = a.Random.Next(bundle.Length);
        bundle[at] ^= (byte)(1 << a.Random.Next(8));
        a.Files.Files[a.BundleOf(index)] = bundle;
        int entry = index / Width * Width;
        for (int offset = 0; ; entry++)
        {
            offset += 2 + a.Record.Entries[entry].Length;
            if (at < offset) break;
        }
        // A checkpoint that is known besides must not blur what can be said exactly.
        return new Expected(entry, 0, [AuditDefect.EntryAltered, AuditDefect.EntryMissing]) { Known = a.Random.Next(2) == 0 ? [a.Older.Note] : [] };
    }

    Expected? EditWithHash(Attack a)
    {
        int index = a.AnyEntry();
        List<byte[]> entries = a.EntriesOf(index);
        entries[index % Width] = MemoryRecord.Alter(entries[index % Width], static e => e.Caller.Name = "nobody");
        a.Files.Files[a.BundleOf(index)] = MemoryRecord.Bundle(entries);
        a.Files.Files[a.TileOf(index)] = [.. entries.SelectMany(static e => TreeHash.Leaf(e))];
        // In the open bundle the altered hash is part of what the root is made of: no place is left to tell it by.
        bool open = a.TileOf(index).Contains(".p/", StringComparison.Ordinal);
        return open
            ? new Expected(null, 0, [AuditDefect.RootMismatch, AuditDefect.EntryAltered])
            : new Expected(index, index % Width, [AuditDefect.EntryAltered]);
    }

    Expected? EditAndRebuild(Attack a)
    {
        int index = a.AnyEntry();
        List<byte[]> entries = [.. a.Record.Entries];
        entries[index] = MemoryRecord.Alter(entries[index], static e => e.Caller.Name = "nobody");
        Replace(a, MemoryRecord.Sign(entries, _signer));
        a.Files.Files[TilePath.Checkpoint] = MemoryRecord.Text(a.Record.Note);
        // An older checkpoint that someone kept narrows it down to its side.
        bool keep = a.Random.Next(2) == 0;
        int half = a.Older.Entries.Count;
        return keep
            ? new Expected(index, index < half ? half : a.Size, [AuditDefect.RootMismatch, AuditDefect.Forked]) { Known = [a.Older.Note] }
            : new Expected(null, 0, [AuditDefect.RootMismatch]);
    }

    Expected? DeleteEntry(Attack a)
    {
        int index = a.AnyEntry();
        List<byte[]> entries = a.EntriesOf(index);
        entries.RemoveAt(index % Width);
        a.Files.Files[a.BundleOf(index)] = MemoryRecord.Bundle(entries);
        return new Expected(index, 0, [AuditDefect.EntryMoved, AuditDefect.EntryMissing]);
    }

    Expected? DeleteFile(Attack a)
    {
        string[] names = [.. a.Files.Files.Keys.Order(StringComparer.Ordinal)];
        string name = names[a.Random.Next(names.Length)];
        a.Files.Files.Remove(name);
        return Lost(a, name, 0);
    }

    static Expected Lost(Attack a, string name, int position)
    {
        if (name == TilePath.Checkpoint) return new Expected(null, 0, [AuditDefect.CheckpointUnreadable, AuditDefect.CheckpointForged]);
        if (!name.StartsWith("tile/entries/", StringComparison.Ordinal)) return new Expected(null, 0, [AuditDefect.TileAltered]);
        for (int index = 0; ; index += Width)
        {
            if (a.BundleOf(index) != name) continue;
            int entry = index;
            for (int offset = 0; position != 0; entry++)
            {
                offset += 2 + a.Record.Entries[entry].Length;
                if (position < offset) break;
            }
            return new Expected(entry, 0, [AuditDefect.EntryMissing]);
        }
    }

    Expected? TruncateFile(Attack a)
    {
        string[] names = [.. a.Files.Files.Keys.Order(StringComparer.Ordinal)];
        string name = names[a.Random.Next(names.Length)];
        int length = a.Random.Next(a.Files.Files[name].Length);
        a.Files.Files[name] = a.Files.Files[name][..length];
        return Lost(a, name, length);
    }

    Expected? Reorder(Attack a)
    {
        int i = a.AnyEntry(), j = a.AnyEntry();
        if (i == j) return null;
        List<byte[]> entries = [.. a.Record.Entries];
        (entries[i], entries[j]) = (entries[j], entries[i]);
        foreach (int index in (int[])[i, j])
            a.Files.Files[a.BundleOf(index)] = MemoryRecord.Bundle(entries.GetRange(index / Width * Width, a.EntriesOf(index).Count));
        return new Expected(Math.Min(i, j), 0, i / Width == j / Width ? [AuditDefect.EntryMoved] : [AuditDefect.EntryAltered]);
    }

    Expected? Duplicate(Attack a)
    {
        int from = a.AnyEntry(), to = a.AnyEntry();
        if (from / Width != to / Width || from == to) return null;
        List<byte[]> entries = a.EntriesOf(to);
        entries[to % Width] = a.Record.Entries[from];
        a.Files.Files[a.BundleOf(to)] = MemoryRecord.Bundle(entries);
        return new Expected(to, 0, from < to ? [AuditDefect.EntryDuplicated] : [AuditDefect.EntryMoved]);
    }

    Expected? Insert(Attack a)
    {
        int index = a.AnyEntry();
        List<byte[]> entries = a.EntriesOf(index);
        entries.Insert(index % Width, MemoryRecord.Alter(entries[index % Width], static e => e.Caller.Name = "mallory"));
        a.Files.Files[a.BundleOf(index)] = MemoryRecord.Bundle(entries);
        return new Expected(index, 0, [AuditDefect.EntryAltered]);
    }

    Expected? EditTile(Attack a)
    {
        string[] names = [.. a.Files.Files.Keys.Where(static n => n.StartsWith("tile/", StringComparison.Ordinal) && !n.Contains("entries", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        string name = names[a.Random.Next(names.Length)];
        byte[] tile = [.. a.Files.Files[name]];
        tile[a.Random.Next(tile.Length)] ^= (byte)(1 << a.Random.Next(8));
        a.Files.Files[name] = tile;
        return new Expected(null, 0, [AuditDefect.TileAltered]);
    }

    Expected? RollBack(Attack a)
    {
        Replace(a, a.Older);
        return new Expected(a.Older.Entries.Count, 0, [AuditDefect.RolledBack]) { Known = [a.Record.Note] };
    }

    // The node itself rewrites its past: it holds the key, so only a checkpoint that someone kept can tell.
    Expected? Fork(Attack a)
    {
        int index = a.Random.Next(a.Older.Entries.Count);
        List<byte[]> entries = [.. a.Record.Entries];
        entries[index] = MemoryRecord.Alter(entries[index], static e => e.Caller.Name = "nobody");
        Replace(a, MemoryRecord.Sign(entries, _signer));
        return new Expected(index, a.Older.Entries.Count, [AuditDefect.Forked]) { Known = [a.Older.Note] };
    }

    Expected? SwapSegment(Attack a)
    {
        int index = a.AnyEntry();
        string[] names = a.Random.Next(2) == 0 ? [a.BundleOf(index)] : [a.BundleOf(index), a.TileOf(index)];
        // The bundle of a small log is most of it: whose record it is cannot be told from the majority.
        foreach (string name in names) a.Files.Files[name] = a.Foreign.Files.Files[name];
        bool open = a.TileOf(index).Contains(".p/", StringComparison.Ordinal);
        if (names.Length == 2 && open) return new Expected(null, 0, [AuditDefect.RootMismatch, AuditDefect.EntryForeign]);
        return new Expected(index / Width * Width, 0, [AuditDefect.EntryForeign, AuditDefect.EntryAltered]);
    }

    Expected? ReSign(Attack a)
    {
        int index = a.AnyEntry();
        List<byte[]> entries = [.. a.Record.Entries];
        if (a.Random.Next(2) == 0) entries[index] = MemoryRecord.Alter(entries[index], static e => e.Caller.Name = "nobody");
        Replace(a, MemoryRecord.Sign(entries, _stranger));
        return new Expected(null, 0, [AuditDefect.CheckpointForeign]);
    }

    Expected? EditCheckpoint(Attack a)
    {
        byte[] note = [.. a.Files.Files[TilePath.Checkpoint]];
        int at = a.Random.Next(note.Length);
        note[at] ^= (byte)(1 << a.Random.Next(7));
        a.Files.Files[TilePath.Checkpoint] = note;
        return Encoding.UTF8.GetString(note) == a.Record.Note
            ? null
            : new Expected(null, 0, [AuditDefect.CheckpointUnreadable, AuditDefect.CheckpointForged, AuditDefect.CheckpointForeign]);
    }

    Expected? MoveClock(Attack a)
    {
        int index = 1 + a.Random.Next(a.Size - 1);
        bool wall = a.Random.Next(2) == 0;
        long by = a.Random.NextInt64(3_000_000_000, 4_000_000_000);
        List<byte[]> entries = [.. a.Record.Entries];
        entries[index] = MemoryRecord.Alter(entries[index], e =>
        {
            if (wall) e.WallTimeUnixNanos -= by;
            else e.MonotonicNanos -= (ulong)by;
        });
        Replace(a, MemoryRecord.Sign(entries, _signer));
        // At the first entry of a boot only a wall clock that goes back can be seen there; the monotonic one shows at the entry after it.
        bool boot = index == a.Size / 2 && !wall;
        if (boot && index == a.Size - 1) return null;
        return new Expected(boot ? index + 1 : index, 0, [AuditDefect.ClockReversed, AuditDefect.ClockJumpUnrecorded]);
    }

    Expected? CloseWrongly(Attack a)
    {
        int index = (a.Random.Next(a.Size / 2) * 2) + 1;
        List<byte[]> entries = [.. a.Record.Entries];
        ulong target = a.Random.Next(3) switch
        {
            0 => (ulong)index + 100_000,
            1 => (ulong)index,
            _ => index >= 3 ? (ulong)index - 3 : (ulong)index,
        };
        entries[index] = MemoryRecord.Alter(entries[index], e => e.OpenedIndex = target);
        Replace(a, MemoryRecord.Sign(entries, _signer));
        return new Expected(index, 0, [AuditDefect.CallMismatch]);
    }

    static void Replace(Attack a, MemoryRecord with)
    {
        a.Files.Files.Clear();
        foreach ((string name, byte[] data) in with.Files.Files) a.Files.Files[name] = data;
    }
}
