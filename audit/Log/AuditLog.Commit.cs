using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using Talos.Linux.Files;
using Talos.Linux.Kernel;

namespace Talos.Audit;

public sealed partial class AuditLog
{
    // A write and its sync take the processor for 0.1 ms, as much as recording 20 calls. Where several callers wait at a time, a thousand commits a
    // second serve all of them; one caller alone never waits for others.
    static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(1);

    // When nobody came for so long, everybody who could waits for this commit.
    static readonly TimeSpan Quiet = TimeSpan.FromMicroseconds(150);

    const int FewCallers = 4;

    // Entries over which a commit's own cost is spread thin.
    const int Enough = 128;

    // Guards what the tree looks like: edge, bundle, size, files that wait.
    readonly Lock _state = new();
    readonly Queue<(string Path, byte[] Data)> _waitingFiles = new();
    List<(string Path, ulong End)> _unsettled = [];
    Task _settling = Task.CompletedTask;
    bool _settleBeforeRotation;
    bool _isIdle;
    int _lastAwaited;
    long _lastCommit;
    EdgeTiles _edge = new();
    byte[] _bundle = new byte[64 * 1024];
    int _bundleBytes;
    Range[] _ranges = new Range[256];
    Action<int, ulong, ReadOnlySpan<byte>>? _tileFull;

    /// <summary>Number of entries that are on disk.</summary>
    public ulong Size
    {
        get
        {
            lock (_state) return _edge.Size;
        }
    }

    /// <summary>Called with their number when entries that nobody waits for could not be written, once a commit.</summary>
    public event Action<int, AuditLogException>? Losing;

    void WriteBatches()
    {
        while (true)
        {
            lock (_gate) if (!IsBatchDue()) return;
            Gather();
            AppendBatch batch;
            lock (_gate)
            {
                batch = _open;
                (_lastAwaited, _lastCommit) = (batch.Count - batch.Unawaited, Stopwatch.GetTimestamp());
                _open = new AppendBatch(_spareBuffer, batch.First + (ulong)batch.Count);
                _spareBuffer = null;
            }
            Commit(batch);
            byte[] buffer = batch.TakeFrame();
            // LIMIT: a buffer that one burst made large is not kept.
            if (buffer.Length <= AppendBatch.MaxBytes) lock (_gate) _spareBuffer ??= buffer;
        }
    }

    // Under _gate: waits until there is a batch to write; false when there will be none. While entries keep coming the writer wakes by its own
    // clock, once a commit; only when a whole `Linger` brought nothing does the next entry have to wake it.
    bool IsBatchDue()
    {
        TimeSpan patience = _options.Linger;
        while (true)
        {
            if (_open.Count == 0)
            {
                if (_closed) return false;
                if (patience > TimeSpan.Zero)
                {
                    Wait(patience);
                    patience = TimeSpan.Zero;
                    continue;
                }
                _isIdle = true;
                Monitor.Wait(_gate);
                _isIdle = false;
                patience = _options.Linger;
                continue;
            }
            TimeSpan left = patience - Stopwatch.GetElapsedTime(_open.Begun);
            if (_open.IsDue || _closed || left <= TimeSpan.Zero) return true;
            Wait(left);
        }
    }

    void Wait(TimeSpan most) => Monitor.Wait(_gate, (int)Math.Ceiling(most.TotalMilliseconds));

    // Lets others come into the batch that is due. Only the writer takes batches, so it can but grow meanwhile.
    void Gather()
    {
        int before = -1;
        while (true)
        {
            lock (_gate)
            {
                if (_open.Count == before || !IsWorthGathering()) return;
                before = _open.Count;
            }
            Pause.For(Quiet);
        }
    }

    // Under _gate: others come while some wait, and the last commit is younger than what they would wait for.
    bool IsWorthGathering() =>
        !_closed && _lastAwaited >= FewCallers && _open.Count < Enough && Stopwatch.GetElapsedTime(_lastCommit) < Gathering;

    // INVARIANT: acknowledged means written and synced. Everything after the journal is derived and can be made again from it.
    void Commit(AppendBatch batch)
    {
        if (batch.First != _edge.Size) throw new InvalidOperationException($"entry {batch.First} would become entry {_edge.Size}");
        try
        {
            if (_broken is not null) throw _broken;
            WaitingFilesWritten();
            if (!_journal.Fits(batch.FrameBytes)) RotateJournal();
            _journal.Append(batch.Frame, batch.FrameBytes, batch.Count, batch.First);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(batch, e as AuditLogException ?? Translate(e, "the entry could not be written"));
            return;
        }
        batch.LeafHashes = Integrate(batch.Payload, batch.Count);
        batch.Commit();
        WakeFollowers();
        SchedulePublish();
    }

    // INVARIANT: what was placed behind the batch counts on its entries and fails with them.
    void Fail(AppendBatch batch, AuditLogException reason)
    {
        AppendBatch behind;
        lock (_gate)
        {
            // After a failed sync the kernel may have dropped the pages: only a fresh replay of the journal tells what is on disk.
            if (reason.Reason == AuditLogReason.WriteFailed) _broken = reason;
            behind = _open;
            _open = new AppendBatch(null, batch.First);
            batch.Failure = behind.Failure = reason;
            TakeBack(behind);
            TakeBack(batch);
        }
        batch.Fail(reason);
        behind.Fail(reason);
        if (batch.Unawaited + behind.Unawaited is int lost and not 0) Losing?.Invoke(lost, reason);
    }

    byte[] Integrate(ReadOnlySpan<byte> payload, int count)
    {
        byte[] hashes = new byte[count * TreeHash.Size];
        if (_ranges.Length < count) _ranges = new Range[Math.Max(count, 2 * _ranges.Length)];
        Span<Range> ranges = _ranges.AsSpan(0, count);
        EntryBundle.TrySplit(payload, count, ranges);
        TreeHash.Leaves(payload, ranges, hashes);
        lock (_state)
        {
            for (int i = 0; i < count; i++) Integrate(payload[ranges[i]], hashes.AsSpan(i * TreeHash.Size, TreeHash.Size));
        }
        return hashes;
    }

    // Under _state.
    void Integrate(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> leafHash)
    {
        int end = _bundleBytes + 2 + entry.Length;
        if (end > _bundle.Length) Array.Resize(ref _bundle, Math.Max(end, _bundle.Length * 2));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(_bundle.AsSpan(_bundleBytes), (ushort)entry.Length);
        entry.CopyTo(_bundle.AsSpan(_bundleBytes + 2));
        _bundleBytes = end;
        if (_edge.Size % TilePath.Width == TilePath.Width - 1)
        {
            ulong index = _edge.Size / TilePath.Width;
            WriteOrQueue(TilePath.Entries(index), 0, index, _bundle.AsSpan(0, _bundleBytes));
            _bundleBytes = 0;
        }
        _edge.Append(leafHash, _tileFull ??= (level, index, tile) => WriteOrQueue(TilePath.Hashes(level, index), level, index, tile));
    }

    // Bundles and tiles need not be durable yet: the journal holds the entries until they are.
    void WriteOrQueue(string path, int level, ulong index, ReadOnlySpan<byte> data)
    {
        ulong end = (index + 1) << (TilePath.Height * (level + 1));
        // A replay of the journal must not bring back what retention took away.
        if (end <= FirstIndex) return;
        _unsettled.Add((path, end));
        try
        {
            if (_waitingFiles.Count == 0)
            {
                _store.Write(path, data);
                return;
            }
        }
        catch (IOException)
        {
            // Falls through: the file waits, and appending fails once the journal has no room left for what waits.
        }
        _waitingFiles.Enqueue((path, data.ToArray()));
    }

    bool WaitingFilesWritten()
    {
        lock (_state)
        {
            while (_waitingFiles.TryPeek(out (string Path, byte[] Data) file))
            {
                try
                {
                    _store.Write(file.Path, file.Data);
                }
                catch (IOException)
                {
                    return false;
                }
                _waitingFiles.Dequeue();
            }
            return true;
        }
    }

    // INVARIANT: before a journal file is written anew, every bundle with an entry of it is synced, and the tiles over it; the open bundle
    // is carried over.
    void RotateJournal()
    {
        if (!WaitingFilesWritten())
            throw new AuditLogException(AuditLogReason.DiskFull, "the entry could not be written: no space left for the audit log");
        _settling.GetAwaiter().GetResult();
        if (_settleBeforeRotation)
        {
            // After an open both files hold what is not known to be synced.
            Settle(_unsettled);
            _unsettled = [];
            _settleBeforeRotation = false;
        }
        List<(string Path, ulong End)> settled = _unsettled;
        ulong size = _edge.Size;
        int open = (int)(size % TilePath.Width);
        _journal.Rotate(() =>
        {
            if (open == 0) return;
            byte[] carry = new byte[JournalFrame.Padded(JournalFrame.HeaderBytes + _bundleBytes)];
            _bundle.AsSpan(0, _bundleBytes).CopyTo(carry.AsSpan(JournalFrame.HeaderBytes));
            _journal.Append(carry, JournalFrame.HeaderBytes + _bundleBytes, open, size - (ulong)open);
        });
        _unsettled = [];
        _settling = Task.Run(() => Settle(settled));
    }

    // LIMIT: files that are open for it at a time.
    const int SettledTogether = 16;

    void Settle(List<(string Path, ulong End)> files)
    {
        foreach ((string Path, ulong End)[] together in files.Chunk(SettledTogether)) SettleTogether(together);
    }

    // All are on their way before the first is waited for: the file system writes them, and commits their metadata, together.
    void SettleTogether((string Path, ulong End)[] files)
    {
        List<SafeFileHandle> open = new(files.Length);
        try
        {
            foreach ((string path, ulong end) in files)
            {
                try
                {
                    SafeFileHandle file = _store.OpenToSync(path);
                    open.Add(file);
                    if (OperatingSystem.IsLinux()) PageCache.BeginWriteback(file);
                }
                catch (FileNotFoundException) when (end <= FirstIndex)
                {
                    // Removed under the retention policy in the meantime.
                }
            }
            foreach (SafeFileHandle file in open)
            {
                RandomAccess.FlushToDisk(file);
                // A log must not push out of memory what the node works with; and what it frees is warm for the next file.
                if (OperatingSystem.IsLinux()) PageCache.Drop(file);
            }
        }
        finally
        {
            foreach (SafeFileHandle file in open) file.Dispose();
        }
    }
}
