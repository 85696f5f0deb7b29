namespace Talos.Linux.Supervision;

/// <summary>
/// The pause before a service that ended by itself is started again: doubles from a quarter of a second to 30 s, and starts
/// over once a process has run for a minute.
/// </summary>
sealed class BackOff
{
    static readonly TimeSpan First = TimeSpan.FromMilliseconds(250);
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Healthy = TimeSpan.FromMinutes(1);

    TimeSpan _next = First;

    internal TimeSpan Next(TimeSpan ranFor)
    {
        if (ranFor >= Healthy)
            _next = First;
        var pause = _next;
        _next = pause * 2 < Longest ? pause * 2 : Longest;
        return pause;
    }

    internal void Reset() => _next = First;
}
