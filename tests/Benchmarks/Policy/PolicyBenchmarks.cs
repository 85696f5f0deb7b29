using System.Diagnostics;
using System.Globalization;
using System.Text;
using Talos.Policy;

namespace Talos.Benchmarks;

/// <summary>
/// The measures of docs/design/policy.md: first the micro-benchmarks, then what those cannot say. Latency is measured call by call, because
/// a mean over batches says nothing of the tail; throughput and loading are programs of their own.
/// </summary>
static class PolicyBenchmarks
{
    const string Version = "/talos.machine.v1.MachineService/Version", Reboot = "/talos.machine.v1.MachineService/Reboot";

    public static int Run(string[] args)
    {
        int decisions = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000;
#if !NODE
        PolicyMicroBenchmarks.Run();
#endif
        Authorizer authorizer = Shipped();
        AuthorizationInput allowed = Allowed(), general = General();
        Console.WriteLine("| measure | figure |\n|---|---|");
        Latency("known decision", () => authorizer.Decide(allowed), decisions);
        Latency("general evaluation", () => authorizer.Decide(general), decisions / 10);
        Throughput(authorizer, allowed, decisions);
        LoadData();
        Console.WriteLine($"| OPA beside it | {Opa()} |");
        return 0;
    }

    // Shares of a busy machine differ from run to run; what the process used does not.
    static TimeSpan Cpu() => Environment.CpuUsage.TotalTime;

    public static Authorizer Shipped() => Authorizer.Create(PolicyBundle.Load(Path.Combine(Root(), "policy", "bundle")), [Version, Reboot]);

    /// <summary>A call whose decision is known ahead.</summary>
    public static AuthorizationInput Allowed() => Input(Version, "os:reader");

    /// <summary>A role that the bundle does not know has no slot in the table, so this is evaluated each time.</summary>
    public static AuthorizationInput General() => Input(Reboot, "team:blue");

    /// <summary>So many rules "role r may call method m", and a question that only the last one answers.</summary>
    public static (RegoQuery Query, RegoInput Input) Rules(int rules)
    {
        var module = new StringBuilder("package bench\n\ndefault allow := false\n\n");
        for (int i = 0; i < rules; i++) module.Append(CultureInfo.InvariantCulture, $"allow if {{\n\tinput.role == \"role{i % 100}\"\n\tinput.method == \"method{i}\"\n}}\n\n");
        RegoProgram program = RegoProgram.Compile([("bench.rego", module.ToString())]);
        return (program.Prepare("data.bench.allow = x"), RegoInput.Parse($$"""{"role": "role{{(rules - 1) % 100}}", "method": "method{{rules - 1}}"}"""));
    }

    static AuthorizationInput Input(string method, string role) => new()
    {
        Caller = AuthorizationCaller.Named("alice", [role], "01ab", "spiffe://talos.test/user/alice", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, "192.0.2.7"),
        Method = method,
        RevocationAge = TimeSpan.Zero,
        Time = DateTimeOffset.UnixEpoch,
        Request = () => "{}",
    };

    static void Latency(string name, Action call, int count)
    {
        for (int i = 0; i < Math.Min(count, 50_000); i++) call();
        GC.Collect();
        var ticks = new long[count];
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            call();
            ticks[i] = Stopwatch.GetTimestamp() - start;
        }
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Array.Sort(ticks);
        double Nanoseconds(double share) => ticks[(int)(share * (count - 1))] * 1e9 / Stopwatch.Frequency;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name}: p50, p99 | {Nanoseconds(0.5):F0} ns, {Nanoseconds(0.99):F0} ns, {allocated / count} B allocated |"));
    }

    // One thread and two, in turn, on threads of their own that begin together: the median of the rounds, because a neighbour on a shared machine slows
    // some of them. Two processors that share a core give less than twice one; what two loops without memory give is the ceiling here.
    static void Throughput(Authorizer authorizer, AuthorizationInput input, int count)
    {
        const int Rounds = 9;
        void Decide(int times)
        {
            for (int i = 0; i < times; i++) authorizer.Decide(input);
        }
        PerSecond(1, count, Decide);
        PerSecond(2, count, Spin);
        double[] one = new double[Rounds], two = new double[Rounds], scale = new double[Rounds], ceiling = new double[Rounds];
        for (int i = 0; i < Rounds; i++)
        {
            one[i] = PerSecond(1, count, Decide);
            two[i] = PerSecond(2, count, Decide);
            scale[i] = two[i] / one[i];
            ceiling[i] = PerSecond(2, count, Spin) / PerSecond(1, count, Spin);
        }
        foreach (double[] rounds in (double[][])[one, two, scale, ceiling]) Array.Sort(rounds);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| known decisions a CPU second: one thread, two at once | {one[Rounds / 2] / 1e6:F1} M, {two[Rounds / 2] / 1e6:F1} M; {scale[Rounds / 2]:F2} × ({scale[0]:F2} to {scale[^1]:F2} in {Rounds} rounds; a loop without memory: {ceiling[Rounds / 2]:F2} ×) |"));
    }

    static double PerSecond(int threads, int count, Action<int> work)
    {
        using var begin = new Barrier(threads + 1);
        var workers = new Thread[threads];
        for (int t = 0; t < threads; t++)
        {
            workers[t] = new Thread(() =>
            {
                begin.SignalAndWait();
                work(count * 5);
            });
            workers[t].Start();
        }
        GC.Collect();
        TimeSpan start = Cpu();
        begin.SignalAndWait();
        foreach (Thread worker in workers) worker.Join();
        return threads * count * 5.0 / (Cpu() - start).TotalSeconds * threads;
    }

    static ulong spun;

    static void Spin(int times)
    {
        ulong x = 88172645463325252;
        for (int i = 0; i < times * 16; i++)
        {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }
        Volatile.Write(ref spun, x);
    }

    static void LoadData()
    {
        var text = new StringBuilder("{\"entries\": [");
        for (int i = 0; text.Length < 100_000_000; i++)
        {
            if (i > 0) text.Append(',');
            text.Append(CultureInfo.InvariantCulture, $"{{\"id\": {i}, \"name\": \"user-{i:x8}\", \"roles\": [\"os:reader\", \"team:{i % 500}\"], \"email\": \"user{i}@example.org\", \"active\": true, \"score\": {i}.5}}");
        }
        string json = text.Append("]}").ToString();
        string folder = Directory.CreateTempSubdirectory("talos-bench-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "data.json"), json);
            File.WriteAllText(Path.Combine(folder, "a.rego"), "package a\n\np := count(data.entries)\n");
            int size = json.Length;
            text.Clear();
            json = "";
            long before = GC.GetTotalMemory(true);
            TimeSpan start = Cpu();
            PolicyBundle bundle = PolicyBundle.Load(folder);
            TimeSpan took = Cpu() - start;
            long used = GC.GetTotalMemory(true) - before;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| bundle with {size / 1_000_000} MB of data: CPU time, memory | {took.TotalSeconds:F2} s, {(double)used / size:F1} × the JSON |"));
            GC.KeepAlive(bundle);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    static string Opa()
    {
        string? path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(d => Path.Combine(d, "opa")).FirstOrDefault(File.Exists);
        if (path is null)
        {
            Console.Error.WriteLine("SKIPPED: no `opa` on PATH; nothing to compare with");
            return "skipped: no `opa` on PATH";
        }
        var start = new ProcessStartInfo(path, ["bench", "--data", Path.Combine(Root(), "policy", "bundle"), "--format", "pretty", "data.talos.authz.decision"]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output.Split('\n').FirstOrDefault(l => l.Contains("ns/op", StringComparison.Ordinal))?.Trim() ?? "no figure";
    }

    static string Root()
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
            if (File.Exists(Path.Combine(d.FullName, "Talos.sln"))) return d.FullName;
        throw new InvalidOperationException("the benchmarks run outside the repository");
    }
}
