using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Talos.Audit;

namespace Talos.Fuzz;

/// <summary>
/// `audit-kill ROUNDS [DIRECTORY]`: a process appends and exports as fast as it can and is killed with SIGKILL at a random moment, again and
/// again, over one and the same log. After each round every acknowledged entry must be there under its index, the log must verify, and in the
/// end every entry must be in the export.
/// </summary>
static class AuditKill
{
    public static int Run(string[] args)
    {
        int rounds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 500;
        string directory = args.Length > 1 ? args[1] : Path.Combine(Path.GetTempPath(), "talos-audit-kill-" + Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(directory);
        Random random = new(rounds);
        ulong acknowledged = 0;
        Stopwatch watch = Stopwatch.StartNew();
        try
        {
            for (int round = 0; round < rounds; round++)
            {
                List<(ulong Index, string Token)> acks = RunAndKill(directory, round, random);
                if (Check(directory, acks, ref acknowledged) is not { } wrong)
                {
                    if ((round + 1) % 25 == 0) Console.WriteLine($"{round + 1} kills, {acknowledged} acknowledged entries, {watch.Elapsed.TotalSeconds:F0} s");
                    continue;
                }
                Console.WriteLine($"round {round}: {wrong}");
                Console.WriteLine("0 passed, 1 failed");
                return 1;
            }
            string? missing = CheckExport(directory).GetAwaiter().GetResult();
            if (missing is not null) Console.WriteLine(missing);
            Console.WriteLine($"{rounds} kills, {acknowledged} acknowledged entries, none missing; {watch.Elapsed.TotalSeconds:F0} s");
            Console.WriteLine(missing is null ? "1 passed, 0 failed" : "0 passed, 1 failed");
            return missing is null ? 0 : 1;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    static List<(ulong, string)> RunAndKill(string directory, int round, Random random)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (string argument in (string[])["audit-kill-child", directory, round.ToString(CultureInfo.InvariantCulture)]) start.ArgumentList.Add(argument);
        using Process child = Process.Start(start)!;
        List<(ulong, string)> acks = [];
        // The moment is counted in acknowledgements, not in time, so that a loaded machine tests the same.
        int until = 1 + random.Next(3000);
        while (child.StandardOutput.ReadLine() is { } line)
        {
            string[] parts = line.Split(' ');
            // The last line may be cut by the kill.
            if (parts.Length == 3 && parts[2] == "." && ulong.TryParse(parts[0], CultureInfo.InvariantCulture, out ulong index)) acks.Add((index, parts[1]));
            if (acks.Count == until) child.Kill();
        }
        child.WaitForExit();
        return acks;
    }

    static string? Check(string directory, List<(ulong Index, string Token)> acks, ref ulong acknowledged)
    {
        if (acks.Count == 0) return "the child acknowledged nothing";
        using Ed25519CheckpointSigner signer = Signer(directory);
        using (AuditLog log = Open(directory, signer))
        {
            Dictionary<ulong, string> found = [];
            ulong from = acks.Min(static a => a.Index);
            foreach (AuditRecord record in log.Read(from, long.MaxValue))
                if (record.Entry.Details.TryGetValue("token", out string? token)) found[record.Index] = token;
            foreach ((ulong index, string token) in acks)
                if (found.GetValueOrDefault(index) != token) return $"acknowledged entry {index} is missing or another";
            acknowledged += (ulong)acks.Count;
        }
        AuditVerification result = AuditVerifier.Verify(Path.Combine(directory, "log"), new AuditVerifierOptions { LogKeys = [signer.Key] });
        return result.Verdict == AuditVerdict.Verified ? null : $"the log does not verify: {result.Findings[0].Message}";
    }

    static async Task<string?> CheckExport(string directory)
    {
        using Ed25519CheckpointSigner signer = Signer(directory);
        await using AuditLog log = Open(directory, signer);
        await using (FileSink sink = new(Path.Combine(directory, "export.jsonl"), AuditFormat.JsonLines))
        {
            using AuditExporter exporter = new(log, sink, new ExportCursor(Path.Combine(directory, "cursor")), new AuditExporterOptions());
            await exporter.DrainAsync(CancellationToken.None);
        }
        ulong next = 0;
        foreach (string line in File.ReadLines(Path.Combine(directory, "export.jsonl")))
        {
            using JsonDocument json = JsonDocument.Parse(line);
            ulong index = json.RootElement.GetProperty("index").GetUInt64();
            if (index > next) return $"entry {next} is missing in the export";
            next = Math.Max(next, index + 1);
        }
        return next == log.Size ? null : $"the export ends at {next}, the log at {log.Size}";
    }

    public static async Task<int> Child(string[] args)
    {
        (string directory, string round) = (args[0], args[1]);
        using Ed25519CheckpointSigner signer = Signer(directory);
        await using AuditLog log = Open(directory, signer);
        await using FileSink sink = new(Path.Combine(directory, "export.jsonl"), AuditFormat.JsonLines);
        using AuditExporter exporter = new(log, sink, new ExportCursor(Path.Combine(directory, "cursor")), new AuditExporterOptions { CommitEntries = 200 });
        Task export = exporter.RunAsync(CancellationToken.None);
        await using StreamWriter output = new(Console.OpenStandardOutput()) { AutoFlush = true };
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async caller =>
        {
            for (int i = 0; ; i++)
            {
                string token = $"{round}/{caller}/{i}";
                AuditReceipt receipt = await log.AppendAsync(new Entry { Kind = EntryKind.Service, Details = { ["token"] = token }, Message = new string('m', i % 500) });
                lock (output) output.Write($"{receipt.Index} {token} .\n");
            }
        }).Append(export));
        return 0;
    }

    static Ed25519CheckpointSigner Signer(string directory) => Ed25519CheckpointSigner.LoadOrCreate(Path.Combine(directory, "key"), "kill.example/audit");

    static AuditLog Open(string directory, Ed25519CheckpointSigner signer) =>
        AuditLog.Open(Path.Combine(directory, "log"), new AuditLogOptions { Signer = signer, Node = "kill" });
}
