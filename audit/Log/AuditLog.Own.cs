using System.Globalization;
using Google.Protobuf;

namespace Talos.Audit;

// What the log itself has to say, and the clocks that it reads for everybody. All of it under _gate.
public sealed partial class AuditLog
{
    // Fields 6 to 8, which are the same in all entries.
    readonly byte[] _stamp;
    long _clockOffset;
    ulong _lastMonotonic;
    ulong _lost;
    // Entries of the log's own that could not be written yet. LIMIT: two, made at open.
    readonly List<Entry> _owed = [];

    Moment Now()
    {
        long monotonic = _time.GetTimestamp();
        // Linux counts in nanoseconds; clocks of tests may not.
        if (_time.TimestampFrequency != 1_000_000_000) monotonic = (long)((Int128)monotonic * 1_000_000_000 / _time.TimestampFrequency);
        return new Moment(UnixNanos(_time.GetUtcNow()), Math.Max((ulong)monotonic, _lastMonotonic));
    }

    // What has to come before the next entry; null nearly always.
    List<Entry>? OwnEntries(Moment now)
    {
        bool moved = _clockOffset != 0 && Math.Abs(now.Offset - _clockOffset) > _options.ClockTolerance.Ticks * TimeSpan.NanosecondsPerTick;
        if (!moved && _lost == 0 && _owed.Count == 0) return null;
        List<Entry> own = [];
        if (moved) own.Add(ClockJump(now.Wall - (now.Offset - _clockOffset), now.Wall));
        own.AddRange(_owed);
        if (_lost != 0) own.Add(Lost());
        return own;
    }

    void AddOwn(AppendBatch batch, List<Entry> own, Moment now)
    {
        foreach (Entry mine in own) batch.Add(mine.ToByteArray(), EntryEncoding.HeadOf(mine), now, _stamp);
        batch.Lost += _lost;
        batch.Owed.AddRange(_owed);
        _owed.Clear();
        _lost = 0;
    }

    // What a commit that failed would have said has to be said by a later one.
    void TakeBack(AppendBatch failed)
    {
        _lost += failed.Lost + (ulong)failed.Unawaited;
        _owed.AddRange(failed.Owed);
        if (failed.Count != 0) _clockOffset = failed.ClockOffsetBefore;
    }

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

    internal static long UnixNanos(DateTimeOffset time) =>
        (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * TimeSpan.NanosecondsPerTick;

    internal static string Rfc3339(long unixNanos) =>
        DateTimeOffset.UnixEpoch.AddTicks(unixNanos / TimeSpan.NanosecondsPerTick)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
}
