using System.Diagnostics;
using System.Globalization;
using Talos.Audit;

namespace Talos.Benchmarks;

/// <summary>`audit [DIRECTORY] [ENTRIES]`: the measures of docs/design/audit.md.</summary>
static class AuditBench
{
    public static async Task<int> Run(string[] args)
    {
        string directory = Path.Combine(args.Length > 0 ? args[0] : Path.GetTempPath(), "talos-audit-bench-" + Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        int entries = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1_000_000;
        try
        {
            using Ed25519CheckpointSigner signer = Ed25519CheckpointSigner.Create("bench.example/audit");
            AuditLogOptions options = new() { Signer = signer, Node = "bench" };
            await using (AuditLog log = AuditLog.Open(Path.Combine(directory, "log"), options))
            {
                TellOfFileSystem(directory);
                await Throughput(log, 50_000, report: false);
                await Throughput(log, entries, report: true);
                await Posted(log, entries);
                double pacing = Calls(25_000, seconds: 3, static () => Task.CompletedTask);
                foreach (bool isAwaited in (bool[])[false, true])
                {
                    Caller caller = Call(0).Caller.Freeze();
                    Calls(25_000, seconds: 3, () => OneCall(log, caller, isAwaited));
                    double each = Calls(25_000, seconds: 6, () => OneCall(log, caller, isAwaited)) - pacing;
                    string name = isAwaited ? "opening awaited " : "nobody waits    ";
                    Console.WriteLine($"CPU a call, {name}  {each,12:F2} µs  (two entries, making them included, without {pacing:F2} µs of pacing; 25,000 calls/s)");
                    await CallsAtOnce(log, entries / 2, isAwaited);
                }
                await Latency(log, 50_000, seconds: 5);
                await ProofAge(log);
            }
            Verify(Path.Combine(directory, "log"), signer.Key);
            return 0;
        }
        finally
        {
            if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        }
    }

    // A node's state file system has a journal. Without one, ext4 looks at every inode that was freed in the last five minutes before it takes a free one
    // (`recently_deleted`), and what the former run deleted is paid for by this one.
    static void TellOfFileSystem(string directory)
    {
        string device = File.ReadLines("/proc/self/mountinfo").Select(static line => line.Split(' '))
            .Where(mount => mount[Array.IndexOf(mount, "-") + 1] == "ext4" && Path.GetRelativePath(mount[4], directory) is [not '.', ..])
            .OrderByDescending(static mount => mount[4].Length).Select(static mount => Path.GetFileName(mount[Array.IndexOf(mount, "-") + 2])).FirstOrDefault("");
        bool hasJournal = Directory.Exists("/proc/fs/jbd2") && Directory.EnumerateDirectories("/proc/fs/jbd2", device + "-*").Any();
        if (device.Length != 0 && !hasJournal)
            Console.WriteLine($"note: ext4 on {device} has no journal; files that were deleted in the last minutes make new ones slow, give the folder of another file system");
    }

    static Entry Call(int i) => new()
    {
        Kind = EntryKind.CallOpened,
        Method = "/talos.machine.v1.MachineService/ServiceList",
        RequestDigest = s_digest,
        Caller = new Caller
        {
            Name = "alice",
            Roles = { "os:operator" },
            Serial = "0123456789abcdef0123456789abcdef",
            SpiffeUri = "spiffe://cluster.example/user/alice",
            SourceAddress = "10.5.0.17:40312",
        },
        Fields = { new LoggedField { Path = "service", Value = "kubelet" } },
        Details = { ["n"] = i.ToString(CultureInfo.InvariantCulture) },
    };

    static readonly Google.Protobuf.ByteString s_digest = Google.Protobuf.ByteString.CopyFrom(new byte[32]);

    // 512 callers at a time, each waiting for its acknowledgement before it appends again: a busy API server.
    static async Task Throughput(AuditLog log, int entries, bool report)
    {
        const int callers = 512;
        long bytes = Directory.EnumerateFiles(log.Directory, "*", SearchOption.AllDirectories).Sum(static f => new FileInfo(f).Length);
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            for (int i = caller; i < entries; i += callers) await log.AppendAsync(Call(i));
        })));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        TimeSpan used = Environment.CpuUsage.TotalTime - cpu;
        if (!report) return;
        bytes = Directory.EnumerateFiles(log.Directory, "*", SearchOption.AllDirectories).Sum(static f => new FileInfo(f).Length) - bytes;
        Console.WriteLine($"append, durable, {callers} callers   {entries / seconds,12:N0} entries/s");
        Console.WriteLine($"CPU an entry, all included    {used.TotalMicroseconds / entries,12:F2} µs  (making the entry in the benchmark too)");
        Console.WriteLine($"on disk an entry              {(double)bytes / entries,12:F0} bytes");
        Console.WriteLine($"resident memory               {Environment.WorkingSet / 1048576.0,12:F0} MiB  after {log.Size:N0} entries; managed {GC.GetTotalMemory(true) / 1048576.0:F1} MiB");
    }

    // As best-effort calls and the ends of calls are recorded: nobody waits for the disk.
    static async Task Posted(AuditLog log, int entries)
    {
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        for (int i = 0; i < entries; i++)
        {
            // A batch that is full is waited for: what is measured is the work, not how much is lost.
            if (log.Post(Call(i)) == AuditDisposition.Lost) await log.AppendAsync(Call(i));
        }
        await log.AppendAsync(Call(0));
        double each = (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / entries;
        Console.WriteLine($"CPU an entry nobody waits for {each,12:F2} µs  (making the entry in the benchmark too)");
    }

    // CPU time a call, at the rate that an API server on two cores reaches.
    static double Calls(int rate, int seconds, Func<Task> call)
    {
        Task[] calls = new Task[rate * seconds];
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls.Length; i++)
        {
            // On this thread: a pool thread that sleeps between bursts spends more on falling asleep than the calls cost.
            while (Stopwatch.GetElapsedTime(start).TotalSeconds * rate < i) Thread.Sleep(1);
            calls[i] = call();
        }
        Task.WaitAll(calls);
        return (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / calls.Length;
    }

    // The same as fast as it goes, from 512 callers.
    static async Task CallsAtOnce(AuditLog log, int calls, bool isAwaited)
    {
        const int callers = 512;
        Caller caller = Call(0).Caller.Freeze();
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(first => Task.Run(async () =>
        {
            for (int i = first; i < calls; i += callers) await OneCall(log, caller, isAwaited);
        })));
        await log.AppendAsync(Call(0));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, each = (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / calls;
        Console.WriteLine($"  as fast as it goes          {each,12:F2} µs  ({calls / seconds:N0} calls/s)");
    }

    // Both entries, made as the API server makes them (CallRecord); an opening that is awaited is on disk before its call goes on.
    static async Task OneCall(AuditLog log, Caller caller, bool isAwaited)
    {
        PendingEntry opening = await log.QueueAsync(Opening(caller));
        if (isAwaited) await log.DurableAsync(opening);
        await log.QueueAsync(Closing(opening.Index, caller), after: opening);
    }

    [ThreadStatic]
    static Entry? t_opening, t_closing;

    static Entry Opening(Caller caller)
    {
        Entry entry = t_opening ??= new Entry { Kind = EntryKind.CallOpened };
        entry.Caller = caller;
        entry.Method = "/talos.machine.v1.MachineService/ServiceList";
        entry.RequestDigest = s_digest;
        return entry;
    }

    static Entry Closing(ulong opened, Caller caller)
    {
        Entry entry = t_closing ??= new Entry { Kind = EntryKind.CallClosed, Decision = new Decision(), Outcome = new Outcome() };
        entry.OpenedIndex = opened;
        entry.Caller = caller;
        entry.Method = "/talos.machine.v1.MachineService/ServiceList";
        entry.Decision.Effect = Effect.Allow;
        entry.Decision.Rule = "reader";
        entry.Decision.BundleRevision = "shipped-1";
        entry.Decision.ReasonId = "role-grants";
        entry.Decision.Reason = "the role os:operator may call this method";
        entry.Outcome.Status = "OK";
        entry.Outcome.DurationNanos = 180_000;
        entry.Fields.Clear();
        entry.Details.Clear();
        return entry;
    }

    static async Task Latency(AuditLog log, int rate, int seconds)
    {
        double[] micros = new double[rate * seconds];
        Task[] acks = new Task[micros.Length];
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < micros.Length; i++)
        {
            while (Stopwatch.GetElapsedTime(start).TotalSeconds * rate < i) await Task.Delay(1);
            acks[i] = Append(log, i, micros);
        }
        await Task.WhenAll(acks);
        double took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Array.Sort(micros);
        Console.WriteLine($"acknowledged at {micros.Length / took,8:N0}/s       p50 {micros[micros.Length / 2] / 1000:F2} ms, p99 {micros[(int)(micros.Length * 0.99)] / 1000:F2} ms, p99.9 {micros[(int)(micros.Length * 0.999)] / 1000:F2} ms");
    }

    static async Task Append(AuditLog log, int i, double[] micros)
    {
        long start = Stopwatch.GetTimestamp();
        await log.AppendAsync(Call(i));
        micros[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    // From the acknowledgement until a published checkpoint covers the entry, without asking for one.
    static async Task ProofAge(AuditLog log)
    {
        double worst = 0;
        for (int i = 0; i < 20; i++)
        {
            AuditReceipt receipt = await log.AppendAsync(Call(i));
            long start = Stopwatch.GetTimestamp();
            while (log.Checkpoint.Size <= receipt.Index) await Task.Delay(1);
            worst = Math.Max(worst, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        long proofStart = Stopwatch.GetTimestamp();
        const int proofs = 1000;
        for (int i = 0; i < proofs; i++) log.ProveInclusion((ulong)((long)i * ((long)log.Size - 1) / proofs));
        Console.WriteLine($"proof available after         {worst,12:F0} ms at worst of 20; a proof takes {Stopwatch.GetElapsedTime(proofStart).TotalMicroseconds / proofs:F0} µs");
    }

    static void Verify(string directory, NoteVerifierKey key)
    {
        bool cold = true;
        foreach (int threads in (int[])[1, 1, Environment.ProcessorCount])
        {
            TimeSpan cpu = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            AuditVerification result = AuditVerifier.Verify(directory, new AuditVerifierOptions { LogKeys = [key], Threads = threads });
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (result.Verdict != AuditVerdict.Verified) throw new InvalidOperationException(result.Findings[0].Message);
            double each = (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / result.Size;
            Console.WriteLine($"verify, {threads} thread(s){(cold ? ", from disk" : "           ")} {result.Size / seconds,12:N0} entries/s, {each:F2} µs CPU an entry");
            cold = false;
        }
    }
}
