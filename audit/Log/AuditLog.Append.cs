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
    AppendBatch _open = new(null, 0);
    byte[]? _spareBuffer;
    AuditLogException? _broken;
    bool _closed;

    /// <summary>
    /// Appends the entry; the result comes when it is on disk. The log sets schema, time, node, boot id and attestation; it has read the entry
    /// when the method returns. Once the entry is queued, cancelling no longer takes it back. Throws <see cref="AuditLogException"/> when there
    /// is no durable record; a call that must be recorded must then be denied. An entry whose append failed may still turn up after a restart.
    /// </summary>
    public ValueTask<AuditReceipt> AppendAsync(Entry entry, CancellationToken cancellationToken = default)
    {
        ValueTask<Place> placing = PlaceAsync(entry, null, isAwaited: true, cancellationToken);
        return CommittedAsync(placing);

        static async ValueTask<AuditReceipt> CommittedAsync(ValueTask<Place> placing)
        {
            Place place = await placing.ConfigureAwait(false);
            await place.Batch.Committed.ConfigureAwait(false);
            return place.Receipt();
        }
    }

    /// <summary>
    /// Gives the entry its place in the record without waiting for the disk: it is on disk with the next commit, which comes at most
    /// <see cref="AuditLogOptions.Linger"/> later, or at once when somebody waits for it or for an entry behind it. Waits only while the
    /// next commit is full. The log has read the entry when the method returns. When that commit fails, the entry is counted in a `lost` entry.
    /// Throws <see cref="AuditLogException"/> when the log takes no entries, or when <paramref name="after"/>, an entry that this one refers
    /// to, is not on the record.
    /// </summary>
    public ValueTask<PendingEntry> QueueAsync(Entry entry, PendingEntry? after = null, CancellationToken cancellationToken = default)
    {
        ValueTask<Place> placing = PlaceAsync(entry, after, isAwaited: false, cancellationToken);
        return placing.IsCompletedSuccessfully ? new ValueTask<PendingEntry>(new PendingEntry(placing.Result)) : PlacedAsync(placing);

        static async ValueTask<PendingEntry> PlacedAsync(ValueTask<Place> placing) => new(await placing.ConfigureAwait(false));
    }

    /// <summary>
    /// Returns when the entry is on disk, and everything before it; hastens the commit. Throws as <see cref="AppendAsync"/> does.
    /// </summary>
    public async ValueTask<AuditReceipt> DurableAsync(PendingEntry entry)
    {
        AppendBatch batch = entry.Place.Batch;
        if (!batch.Committed.IsCompleted)
        {
            lock (_gate)
            {
                if (entry.MarkAwaited()) batch.Unawaited--;
                Hasten(batch);
            }
        }
        await batch.Committed.ConfigureAwait(false);
        return entry.Place.Receipt();
    }

    /// <summary>Queues an entry that may be lost: never waits and never throws for want of a disk.</summary>
    public AuditDisposition Post(Entry entry)
    {
        EntryEncoding.Prepare(entry);
        ReadOnlySpan<byte> encoded = EntryEncoding.Encode(entry, out int head);
        lock (_gate)
        {
            if (!_closed && _broken is null && TryAdd(encoded, head, isAwaited: false) >= 0) return AuditDisposition.Queued;
            _lost++;
            return AuditDisposition.Lost;
        }
    }

    // Encoded before the lock is taken; under it, the entry gets what only its place decides.
    ValueTask<Place> PlaceAsync(Entry entry, PendingEntry? after, bool isAwaited, CancellationToken cancellationToken)
    {
        try
        {
            EntryEncoding.Prepare(entry);
            ReadOnlySpan<byte> encoded = EntryEncoding.Encode(entry, out int head);
            Place place = TryPlace(encoded, head, after, isAwaited);
            return place.Position >= 0
                ? new ValueTask<Place>(place)
                : PlaceLaterAsync(place.Batch, encoded.ToArray(), head, after, isAwaited, cancellationToken);
        }
        catch (AuditLogException e)
        {
            return ValueTask.FromException<Place>(e);
        }
    }

    async ValueTask<Place> PlaceLaterAsync(
        AppendBatch full, byte[] encoded, int head, PendingEntry? after, bool isAwaited, CancellationToken cancellationToken)
    {
        while (true)
        {
            await full.Committed.WaitAsync(cancellationToken).ConfigureAwait(false);
            Place place = TryPlace(encoded, head, after, isAwaited);
            if (place.Position >= 0) return place;
            full = place.Batch;
        }
    }

    Place TryPlace(ReadOnlySpan<byte> encoded, int head, PendingEntry? after, bool isAwaited)
    {
        lock (_gate)
        {
            ThrowIfUnusable();
            if (after?.Place.Batch.Failure is { } failure)
            {
                _lost++;
                throw new AuditLogException(failure.Reason, failure.Message, failure);
            }
            return new Place(_open, TryAdd(encoded, head, isAwaited));
        }
    }

    // Under _gate. Position in the open batch, or -1 when the entry has to wait for the next one.
    int TryAdd(ReadOnlySpan<byte> encoded, int head, bool isAwaited)
    {
        AppendBatch batch = _open;
        Moment now = Now();
        List<Entry>? own = OwnEntries(now);
        int place = 2 + now.Bytes + _stamp.Length, bytes = place + encoded.Length;
        if (own is not null) foreach (Entry mine in own) bytes += place + mine.CalculateSize();
        if (!batch.Fits(bytes, 1 + (own?.Count ?? 0)))
        {
            Hasten(batch);
            return -1;
        }

        if (batch.Count == 0)
        {
            batch.ClockOffsetBefore = _clockOffset;
            if (_isIdle) Monitor.Pulse(_gate);
        }
        _lastMonotonic = now.Monotonic;
        _clockOffset = now.Offset;
        if (own is not null) AddOwn(batch, own, now);
        if (!isAwaited) batch.Unawaited++;
        int position = batch.Add(encoded, head, now, _stamp);
        if (isAwaited || batch.IsLarge) Hasten(batch);
        return position;
    }

    // Under _gate: the writer takes the batch as soon as it can.
    void Hasten(AppendBatch batch)
    {
        if (batch.IsDue || batch != _open) return;
        batch.IsDue = true;
        Monitor.Pulse(_gate);
    }

    void ThrowIfUnusable()
    {
        if (_broken is { } broken) throw new AuditLogException(broken.Reason, broken.Message, broken);
        if (_closed) throw new AuditLogException(AuditLogReason.Closed, "the audit log is closed");
    }
}
