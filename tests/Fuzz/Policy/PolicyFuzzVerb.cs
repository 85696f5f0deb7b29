using System.Globalization;
using Talos.Policy.Tests;

namespace Talos.Fuzz;

/// <summary>The mutation fuzz of the policy engine, for as long as asked.</summary>
static class PolicyFuzzVerb
{
    public static int Run(string[] args)
    {
        int cases = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 100_000;
        int seed = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : Environment.TickCount;
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Talos.sln"))) root = root.Parent;
        string folder = Path.Combine(root?.FullName ?? ".", "tests", "vectors", "policy", "opa-v1");
        const int Batch = 1000;
        for (int done = 0; done < cases; done += Batch)
        {
            PolicyFuzz.Run(seed, Math.Min(Batch, cases - done), folder);
            Console.WriteLine($"seed {seed}: {Math.Min(done + Batch, cases)} of {cases}");
            seed++;
        }
        return 0;
    }
}
