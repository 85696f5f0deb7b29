using System.Globalization;
using Google.Protobuf;

namespace Talos.Audit;

/// <summary>What became of an entry that no one waits for.</summary>
public enum AuditDisposition
{
    /// <summary>The log could not take it. The loss is counted and recorded as soon as the log takes entries again.</summary>
    Lost,

    /// <summary>It will be written with the next commit, unless that one fails.</summary>
    Queued,
}

public sealed partial class AuditLog
{
    readonly object _gate = new();
    AppendBatch _open = new(null);
    byte[]? _spareBuffer;
    AuditLogException? _broken;
    bool _closed;
    ByteString? _bootIdBytes;
    long _clockOffset;
    ulong _lastMonotonic;
    ulong _lost;
    // Entries of the log's own that could not be written yet. LIMIT: two, made at open.
    readonly List<Entry> _owed = [];

    /// <summary>
    /// Appends the entry; the result comes when it is on disk. The log takes the entry over and sets its schema, time, node and boot id.
    /// Once the entry is queued, cancelling no longer takes it back. Throws <see cref="AuditLogException"/> when there is no durable
    /// record; a call that must be recorded must then be denied. An entry whose append failed may still turn up after a restart.
    /// </summary>
    public ValueTask<AuditReceipt> AppendAsync(Entry entry, CancellationToken cancellationToken = default)
    {
        EntryEncoding.Prepare(entry);
        return AppendPreparedAsync(entry, cancellationToken);
    }

    async ValueTask<AuditReceipt> AppendPreparedAsync(Entry entry, CancellationToken cancellationToken)
    {
        while (true)
        {
            AppendBatch batch;
            int position;
            lock (_gate)
            {
                ThrowIfUnusable();
                batch = _open;
                position = TryAdd(batch, entry);
            }
            if (position < 0)
            {
                await batch.Committed.WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }
            ulong first = await batch.Committed.ConfigureAwait(false);
            return new AuditReceipt(first + (ulong)position, batch.LeafHashes.AsMemory(position * TreeHash.Size, TreeHash.Size));
        }
    }

    /// <summary>Queues an entry that may be lost: never waits and never throws for want of a disk.</summary>
    public AuditDisposition Post(Entry entry)
    {
        EntryEncoding.Prepare(entry);
        lock (_gate)
        {
            if (!_closed && _broken is null && TryAdd(_open, entry) >= 0) return AuditDisposition.Queued;
            _lost++;
            return AuditDisposition.Lost;
        }
    }

    // Under _gate. Position in the batch, or -1 when it has to wait for the next one.
    int TryAdd(AppendBatch batch, Entry entry)
    {
        ulong monotonic = Monotonic();
        long wall = UnixNanos(_time.GetUtcNow());
        long offset = wall - (long)monotonic;
        List<Entry>? own = OwnEntries(wall, offset);
        int size = Stamped(entry, wall, monotonic);
        int before = 0;
        foreach (Entry mine in own ?? []) before += Stamped(mine, wall, monotonic) + 2;
        if (!batch.Fits(size + 2 + before, 1 + (own?.Count ?? 0))) return -1;

        _lastMonotonic = monotonic;
        _clockOffset = offset;
        if (batch.Count == 0) Monitor.Pulse(_gate);
        if (own is not null)
        {
            foreach (Entry mine in own) batch.Add(mine, EntryEncoding.SizeOf(mine));
            _owed.Clear();
            _lost = 0;
        }
        return batch.Add(entry, size);
    }

    // What the log itself has to say before the next entry; null nearly always.
    List<Entry>? OwnEntries(long wall, long offset)
    {
        bool moved = ClockMoved(offset);
        if (!moved && _lost == 0 && _owed.Count == 0) return null;
        List<Entry> own = [];
        if (moved) own.Add(ClockJump(wall - (offset - _clockOffset), wall));
        own.AddRange(_owed);
        if (_lost != 0) own.Add(Lost());
        return own;
    }

    int Stamped(Entry entry, long wall, ulong monotonic)
    {
        Stamp(entry, wall, monotonic);
        return EntryEncoding.SizeOf(entry);
    }

    void Stamp(Entry entry, long wall, ulong monotonic)
    {
        entry.WallTimeUnixNanos = wall;
        entry.MonotonicNanos = monotonic;
        entry.Node = _options.Node;
        entry.BootId = _bootIdBytes ??= ByteString.CopyFrom(_bootId);
    }

    internal static long UnixNanos(DateTimeOffset time) =>
        (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * TimeSpan.NanosecondsPerTick;

    ulong Monotonic()
    {
        long now = _time.GetTimestamp();
        // Linux counts in nanoseconds; clocks of tests may not.
        if (_time.TimestampFrequency != 1_000_000_000) now = (long)((Int128)now * 1_000_000_000 / _time.TimestampFrequency);
        return Math.Max((ulong)now, _lastMonotonic);
    }

    bool ClockMoved(long offset) => _clockOffset != 0 && Math.Abs(offset - _clockOffset) > _options.ClockTolerance.Ticks * TimeSpan.NanosecondsPerTick;

    static Entry ClockJump(long expected, long actual)
    {
        Entry entry = new()
        {
            Schema = EntrySchema.Version,
            Kind = EntryKind.ClockJump,
            Message = actual > expected ? "the wall clock was set forward" : "the wall clock was set back",
        };
        entry.Details.Add("by_nanos", (actual - expected).ToString(CultureInfo.InvariantCulture));
        entry.Details.Add("expected", Rfc3339(expected));
        return entry;
    }

    Entry Lost()
    {
        Entry entry = new() { Schema = EntrySchema.Version, Kind = EntryKind.Lost, Message = "best-effort entries could not be recorded" };
        entry.Details.Add("count", _lost.ToString(CultureInfo.InvariantCulture));
        return entry;
    }

    internal static string Rfc3339(long unixNanos) =>
        DateTimeOffset.UnixEpoch.AddTicks(unixNanos / TimeSpan.NanosecondsPerTick)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    void ThrowIfUnusable()
    {
        if (_broken is { } broken) throw new AuditLogException(broken.Reason, broken.Message, broken);
        if (_closed) throw new AuditLogException(AuditLogReason.Closed, "the audit log is closed");
    }
}
