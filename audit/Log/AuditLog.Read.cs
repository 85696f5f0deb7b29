using System.Runtime.CompilerServices;

namespace Talos.Audit;

public sealed partial class AuditLog
{
    // LIMIT: records handed out for one bundle at a time; a reader holds at most 256 entries.
    TaskCompletionSource? _grown;

    /// <summary>
    /// The durable entries from <paramref name="from"/> on, at most <paramref name="count"/>. Ends early at the end of the log. Throws
    /// <see cref="AuditLogReason.NoSuchEntry"/> for entries that retention removed, <see cref="AuditLogReason.Damaged"/> for unreadable
    /// ones.
    /// </summary>
    public IEnumerable<AuditRecord> Read(ulong from, long count)
    {
        ulong size = Size;
        if (from < FirstIndex && count > 0)
            throw new AuditLogException(AuditLogReason.NoSuchEntry, $"entries before {FirstIndex} were removed under the retention policy");
        ulong end = from >= size ? from : from + Math.Min(size - from, (ulong)Math.Max(0, count));
        while (from < end)
        {
            ulong index = from / TilePath.Width;
            (byte[] bundle, int width) = ReadBundle(index);
            List<AuditRecord> records = Split(bundle, width, index * TilePath.Width, from, end);
            foreach (AuditRecord record in records) yield return record;
            from = (index * TilePath.Width) + (ulong)width;
        }
    }

    /// <summary>
    /// The newest entries that <paramref name="wanted"/> lets through, at most <paramref name="count"/>, oldest first. The search goes
    /// backwards and ends where the log begins.
    /// </summary>
    public IReadOnlyList<AuditRecord> ReadNewest(int count, Func<AuditRecord, bool> wanted, CancellationToken cancellationToken = default)
    {
        List<AuditRecord> found = [];
        for (ulong end = Size; found.Count < count && end > FirstIndex;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ulong from = Math.Max(FirstIndex, (end - 1) / TilePath.Width * TilePath.Width);
            foreach (AuditRecord record in Read(from, (long)(end - from)).Reverse())
            {
                if (!wanted(record)) continue;
                found.Add(record);
                if (found.Count == count) break;
            }
            end = from;
        }
        found.Reverse();
        return found;
    }

    /// <summary>As <see cref="Read"/>, off the caller's thread between bundles.</summary>
    public async IAsyncEnumerable<AuditRecord> ReadAsync(
        ulong from, long count, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (AuditRecord record in Read(from, count))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (record.Index % TilePath.Width == 0) await Task.Yield();
            yield return record;
        }
    }

    /// <summary>The entries from <paramref name="from"/> on, and those that come, until cancelled or the log is closed.</summary>
    public async IAsyncEnumerable<AuditRecord> FollowAsync(
        ulong from, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Task more;
            lock (_state) more = (_grown ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            ulong size = Size;
            if (from < size)
            {
                await foreach (AuditRecord record in ReadAsync(from, (long)(size - from), cancellationToken).ConfigureAwait(false))
                    yield return record;
                from = size;
                continue;
            }
            lock (_gate) if (_closed) yield break;
            await more.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    // Completes when the log has more than `size` entries, or is closed.
    internal Task GrownAsync(ulong size)
    {
        lock (_state)
        {
            if (_edge.Size > size || _closed) return Task.CompletedTask;
            return (_grown ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    void WakeFollowers()
    {
        lock (_state)
        {
            _grown?.TrySetResult();
            _grown = null;
        }
    }

    (byte[] Bundle, int Width) ReadBundle(ulong index)
    {
        lock (_state)
        {
            if (index == _edge.Size / TilePath.Width) return (_bundle[.._bundleBytes], (int)(_edge.Size % TilePath.Width));
            string path = TilePath.Entries(index);
            foreach ((string waiting, byte[] data) in _waitingFiles)
                if (waiting == path) return (data, TilePath.Width);
        }
        byte[] bundle = _store.TryRead(TilePath.Entries(index)) ?? throw new AuditLogException(
            AuditLogReason.NoSuchEntry, $"entries {index * TilePath.Width} to {((index + 1) * TilePath.Width) - 1} are not there");
        return (bundle, TilePath.Width);
    }

    static List<AuditRecord> Split(byte[] bundle, int width, ulong first, ulong from, ulong end)
    {
        Span<Range> ranges = stackalloc Range[TilePath.Width];
        if (!EntryBundle.TrySplit(bundle, width, ranges))
            throw new AuditLogException(AuditLogReason.Damaged, $"the bundle of entry {first} is not {width} entries");
        List<AuditRecord> records = [];
        for (int i = 0; i < width; i++)
        {
            ulong index = first + (ulong)i;
            if (index < from || index >= end) continue;
            if (!AuditRecord.TryParse(index, bundle.AsMemory(ranges[i]), out AuditRecord? record, out string error))
                throw new AuditLogException(AuditLogReason.Damaged, $"entry {index} {error}");
            records.Add(record);
        }
        return records;
    }
}
