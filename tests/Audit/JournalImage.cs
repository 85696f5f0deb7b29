namespace Talos.Audit.Tests;

// What a journal file looks like on a disk.
static class JournalImage
{
    public const ulong Nonce = 0x1122334455667788;

    // Frames as the journal writes them, one group commit each, and where each begins.
    public static (byte[] File, List<(int Offset, int Bytes, int Count)> Frames) Make(Random random, ulong first, int commits, byte[] stale)
    {
        byte[] file = [.. stale];
        List<(int, int, int)> frames = [];
        int offset = 0;
        ulong index = first;
        for (int i = 0; i < commits; i++)
        {
            AppendBatch batch = new(null, index);
            int count = 1 + random.Next(5);
            for (int n = 0; n < count; n++)
            {
                Entry entry = new()
                {
                    Kind = EntryKind.CallOpened,
                    Method = "/talos.machine.v1.MachineService/Version",
                    Caller = new Caller { Name = "alice", Roles = { "os:reader" } },
                    Message = new string('x', random.Next(200)),
                };
                EntryEncoding.Prepare(entry);
                batch.Add(EntryEncoding.Encode(entry, out int head), head, new Moment(1_800_000_000_000_000_000, 5), []);
            }
            JournalFrame.Seal(batch.Frame, batch.FrameBytes, count, index, Nonce);
            int padded = JournalFrame.Padded(batch.FrameBytes);
            batch.Frame.AsSpan(0, padded).CopyTo(file.AsSpan(offset));
            frames.Add((offset, batch.FrameBytes, count));
            offset += padded;
            index += (ulong)count;
        }
        return (file, frames);
    }

    public static JournalContent Read(byte[] a, byte[]? b = null) => JournalContent.Join([JournalHalf.Read(0, a), JournalHalf.Read(1, b ?? [])]);

    // Power fails in the middle of a write, or a write that others follow is altered. Null when what comes of it is right.
    public static string? CutOrAlter(Random random) => random.Next(2) == 0 ? CutLast(random) : AlterFollowed(random);

    static string? CutLast(Random random)
    {
        byte[] before = new byte[64 * 1024];
        if (random.Next(2) == 0) random.NextBytes(before);
        (byte[] file, List<(int Offset, int Bytes, int Count)> frames) = Make(random, 256, 1 + random.Next(12), before);
        (int offset, int bytes, _) = frames[^1];
        byte[] whole = [.. file];
        // What was not written yet is what was there before: zeros, or the bytes of an earlier turn.
        int cut = random.Next(bytes);
        before.AsSpan(offset + cut, JournalFrame.Padded(bytes) - cut).CopyTo(file.AsSpan(offset + cut));
        if (file.AsSpan(offset, bytes).SequenceEqual(whole.AsSpan(offset, bytes))) return null;

        JournalContent content = Read(file);
        ulong expected = (ulong)frames[..^1].Sum(static f => f.Count);
        if (content.IsEmpty != (frames.Count == 1)) return "the journal is empty, or is not";
        if (content.IsEmpty) return null;
        if (content.End != 256 + expected) return $"the journal ends at {content.End}, not at {256 + expected}";
        // With its head on the disk, it is known that there was a write; without, nobody can tell.
        if (cut >= JournalFrame.HeaderBytes && content.TornBytes == 0) return "the write that was cut has no name";
        string? wrong = null;
        ulong replayed = 0;
        content.Replay((index, entry) =>
        {
            if (index != 256 + replayed++ || entry.Length == 0) wrong ??= $"entry {index} is replayed in place of {256 + replayed - 1}";
        });
        return wrong ?? (replayed == expected ? null : $"{replayed} entries are replayed, not {expected}");
    }

    static string? AlterFollowed(Random random)
    {
        (byte[] file, List<(int Offset, int Bytes, int Count)> frames) = Make(random, 0, 3 + random.Next(10), new byte[64 * 1024]);
        (int offset, int bytes, _) = frames[1 + random.Next(frames.Count - 2)];
        int at = offset + random.Next(bytes);
        if (random.Next(2) == 0) file[at] ^= (byte)(1 << random.Next(8));
        else if (file.AsSpan(at, offset + bytes - at).ContainsAnyExcept((byte)0)) file.AsSpan(at, offset + bytes - at).Clear();
        else return null;
        try
        {
            return $"the journal ends at {Read(file).End}, and nothing is said of the write that was altered";
        }
        catch (AuditLogException e)
        {
            return e.Reason == AuditLogReason.Damaged ? null : $"named {e.Reason}";
        }
    }
}
