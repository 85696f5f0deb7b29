using System.Buffers.Binary;
using Google.Protobuf;

namespace Talos.Audit;

// The entries of one group commit, laid out as the journal frame that they become.
sealed class AppendBatch
{
    // LIMIT: 1 MiB or 8,192 entries in one commit; what does not fit waits for the next one.
    internal const int MaxBytes = 1024 * 1024;
    const int MaxEntries = 8192;

    readonly TaskCompletionSource<ulong> _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal byte[] Frame { get; private set; }

    internal int FrameBytes { get; private set; } = JournalFrame.HeaderBytes;

    internal int Count { get; private set; }

    // 32 bytes an entry, set by the commit.
    internal byte[] LeafHashes { get; set; } = [];

    internal AppendBatch(byte[]? buffer) => Frame = buffer ?? new byte[64 * 1024];

    // The index of the first entry, once all are on disk.
    internal Task<ulong> Committed => _committed.Task;

    internal ReadOnlySpan<byte> Payload => Frame.AsSpan(JournalFrame.HeaderBytes, FrameBytes - JournalFrame.HeaderBytes);

    internal bool Fits(int entryBytes, int entries) => Count == 0 || (FrameBytes + entryBytes <= MaxBytes && Count + entries <= MaxEntries);

    internal int Add(Entry entry, int size)
    {
        int end = FrameBytes + 2 + size;
        if (JournalFrame.Padded(end) > Frame.Length)
        {
            byte[] larger = new byte[Math.Max(Frame.Length * 2, JournalFrame.Padded(end))];
            Frame.AsSpan(0, FrameBytes).CopyTo(larger);
            Frame = larger;
        }
        BinaryPrimitives.WriteUInt16BigEndian(Frame.AsSpan(FrameBytes), (ushort)size);
        entry.WriteTo(Frame.AsSpan(FrameBytes + 2, size));
        FrameBytes = end;
        return Count++;
    }

    internal void Commit(ulong firstIndex) => _committed.SetResult(firstIndex);

    internal void Fail(AuditLogException exception)
    {
        _committed.SetException(exception);
        // Best-effort entries have no one who waits for them.
        _ = _committed.Task.Exception;
    }
}
