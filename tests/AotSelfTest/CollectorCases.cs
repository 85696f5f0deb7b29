using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Talos.AotSelfTest;

static class CollectorCases
{
    internal static void Run(Cases cases)
    {
        cases.Run("collector: threads allocate while collections are forced", () =>
        {
            using var stop = new CancellationTokenSource();
            var allocators = Enumerable.Range(0, 4).Select(seed => new Thread(() => Allocate(seed, stop.Token))).ToArray();
            foreach (var allocator in allocators) allocator.Start();
            for (var i = 0; i < 150; i++) GC.Collect(i % 3, GCCollectionMode.Forced, blocking: true, compacting: i % 5 == 0);
            stop.Cancel();
            foreach (var allocator in allocators) allocator.Join();
        });

        cases.Run("collector: suspends a loop that never allocates", () =>
        {
            using var stop = new CancellationTokenSource();
            var token = stop.Token;
            var result = 0L;
            var spinning = new Thread(() =>
            {
                var value = 1L;
                while (!token.IsCancellationRequested) value = value * 31 + 7;
                result = value;
            });
            spinning.Start();
            for (var i = 0; i < 50; i++) GC.Collect(0);
            stop.Cancel();
            spinning.Join();
            Expect.True(result != 0);
        });

        cases.Run("collector: finalizers run, weak references empty", () =>
        {
            Finalizable.Make(5000);
            var weak = MakeWeak();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            Expect.True(Finalizable.Count >= 4900);
            Expect.True(!weak.TryGetTarget(out _));
        });

        cases.Run("collector: pinned memory stays", () =>
        {
            var bytes = new byte[100];
            var handle = GCHandle.Alloc(bytes, GCHandleType.Pinned);
            var address = handle.AddrOfPinnedObject();
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            Expect.Equal(address, handle.AddrOfPinnedObject());
            handle.Free();
        });

        cases.Run("collector: large objects are given back", () =>
        {
            for (var i = 0; i < 200; i++) GC.KeepAlive(new byte[5_000_000]);
            Expect.True(GC.GetGCMemoryInfo().TotalCommittedBytes < 256L << 20);
        });

        // System.GC.HeapHardLimit of MuslStatic.targets: the limit is in force, and reaching it can be caught.
        cases.Run("collector: the heap limit holds", () => Expect.Equal("out of memory, caught", ChildProcess.Run("child:exhaust").Output));

        // What os/init gives each service: the environment goes before what is built in, hexadecimal and without `0x`, which the runtime does not read.
        cases.Run("collector: the environment sets the heap limit", () => Expect.Equal(32L << 20, HeapLimit("2000000")));
        cases.Run("collector: a limit that begins with 0x is none", () => Expect.Equal(HeapLimit(""), HeapLimit("0x2000000")));
    }

    static long HeapLimit(string setting) =>
        long.Parse(ChildProcess.Run("child:heap-limit", configure: start => start.Environment["DOTNET_GCHeapHardLimit"] = setting).Output, CultureInfo.InvariantCulture);

    static void Allocate(int seed, CancellationToken stop)
    {
        var random = new Random(seed);
        var kept = new object?[500];
        while (!stop.IsCancellationRequested)
        {
            var slot = random.Next(kept.Length);
            kept[slot] = random.Next(50) switch
            {
                0 => new byte[50_000],
                < 20 => new string('x', random.Next(300)),
                _ => new[] { kept[random.Next(kept.Length)] },
            };
            if (random.Next(10) == 0) Array.Clear(kept);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static WeakReference<object> MakeWeak() => new(new object());

    sealed class Finalizable
    {
        internal static int Count;

        [MethodImpl(MethodImplOptions.NoInlining)]
        internal static void Make(int count)
        {
            for (var i = 0; i < count; i++) _ = new Finalizable();
        }

        ~Finalizable() => Interlocked.Increment(ref Count);
    }
}
