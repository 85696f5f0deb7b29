using System.Diagnostics;
using System.Globalization;
using Talos.Audit.Tests;

namespace Talos.Fuzz;

/// <summary>`audit-tamper CASES [FROM]`: the tamper matrix at length, on all processors.</summary>
static class AuditTamper
{
    public static int Run(string[] args)
    {
        int cases = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 100_000;
        int from = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 0;
        TamperMatrix matrix = new();
        long start = Stopwatch.GetTimestamp();
        int failed = 0;
        Parallel.For(from, from + cases, number =>
        {
            if (matrix.Run(number) is not { } what) return;
            if (Interlocked.Increment(ref failed) <= 20) Console.WriteLine(what);
        });
        Console.WriteLine($"{TamperMatrix.Names.Count} ways of tampering, {cases} cases in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        Console.WriteLine($"{cases - failed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }
}
