using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using Talos.Checks;
using Talos.CisBench;
using Talos.Kspp;

namespace Talos.Benchmarks;

/// <summary>What a scan costs: the hardening settings of a kernel, all checks of this machine's kernel facts over a small tree, one round of the monitor.</summary>
static class ChecksBenchmarks
{
    public static int Run(string[] arguments)
    {
        var rounds = arguments is [var text, ..] ? int.Parse(text, CultureInfo.InvariantCulture) : 50;
        var vectors = Path.Combine(RepositoryRoot(), "tests", "vectors", "checks", "kconfig");
        var folder = Directory.CreateTempSubdirectory("talos-bench-");
        try
        {
            var config = Path.Combine(folder.FullName, "config");
            using (var packed = new GZipStream(File.OpenRead(Path.Combine(vectors, "x86_64_defconfig_6.17.config.gz")), CompressionMode.Decompress))
            using (var plain = File.Create(config))
                packed.CopyTo(plain);
            var files = new KernelFiles(config, Path.Combine(vectors, "cmdline.txt"), Path.Combine(vectors, "sysctl.txt"));
            Print("catalogue, read once", Measure(1, () => KsppCatalogue.Load()));
            Print("KSPP scan, 352 settings", Measure(rounds, () => KsppScan.Run(files, TimeProvider.System)));
            CheckCatalogue[] all = [KsppCatalogue.Load(), CisCatalogues.Image, CisCatalogues.Node, CisCatalogues.Linux, CisCatalogues.Kubernetes];
            // The tree of a node, with this machine's /proc and /sys.
            var root = Directory.CreateDirectory(Path.Combine(folder.FullName, "root")).FullName;
            foreach (var name in (string[])["sbin", "etc"]) Directory.CreateDirectory(Path.Combine(root, name));
            foreach (var name in (string[])["init", "machined", "osd", "trustd"]) File.Copy(Environment.ProcessPath!, Path.Combine(root, "sbin", name));
            foreach (var name in (string[])["passwd", "group"]) File.Copy($"/etc/{name}", Path.Combine(root, "etc", name));
            foreach (var name in (string[])["proc", "sys"]) File.CreateSymbolicLink(Path.Combine(root, name), $"/{name}");
            Print("image scan, every catalogue", Measure(rounds, () => ComplianceScan.Run(all, ProbeRoot.Image(root, files), TimeProvider.System)));
            Print("node scan, every catalogue", Measure(rounds, () => ComplianceScan.Run(all, ProbeRoot.Node(root, new(config)), TimeProvider.System)));
            // This machine itself, as machined does it: paths below another root have their links resolved one by one.
            using var monitor = new ComplianceMonitor(
                [KsppCatalogue.Load(), CisCatalogues.Node, CisCatalogues.Linux], ProbeRoot.Node(), TimeProvider.System, MonitorOptions.Default with { Selected = c => !c.WalksTree });
            Print("one round of the monitor", Measure(rounds, () => monitor.Poll()));
            Print("its sysctls and mounts alone", Measure(rounds, () => monitor.PollQuickly()));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        return 0;
    }

    // CPU time beside wall time: on a machine that does other things too, wall time says more of them than of us.
    static (double[] Wall, double Cpu) Measure(int rounds, Func<object> work)
    {
        for (var i = 0; i < rounds / 5; i++) GC.KeepAlive(work());
        var times = new double[rounds];
        var cpu = Environment.CpuUsage.TotalTime;
        for (var i = 0; i < rounds; i++)
        {
            var start = Stopwatch.GetTimestamp();
            GC.KeepAlive(work());
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
        cpu = Environment.CpuUsage.TotalTime - cpu;
        Array.Sort(times);
        return (times, cpu.TotalMilliseconds / rounds);
    }

    static void Print(string name, (double[] Wall, double Cpu) measured) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{name,-30} CPU {measured.Cpu,8:F2} ms   wall: best {measured.Wall[0],8:F2} ms, median {measured.Wall[measured.Wall.Length / 2],8:F2} ms"));

    static string RepositoryRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            if (File.Exists(Path.Combine(directory.FullName, "Talos.sln"))) return directory.FullName;
        throw new InvalidOperationException("the benchmarks run outside the repository");
    }
}
