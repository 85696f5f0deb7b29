using System.Diagnostics;
using System.Globalization;
using Talos.Audit;

namespace Talos.Benchmarks;

/// <summary>
/// `audit-size [DIRECTORY] [ENTRIES]`: what a record of 100 million entries needs in memory while it grows, when it is opened and when it is
/// verified. Takes about 20 GB and a quarter of an hour.
/// </summary>
static class AuditSize
{
    public static async Task<int> Run(string[] args)
    {
        string directory = Path.Combine(
            args.Length > 0 ? args[0] : Path.GetTempPath(), "talos-audit-size-" + Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        int entries = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 100_000_000;
        try
        {
            using Ed25519CheckpointSigner signer = Ed25519CheckpointSigner.Create("bench.example/audit");
            AuditLogOptions options = new() { Signer = signer, Node = "bench" };
            Stopwatch watch = Stopwatch.StartNew();
            await using (AuditLog log = AuditLog.Open(directory, options))
            {
                PendingEntry? last = null;
                for (int i = 1; i <= entries; i++)
                {
                    last = await log.QueueAsync(new Entry { Kind = EntryKind.Service, Message = "kubelet: running" });
                    if (i % Math.Max(1, entries / 10) == 0) Report($"{i:N0} entries", watch);
                }
                if (last is not null) await log.DurableAsync(last);
                Report("all on disk", watch);
            }
            watch.Restart();
            AuditLog.Open(directory, options).Dispose();
            Report("opened", watch);
            watch.Restart();
            AuditVerification result = AuditVerifier.Verify(directory, new AuditVerifierOptions { LogKeys = [signer.Key] });
            Report($"{result.Verdict}, {result.Size:N0} entries", watch);
            return result.Verdict == AuditVerdict.Verified && result.Size == (ulong)entries ? 0 : 1;
        }
        finally
        {
            if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        }
    }

    static void Report(string what, Stopwatch watch) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{what,-28} after {watch.Elapsed.TotalSeconds,6:F1} s   resident {Environment.WorkingSet / 1048576.0,5:F0} MiB, managed {GC.GetTotalMemory(true) / 1048576.0:F1} MiB"));
}
