using System.Diagnostics;
using System.Text.Json;
using Talos.Checks;
using Talos.Kspp;
using Xunit;

namespace Talos.Checks.Tests;

/// <summary>kernel-hardening-checker itself: Debian's package, unpacked by build/kernel-oracle.sh.</summary>
static class Checker
{
    // One interpreter for all: starting it costs more than a check. A line for each case: null when the checker refuses or breaks.
    const string Program = """
        import contextlib, io, json, sys
        from kernel_hardening_checker import main
        for line in sys.stdin:
            sys.argv = ['checker', '-m', 'json'] + json.loads(line)
            out = io.StringIO()
            try:
                with contextlib.redirect_stdout(out):
                    main()
                rows = json.loads(out.getvalue().strip().split(chr(10))[-1])
            except (SystemExit, AssertionError, ValueError, IndexError) as e:
                rows = None if not isinstance(e, SystemExit) or e.code else json.loads(out.getvalue().strip().split(chr(10))[-1])
            print(json.dumps(rows), flush=True)
        """;

    /// <summary>Where its modules are; skips the test when they are not.</summary>
    public static string Require()
    {
        var unpacked = Path.GetFullPath(Path.Combine(Vectors.Root, "../../../out/kernel-oracle/checker/usr/lib/python3/dist-packages"));
        if (!Directory.Exists(unpacked)) Assert.Skip("SKIPPED LOUDLY: kernel-hardening-checker is not here; `build/kernel-oracle.sh --unpack` brings it");
        return unpacked;
    }

    /// <summary>Our rows are the checker's rows, and what one refuses the other refuses.</summary>
    public static void AssertSame(IReadOnlyList<KernelFiles> cases)
    {
        var start = new ProcessStartInfo("python3", ["-c", Program]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PYTHONPATH"] = Require();
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var refused = 0;
        foreach (var files in cases)
        {
            string[] arguments = ["-c", files.Kconfig!, .. files.CommandLine is { } line ? new[] { "-l", line } : [], .. files.Sysctl is { } sysctl ? new[] { "-s", sysctl } : []];
            process.StandardInput.WriteLine(JsonSerializer.Serialize(arguments));
            process.StandardInput.Flush();
            var answer = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"the checker ended at `{files.Kconfig}`: {errors.Result}");
            if (answer != "null")
            {
                KsppOracleTests.AssertSame(answer, files);
                continue;
            }
            refused++;
            Assert.True(KsppScan.Run(files, TimeProvider.System).Report is null, $"the checker refuses `{files.Kconfig}`, we do not");
        }
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.True(refused < cases.Count, "the checker refuses everything");
    }
}
