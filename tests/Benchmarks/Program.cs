using Talos.Benchmarks;

// One line a verb; each verb is a file of its own.
return args switch
{
    ["audit", .. string[] rest] => await AuditBench.Run(rest),
    ["audit-size", .. string[] rest] => await AuditSize.Run(rest),
    ["checks", .. string[] rest] => ChecksBenchmarks.Run(rest),
    ["pki", .. string[] rest] => PkiBenchmarks.Run(rest),
    ["policy", .. string[] rest] => PolicyBenchmarks.Run(rest),
    ["server", .. string[] rest] => await ServerBench.Run(rest),
    ["server-host", var folder, var mode] => await ServerBenchHost.Run(folder, mode),
    ["trustd", .. string[] rest] => await TrustdBench.Run(rest),
    ["trustd-host", var configuration] => await TrustdProgram.Host(configuration),
    ["trustd-rollover", var nodes] => await RolloverBench.RunInside(int.Parse(nodes, System.Globalization.CultureInfo.InvariantCulture)),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project tests/Benchmarks -- VERB …");
    Console.Error.WriteLine("  audit [DIRECTORY [ENTRIES]]   the record: append, acknowledge, prove, verify");
    Console.Error.WriteLine("  audit-size [DIRECTORY [ENTRIES]]   memory while a record grows to 100 million entries, opens and verifies; 20 GB, 15 min");
    Console.Error.WriteLine("  checks [ROUNDS]   scans of a kernel, an image and a node; one round of the drift monitor");
    Console.Error.WriteLine("  pki [OPERATIONS]   issuance and validation, CPU time of one thread");
    Console.Error.WriteLine("  policy [DECISIONS]   decisions, evaluation, index, loading");
    Console.Error.WriteLine("  server [CALLS]   CPU time of a server for an empty call over mutual TLS");
    Console.Error.WriteLine("  trustd [issue [SECONDS] | ledger [ENTRIES] | rollover [NODES]]   a trustd in a process of its own; all three without a word");
    return 2;
}
