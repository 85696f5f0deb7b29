using System.Buffers.Binary;
using System.Diagnostics;

namespace Talos.Audit;

// The entries of one group commit, laid out as the journal frame that they become. Under the log's lock until the writer has taken it.
sealed class AppendBatch
{
    // LIMIT: 1 MiB or 8,192 entries in one commit; what does not fit waits for the next one.
    internal const int MaxBytes = 1024 * 1024;
    const int MaxEntries = 8192;

    readonly TaskCompletionSource _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal AppendBatch(byte[]? buffer, ulong first)
    {
        Frame = buffer ?? new byte[64 * 1024];
        First = first;
    }

    // Index of the first entry. It is known before the commit: when one fails, so does everything that was placed behind it.
    internal ulong First { get; }

    internal byte[] Frame { get; private set; }

    internal int FrameBytes { get; private set; } = JournalFrame.HeaderBytes;

    internal int Count { get; private set; }

    // When the first entry came.
    internal long Begun { get; private set; }

    // Somebody waits for it, or it is large enough.
    internal bool IsDue { get; set; }

    internal bool IsLarge => FrameBytes >= MaxBytes / 2 || Count >= MaxEntries / 2;

    // Entries that nobody waits for: the log itself tells of their loss.
    internal int Unawaited { get; set; }

    // What the log's own entries in here say, should it have to be said again.
    internal ulong Lost { get; set; }

    internal List<Entry> Owed { get; } = [];

    internal long ClockOffsetBefore { get; set; }

    // 32 bytes an entry, set by the commit.
    internal byte[] LeafHashes { get; set; } = [];

    internal AuditLogException? Failure { get; set; }

    // Ends when all entries are on disk.
    internal Task Committed => _committed.Task;

    internal ReadOnlySpan<byte> Payload => Frame.AsSpan(JournalFrame.HeaderBytes, FrameBytes - JournalFrame.HeaderBytes);

    internal bool Fits(int bytes, int entries) => Count == 0 || (FrameBytes + bytes <= MaxBytes && Count + entries <= MaxEntries);

    // The bytes of an entry around what its place decides: schema, kind and opened_index in front (`head` bytes), field 9 and more behind.
    internal int Add(ReadOnlySpan<byte> encoded, int head, Moment moment, ReadOnlySpan<byte> stamp)
    {
        int most = FrameBytes + 2 + encoded.Length + Moment.MaxBytes + stamp.Length;
        if (JournalFrame.Padded(most) > Frame.Length) Grow(JournalFrame.Padded(most));
        Span<byte> entry = Frame.AsSpan(FrameBytes + 2);
        encoded[..head].CopyTo(entry);
        int length = head + moment.WriteTo(entry[head..]);
        stamp.CopyTo(entry[length..]);
        length += stamp.Length;
        encoded[head..].CopyTo(entry[length..]);
        length += encoded.Length - head;
        BinaryPrimitives.WriteUInt16BigEndian(Frame.AsSpan(FrameBytes), (ushort)length);
        FrameBytes += 2 + length;
        if (Count == 0) Begun = Stopwatch.GetTimestamp();
        return Count++;
    }

    void Grow(int least)
    {
        byte[] larger = new byte[Math.Max(Frame.Length * 2, least)];
        Frame.AsSpan(0, FrameBytes).CopyTo(larger);
        Frame = larger;
    }

    // Whoever holds on to an entry of the batch must not hold on to its buffer.
    internal byte[] TakeFrame()
    {
        byte[] frame = Frame;
        Frame = [];
        return frame;
    }

    internal void Commit() => _committed.SetResult();

    internal void Fail(AuditLogException exception)
    {
        _committed.SetException(exception);
        // Entries that nobody waits for have no one who looks at it.
        _ = _committed.Task.Exception;
    }
}
