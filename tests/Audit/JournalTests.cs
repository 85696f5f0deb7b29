using Xunit;

namespace Talos.Audit.Tests;

// Power fails in the middle of a write, or someone edits the journal of a log that is not running.
public sealed class JournalTests
{
    const ulong Nonce = JournalImage.Nonce;

    // More of them, among everything else that is done to records: dotnet run -c Release --project tests/Fuzz -- audit-tamper 100000
    [Fact]
    public void Survives_or_rejects_a_write_that_was_cut_or_altered_at_any_byte()
    {
        for (int round = 0; round < 6000; round++) Assert.Null(JournalImage.CutOrAlter(new Random(round)));
    }

    [Fact]
    public void Survives_frames_that_a_caller_hid_in_its_request()
    {
        Random random = new(1);
        (byte[] file, List<(int Offset, int Bytes, int Count)> frames) = JournalImage.Make(random, 0, 3, new byte[64 * 1024]);
        (int offset, int bytes, int count) = frames[^1];
        int end = offset + JournalFrame.Padded(bytes);
        byte[] forged = new byte[4096];
        "  "u8.CopyTo(forged.AsSpan(JournalFrame.HeaderBytes));
        JournalFrame.Seal(forged, JournalFrame.HeaderBytes + 2, 1, 1000, Nonce + 1);
        forged.AsSpan(0, 128).CopyTo(file.AsSpan(end + 128));
        Assert.Equal((ulong)frames.Sum(static f => f.Count), JournalImage.Read(file).End);
        Assert.NotEqual(0, count);
    }

    [Fact]
    public void Rejects_a_journal_whose_older_file_was_taken_away()
    {
        Random random = new(2);
        (byte[] a, List<(int Offset, int Bytes, int Count)> frames) = JournalImage.Make(random, 0, 5, new byte[64 * 1024]);
        (byte[] b, _) = JournalImage.Make(random, 512, 2, new byte[64 * 1024]);
        Assert.True(frames.Sum(static f => f.Count) < 512);
        Assert.Equal(AuditLogReason.Damaged, Assert.Throws<AuditLogException>(() => JournalImage.Read(a, b)).Reason);
    }
}
