using System.Collections.Concurrent;
using Talos.Api.Configuration;
using Talos.Api.Server;

namespace Talos.Trustd.Issuance;

/// <summary>
/// GCRA (ITU-T I.371, "generic cell rate algorithm"): each key may do one thing every <c>interval</c> on average, and <c>burst</c> at once. One
/// number a key, no timer. Thread-safe.
/// </summary>
sealed class RateLimit(string what, TimeSpan interval, int burst, TimeProvider time)
{
    public RateLimit(string what, RateSection rate, TimeProvider time)
        : this(what, TimeSpan.FromMinutes(1) / rate.PerMinute, (int)rate.Burst, time)
    {
    }

    // LIMIT: keys remembered; one that has been quiet for a burst's time is as good as unknown and makes room first.
    const int MaxKeys = 65_536;

    readonly ConcurrentDictionary<string, long> arrivals = new(StringComparer.Ordinal);
    readonly long step = interval.Ticks;
    readonly long tolerance = interval.Ticks * burst;

    // About as many as there are: the dictionary's own count takes all of its locks.
    int known;

    /// <summary>Takes one from the key's allowance.</summary>
    /// <exception cref="RefusalException">There is none left; the hint says when there is.</exception>
    public void Require(string key)
    {
        var now = time.GetTimestamp() * TimeSpan.TicksPerSecond / time.TimestampFrequency;
        if (Volatile.Read(ref known) >= MaxKeys) Forget(now);
        while (true)
        {
            // The theoretical arrival time: when the key's allowance would be full again.
            var isKnown = arrivals.TryGetValue(key, out var arrival);
            var next = Math.Max(isKnown ? arrival : now, now) + step;
            if (next - now > tolerance)
            {
                var wait = TimeSpan.FromTicks(next - now - tolerance);
                throw new RefusalException(RefusalReason.TooManyRequests, $"too many requests from {what} `{key}`")
                {
                    Id = "rate-limited",
                    Hint = $"try again in {Math.Ceiling(wait.TotalSeconds)} s",
                };
            }
            if (isKnown)
            {
                if (arrivals.TryUpdate(key, next, arrival)) return;
            }
            else if (arrivals.TryAdd(key, next))
            {
                Interlocked.Increment(ref known);
                return;
            }
        }
    }

    void Forget(long now)
    {
        foreach (var (key, arrival) in arrivals)
            if (arrival <= now && arrivals.TryRemove(KeyValuePair.Create(key, arrival))) Interlocked.Decrement(ref known);
        // Full of keys that are all busy: someone uses many identities or addresses at once, and one more must not cost memory.
        if (Volatile.Read(ref known) >= MaxKeys) throw new RefusalException(RefusalReason.TooManyRequests, "too many callers at once") { Id = "rate-limited" };
    }
}
