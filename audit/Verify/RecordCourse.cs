using System.Globalization;

namespace Talos.Audit;

// Follows the entries in order: clocks run on, every closing entry has its opening one.
sealed class RecordCourse(TimeSpan clockTolerance, ulong firstIndex)
{
    // LIMIT: calls that are open at one time; beyond it their closings are not matched.
    const int MaxOpen = 1 << 20;
    const int MaxListed = 1000;

    readonly Dictionary<ulong, int> _open = [];
    readonly Int128 _tolerance = (Int128)clockTolerance.TotalNanoseconds;
    EntryFacts _previous;
    bool _started;
    bool _overflowed;

    internal List<ulong> Incidents { get; } = [];

    internal IReadOnlyList<ulong> OpenCalls => [.. _open.Keys.Order().Take(MaxListed)];

    internal AuditFinding? Next(ulong index, EntryFacts facts)
    {
        if (facts.Kind is EntryKind.Repair or EntryKind.ClockJump or EntryKind.Lost && Incidents.Count < MaxListed) Incidents.Add(index);
        AuditFinding? clock = _started ? Clock(index, facts) : null;
        _previous = facts;
        _started = true;
        AuditFinding? call = null;
        if (facts.Kind == EntryKind.CallOpened)
        {
            if (_open.Count < MaxOpen) _open[index] = facts.MethodHash;
            else _overflowed = true;
        }
        else if (facts.Kind == EntryKind.CallClosed)
        {
            call = Closing(index, facts);
        }
        return clock ?? call;
    }

    AuditFinding? Clock(ulong index, EntryFacts facts)
    {
        if (facts.Boot == _previous.Boot)
        {
            if (facts.MonotonicNanos < _previous.MonotonicNanos)
                return new(
                    AuditDefect.ClockReversed, index, $"entry {index}: the monotonic clock goes back within one boot",
                    "the entries were not written in this order");
            Int128 moved = ((Int128)facts.WallNanos - facts.MonotonicNanos) - ((Int128)_previous.WallNanos - _previous.MonotonicNanos);
            if (Int128.Abs(moved) > _tolerance && facts.Kind != EntryKind.ClockJump) return Jump(index, (long)moved);
        }
        else if (facts.WallNanos < _previous.WallNanos && facts.Kind != EntryKind.ClockJump)
        {
            return Jump(index, facts.WallNanos - _previous.WallNanos);
        }
        return null;
    }

    static AuditFinding Jump(ulong index, long nanos) =>
        new(
            AuditDefect.ClockJumpUnrecorded, index,
            string.Create(
                CultureInfo.InvariantCulture, $"entry {index}: the wall clock jumps by {nanos / 1e9:F3} s, and no entry records it"));

    AuditFinding? Closing(ulong index, EntryFacts facts)
    {
        if (_open.Remove(facts.OpenedIndex, out int method))
            return method == facts.MethodHash
                ? null
                : new(
                    AuditDefect.CallMismatch, index,
                    $"entry {index} closes the call of entry {facts.OpenedIndex}, which is of another method");
        // Removed by retention, or one too many to remember.
        if (facts.OpenedIndex < firstIndex || _overflowed) return null;
        return new(AuditDefect.CallMismatch, index,
            $"entry {index} closes the call of entry {facts.OpenedIndex}, which opened none or is closed already");
    }
}
