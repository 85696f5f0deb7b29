using System.Diagnostics.Metrics;

namespace Talos.Audit;

/// <summary>How an exporter batches and waits.</summary>
public sealed class AuditExporterOptions
{
    /// <summary>Entries after which delivery is committed at the latest.</summary>
    public int CommitEntries { get; init; } = 4096;

    /// <summary>Time after which delivery is committed at the latest.</summary>
    public TimeSpan CommitInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>First wait after a failure; it doubles up to <see cref="MaxBackoff"/>.</summary>
    public TimeSpan MinBackoff { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest wait after a failure.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Entries to leave out; their delivery counts as done.</summary>
    public AuditFilter Filter { get; init; } = AuditFilter.All;

    /// <summary>Clocks and timers.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}

/// <summary>
/// Carries the log to a receiver: every entry at least once, in order, resumed from the cursor. It reads the log's own files, so a slow or
/// absent receiver never holds up a call; how far it is behind is <see cref="Lag"/> and the gauge `talos.audit.export.lag`.
/// </summary>
public sealed class AuditExporter : IDisposable
{
    readonly AuditLog _log;
    readonly AuditSink _sink;
    readonly ExportCursor _cursor;
    readonly AuditExporterOptions _options;
    readonly Meter _meter = new("Talos.Audit");
    ulong _position;
    long _failures;

    /// <summary>Makes an exporter; <see cref="RunAsync"/> starts it. The sink stays the caller's.</summary>
    public AuditExporter(AuditLog log, AuditSink sink, ExportCursor cursor, AuditExporterOptions options)
    {
        _log = log;
        _sink = sink;
        _cursor = cursor;
        _options = options;
        KeyValuePair<string, object?> target = new("target", sink.Target);
        _meter.CreateObservableGauge(
            "talos.audit.export.lag", () => new Measurement<long>(Lag, target), "{entry}", "entries recorded and not yet delivered");
        _meter.CreateObservableCounter(
            "talos.audit.export.failures", () => new Measurement<long>(Failures, target), "{failure}",
            "deliveries that failed and were tried again");
    }

    /// <summary>Entries that are recorded and not yet known to be delivered.</summary>
    public long Lag => (long)(_log.Size - Math.Min(_log.Size, _cursor.Next));

    /// <summary>Deliveries that failed so far.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>Entries that retention removed before they could be delivered.</summary>
    public ulong Missed { get; private set; }

    /// <summary>Why the last delivery failed; null when it did not.</summary>
    public Exception? LastError { get; private set; }

    /// <summary>Delivers until cancelled. Failures of the receiver are waited out; a cursor that cannot be written ends it.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        TimeSpan backoff = _options.MinBackoff;
        while (true)
        {
            try
            {
                await DeliverAsync(stopAtEnd: false, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (IsOfReceiver(e) && !cancellationToken.IsCancellationRequested)
            {
                Interlocked.Increment(ref _failures);
                LastError = e;
                _sink.Reset();
            }
            await Task.Delay(backoff, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
            backoff = _delivered ? _options.MinBackoff : TimeSpan.FromTicks(Math.Min(backoff.Ticks * 2, _options.MaxBackoff.Ticks));
        }
    }

    /// <summary>Delivers everything that is recorded now and returns. A failure of the receiver is thrown.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        try
        {
            await DeliverAsync(stopAtEnd: true, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            _sink.Reset();
            throw;
        }
    }

    bool _delivered;

    static bool IsOfReceiver(Exception e) =>
        e is not AuditLogException && e is IOException or HttpRequestException or System.Net.Sockets.SocketException
            or System.Security.Authentication.AuthenticationException or OperationCanceledException or AuditDeliveryException;

    async Task DeliverAsync(bool stopAtEnd, CancellationToken cancellationToken)
    {
        _delivered = false;
        _position = _cursor.Next;
        ulong uncommitted = 0;
        long lastCommit = _options.TimeProvider.GetTimestamp();
        List<AuditRecord> batch = [];
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_position < _log.FirstIndex)
            {
                Missed += _log.FirstIndex - _position;
                _position = _log.FirstIndex;
            }
            batch.Clear();
            // To the end of a segment, so that none is read twice.
            ulong next = _position;
            foreach (AuditRecord record in _log.Read(_position, TilePath.Width - (long)(_position % TilePath.Width)))
            {
                if (_options.Filter.Matches(record)) batch.Add(record);
                next = record.Index + 1;
            }
            bool atEnd = next == _position;
            if (batch.Count != 0) await _sink.SendAsync(batch, cancellationToken).ConfigureAwait(false);
            uncommitted += next - _position;
            _position = next;

            bool due = uncommitted >= (ulong)_options.CommitEntries
                || _options.TimeProvider.GetElapsedTime(lastCommit) >= _options.CommitInterval || (atEnd && stopAtEnd);
            if (uncommitted != 0 && due)
            {
                await _sink.CommitAsync(cancellationToken).ConfigureAwait(false);
                _cursor.Save(_position);
                (uncommitted, lastCommit, _delivered, LastError) = (0, _options.TimeProvider.GetTimestamp(), true, null);
            }
            if (!atEnd) continue;
            if (stopAtEnd) return;
            await WaitAsync(uncommitted != 0, cancellationToken).ConfigureAwait(false);
        }
    }

    // Until there is more; but no longer than until the next commit is due.
    async Task WaitAsync(bool commitDue, CancellationToken cancellationToken)
    {
        Task grown = _log.GrownAsync(_position);
        if (!commitDue) await grown.WaitAsync(cancellationToken).ConfigureAwait(false);
        else await Task.WhenAny(grown, Task.Delay(_options.CommitInterval, _options.TimeProvider, cancellationToken)).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();
}

/// <summary>A receiver did not take what it was sent.</summary>
public sealed class AuditDeliveryException(string message, Exception? inner = null) : IOException(message, inner);
