using Xunit;

namespace Talos.Audit.Tests;

// Power fails in the middle of a write, or someone edits the journal of a log that is not running.
public sealed class JournalTests
{
    const ulong Nonce = 0x1122334455667788;

    // Frames as the journal writes them, one group commit each, and where each begins.
    static (byte[] File, List<(int Offset, int Bytes, int Count)> Frames) Image(Random random, ulong first, int commits, byte[] stale)
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
                Entry entry = LogFolder.Opened(random.Next());
                entry.Message = new string('x', random.Next(200));
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

    static JournalContent Read(byte[] a, byte[]? b = null) => JournalContent.Join([JournalHalf.Read(0, a), JournalHalf.Read(1, b ?? [])]);

    static byte[] Garbage(Random random, int size)
    {
        byte[] garbage = new byte[size];
        random.NextBytes(garbage);
        return garbage;
    }

    [Fact]
    public void Survives_a_cut_at_any_byte_of_the_last_write()
    {
        for (int round = 0; round < 3000; round++)
        {
            Random random = new(round);
            byte[] before = round % 2 == 0 ? new byte[64 * 1024] : Garbage(random, 64 * 1024);
            (byte[] file, List<(int Offset, int Bytes, int Count)> frames) = Image(random, 256, 1 + random.Next(12), before);
            (int offset, int bytes, int count) = frames[^1];
            // What was not written yet is what was there before: zeros, or the bytes of an earlier turn.
            int cut = random.Next(bytes);
            before.AsSpan(offset + cut, JournalFrame.Padded(bytes) - cut).CopyTo(file.AsSpan(offset + cut));
            if (file.AsSpan(offset, bytes).SequenceEqual(Image(new Random(round), 256, frames.Count, before).File.AsSpan(offset, bytes))) continue;

            JournalContent content = Read(file);
            ulong expected = (ulong)frames[..^1].Sum(static f => f.Count);
            Assert.Equal(frames.Count == 1, content.IsEmpty);
            if (content.IsEmpty) continue;
            Assert.Equal(256 + expected, content.End);
            ulong replayed = 0;
            content.Replay((index, entry) =>
            {
                Assert.Equal(256 + replayed++, index);
                Assert.NotEqual(0, entry.Length);
            });
            Assert.Equal(expected, replayed);
        }
    }

    [Fact]
    public void Rejects_an_altered_write_that_others_follow()
    {
        for (int round = 0; round < 3000; round++)
        {
            Random random = new(round);
            (byte[] file, List<(int Offset, int Bytes, int Count)> frames) = Image(random, 0, 3 + random.Next(10), new byte[64 * 1024]);
            (int offset, int bytes, _) = frames[1 + random.Next(frames.Count - 2)];
            file[offset + random.Next(bytes)] ^= (byte)(1 << random.Next(8));
            AuditLogException damaged = Assert.Throws<AuditLogException>(() => Read(file));
            Assert.Equal(AuditLogReason.Damaged, damaged.Reason);
        }
    }

    [Fact]
    public void Survives_frames_that_a_caller_hid_in_its_request()
    {
        Random random = new(1);
        (byte[] file, List<(int Offset, int Bytes, int Count)> frames) = Image(random, 0, 3, new byte[64 * 1024]);
        (int offset, int bytes, int count) = frames[^1];
        int end = offset + JournalFrame.Padded(bytes);
        byte[] forged = new byte[4096];
        "  "u8.CopyTo(forged.AsSpan(JournalFrame.HeaderBytes));
        JournalFrame.Seal(forged, JournalFrame.HeaderBytes + 2, 1, 1000, Nonce + 1);
        forged.AsSpan(0, 128).CopyTo(file.AsSpan(end + 128));
        Assert.Equal((ulong)frames.Sum(static f => f.Count), Read(file).End);
        Assert.NotEqual(0, count);
    }

    [Fact]
    public void Rejects_a_journal_whose_older_file_was_taken_away()
    {
        Random random = new(2);
        (byte[] a, List<(int Offset, int Bytes, int Count)> frames) = Image(random, 0, 5, new byte[64 * 1024]);
        (byte[] b, _) = Image(random, 512, 2, new byte[64 * 1024]);
        Assert.True(frames.Sum(static f => f.Count) < 512);
        Assert.Equal(AuditLogReason.Damaged, Assert.Throws<AuditLogException>(() => Read(a, b)).Reason);
    }
}
