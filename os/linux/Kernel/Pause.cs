using Talos.Linux.Native;

namespace Talos.Linux.Kernel;

/// <summary>Sleep that is shorter than a millisecond, which .NET's clocks do not offer.</summary>
public static class Pause
{
    /// <summary>Sleeps at least so long, less than a second; by default the kernel adds up to 50 µs (prctl(2), PR_SET_TIMERSLACK). A signal ends it early.</summary>
    public static void For(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(time.Ticks);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(time, TimeSpan.FromSeconds(1));
        _ = Libc.usleep((uint)time.TotalMicroseconds);
    }
}
