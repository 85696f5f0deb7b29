using System.Text.Json;
using System.Text.Json.Nodes;
using Talos.Policy;

namespace Talos.Conformance;

/// <summary>Runs OPA's conformance cases: every `*.json` below a folder, `{"cases": […]}` each.</summary>
static class Rego
{
    public static int Run(string[] args)
    {
        bool listFailing = args.Contains("--list-failing");
        string? directory = args.FirstOrDefault(a => !a.StartsWith("--", StringComparison.Ordinal));
        if (directory is null || !Directory.Exists(directory))
        {
            Console.Error.WriteLine($"error: no folder `{directory}`\n  hint: give a folder of OPA conformance cases");
            return 2;
        }
        int passed = 0, failed = 0;
        foreach (string file in Directory.EnumerateFiles(directory, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            foreach (RegoCase test in RegoCase.Load(file))
            {
                string? problem = test.Run();
                if (problem is null) passed++;
                else
                {
                    failed++;
                    if (listFailing) Console.WriteLine($"{Path.GetRelativePath(directory, file)}: {test.Note}: {problem}");
                }
            }
        }
        if (passed + failed == 0)
        {
            Console.Error.WriteLine($"error: no cases below `{directory}`");
            return 2;
        }
        Console.WriteLine($"{passed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }
}
