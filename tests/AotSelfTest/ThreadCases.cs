using System.Threading.Channels;

namespace Talos.AotSelfTest;

static class ThreadCases
{
    internal static void Run(Cases cases)
    {
        cases.Run("threads: 64 count together", () =>
        {
            var count = 0;
            RunThreads(64, _ =>
            {
                for (var i = 0; i < 10_000; i++) Interlocked.Increment(ref count);
            });
            Expect.Equal(640_000, count);
        });

        cases.Run("threads: 500 blocked at once", () =>
        {
            using var gate = new ManualResetEventSlim();
            using var arrived = new CountdownEvent(500);
            var threads = Enumerable.Range(0, 500).Select(_ => new Thread(() =>
            {
                arrived.Signal();
                gate.Wait();
            }, 256 << 10)).ToArray();
            foreach (var thread in threads) thread.Start();
            arrived.Wait();
            gate.Set();
            foreach (var thread in threads) thread.Join();
        });

        cases.Run("threads: default stack is deep enough", () =>
        {
            var depth = 0;
            RunThreads(1, _ => depth = ChildProcess.StackDepth(0));
            Expect.True(depth > 800);
        });

        cases.Run("threads: pool stack is deep enough", () => Expect.True(Task.Run(() => ChildProcess.StackDepth(0)).Result > 800));

        // musl reports the main thread's stack as what is mapped so far: glibc-shim.c
        cases.Run("threads: main stack is deep enough", () =>
            Expect.True(int.Parse(ChildProcess.Run("child:depth").Output, System.Globalization.CultureInfo.InvariantCulture) > 800));

        cases.Run("threads: requested stack size is honoured", () =>
        {
            var depth = 0;
            var thread = new Thread(() => depth = ChildProcess.StackDepth(0), 16 << 20);
            thread.Start();
            thread.Join();
            Expect.True(depth > 10_000);
        });

        cases.Run("threads: pool works off 20000 items", () =>
        {
            using var left = new CountdownEvent(20_000);
            for (var i = 0; i < 20_000; i++) ThreadPool.UnsafeQueueUserWorkItem(static countdown => countdown.Signal(), left, preferLocal: false);
            left.Wait();
        });

        cases.Run("threads: thread-local values stay apart", () =>
        {
            using var local = new ThreadLocal<int>(() => Environment.CurrentManagedThreadId, trackAllValues: true);
            Parallel.For(0, 500, _ => Expect.Equal(Environment.CurrentManagedThreadId, local.Value));
        });

        cases.Run("threads: locks, semaphores, monitors", () =>
        {
            var gate = new object();
            var count = 0;
            Parallel.For(0, 10_000, _ =>
            {
                lock (gate) count++;
            });
            Expect.Equal(10_000, count);
            using var semaphore = new Semaphore(0, 5);
            Task.Run(() => semaphore.Release(2));
            Expect.True(semaphore.WaitOne());
            lock (gate)
            {
                Task.Run(() =>
                {
                    lock (gate) Monitor.PulseAll(gate);
                });
                Monitor.Wait(gate);
            }
            using var barrier = new Barrier(4);
            RunThreads(4, _ => barrier.SignalAndWait());
        });

        cases.Run("threads: interrupt", () =>
        {
            var interrupted = false;
            var thread = new Thread(() => interrupted = Expect.Throws<ThreadInterruptedException>(() => Thread.Sleep(Timeout.Infinite)) is not null);
            thread.Start();
            thread.Interrupt();
            thread.Join();
            Expect.True(interrupted);
        });

        cases.Run("tasks: bounded channel", () => Channels().GetAwaiter().GetResult());

        cases.Run("tasks: timers tick", () =>
        {
            using var ticks = new CountdownEvent(10);
            using var timer = new Timer(_ => ticks.TrySignal(), null, 0, 5);
            ticks.Wait();
        });
    }

    static void RunThreads(int count, Action<int> body)
    {
        var threads = Enumerable.Range(0, count).Select(i => new Thread(() => body(i))).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
    }

    static bool TrySignal(this CountdownEvent countdown) => !countdown.IsSet && countdown.Signal();

    static async Task Channels()
    {
        var channel = Channel.CreateBounded<int>(10);
        var writer = Task.Run(async () =>
        {
            for (var i = 0; i < 20_000; i++) await channel.Writer.WriteAsync(i);
            channel.Writer.Complete();
        });
        var sum = 0L;
        await foreach (var item in channel.Reader.ReadAllAsync()) sum += item;
        await writer;
        Expect.Equal(199_990_000L, sum);
    }
}
