namespace Talos.Api.Server;

/// <summary>A connection that should not end: opened again whenever it does, after a pause that doubles until something is heard.</summary>
public static class Following
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Goes on until cancelled; then nothing that <paramref name="follow"/> throws matters any more.</summary>
    /// <param name="follow">
    /// Holds one connection: the number of the attempt, from 0; what to call when something was heard, which makes the next pause the first again; and
    /// the cancellation. True asks for the next attempt without a pause. What it throws otherwise ends the following.
    /// </param>
    public static async Task RunAsync(Func<int, Action, CancellationToken, Task<bool>> follow, TimeSpan longestPause, TimeProvider time, CancellationToken cancellation)
    {
        var pause = FirstPause;
        for (var attempt = 0; !cancellation.IsCancellationRequested; attempt++)
        {
            try
            {
                if (await follow(attempt, () => pause = FirstPause, cancellation).ConfigureAwait(false)) continue;
            }
            catch (Exception) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            await Task.Delay(pause, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, longestPause.Ticks));
        }
    }
}
