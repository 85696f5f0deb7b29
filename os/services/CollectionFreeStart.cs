using System.Runtime;

namespace Talos.Services;

/// <summary>
/// No garbage collection while a service starts: what it allocates then mostly stays, and marking and compacting it again and again was a
/// quarter of the processor time to the first answer. One thorough collection afterwards gives back what did not stay.
/// </summary>
sealed class CollectionFreeStart : IDisposable
{
    // Bytes; a start takes 6 to 19 MB. LIMIT: without a part of its own for large objects, those are given the whole once more, and twice as much
    // does not fit into the heap that a service has on a node.
    const long Allowance = 32L << 20, ForLargeObjects = 4L << 20;

    static readonly TimeSpan Length = TimeSpan.FromSeconds(8);

    readonly Timer _end = new(static _ => End(), null, Length, Timeout.InfiniteTimeSpan);

    internal static CollectionFreeStart? Begin()
    {
        if (GC.TryStartNoGCRegion(Allowance, ForLargeObjects)) return new CollectionFreeStart();
        Console.Error.WriteLine("the heap has no room for a start without collections; it will take longer");
        return null;
    }

    static void End()
    {
        try
        {
            if (GCSettings.LatencyMode == GCLatencyMode.NoGCRegion) GC.EndNoGCRegion();
        }
        catch (InvalidOperationException)
        {
            // The allowance was used up, or somebody collected, since the question: it has ended by itself.
        }
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    public void Dispose() => _end.Dispose();
}
